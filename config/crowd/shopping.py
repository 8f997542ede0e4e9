"""One fan's turn: choosing, holding and paying; and what this one does otherwise."""

from __future__ import annotations

import asyncio
import json
from random import Random

from config.crowd.browser import Browser, Form, Page, clock
from config.crowd.plans import Kind, Plan
from config.crowd.sale import Sale
from config.crowd.tally import Tally


class Shopper:
    """Shops for a fan whose turn it is."""

    def __init__(self, plan: Plan, browser: Browser, sale: Sale, tally: Tally, rng: Random) -> None:
        self.plan = plan
        self.browser = browser
        self.sale = sale
        self.tally = tally
        self.rng = rng

    def note(self) -> None:
        """Note that this fan's misbehaviour has really happened."""
        self.tally.happened[self.plan.kind] += 1

    async def pause(self, least: float = 0.2, most: float = 0.8) -> None:
        """Read and think."""
        await asyncio.sleep(self.rng.uniform(least, most))

    async def show_up(self, page: Page) -> None:
        claim = page.form("/claim/")
        if claim is not None:
            await self.browser.send(claim)

    async def use_turn(self, page: Page) -> bool:
        """Show up, choose and check out; returns whether the fan is done, with or without tickets."""
        await self.show_up(page)
        orders = await self.choose(page)
        match self.plan.kind, orders:
            case _, []:
                return False
            case Kind.LETS_LAPSE, _:
                await self.let_lapse(orders[0])
            case _, _:
                await asyncio.gather(*(self.check_out(order) for order in orders))
        return True

    async def use_two_turns(self, pages: list[Page]) -> bool:
        """Choose in two queues of the event at one instant; returns whether the fan is done."""
        forms = [form for page in pages if (form := page.form("/hold/"))]
        picks = await self.picks()
        answers = await asyncio.gather(
            *(self.hold(form, *pick) for form, pick in zip(forms, [picks[0], picks[-1]] if picks else [], strict=False))
        )
        held = [answer.location for answer in answers if is_held(answer)]
        others = {answer.refusal for answer in answers if not is_held(answer)}
        # Both turns lasted: what is refused is refused for the limit and for nothing else.
        if len(answers) == 2 and held and others <= {"order_limit_reached", "ticket_limit_reached"}:
            self.note()
        await asyncio.gather(*(self.check_out(order) for order in held))
        return bool(held)

    async def choose(self, page: Page) -> list[str]:
        """Try to hold tickets, by taste and by what is left, while the turn lasts; returns orders' addresses."""
        ends_at = clock() + self.sale.window_seconds
        while clock() < ends_at:
            await self.pause()
            form = page.form("/hold/")
            if form is None:
                return []
            picks = await self.picks()
            if picks:
                answers = await asyncio.gather(*(self.hold(form, tier, number) for tier, number in picks))
                held = [answer.location for answer in answers if is_held(answer)]
                if len(picks) == 2 and held:
                    self.note()
                if held:
                    return held
                page = await self.browser.open(page.url)
            else:
                # Everything is held by others: some of it may come back.
                await self.pause(1.5, 2.5)
        return []

    async def picks(self, *, leaving: int = 0) -> list[tuple[str, int]]:
        """Return the tier to try and how many, of those with more than `leaving`; two for who tries in two tabs."""
        page = await self.browser.get(self.sale.availability)
        stock = json.loads(page.text)["tiers"] if page.status == 200 else []
        left = {tier["tier"]: tier["available"] for tier in stock}
        some = [(tier, min(self.plan.quantity, left[tier])) for tier in self.plan.wishes if left.get(tier, 0) > leaving]
        if self.plan.kind == Kind.BUYS_TWICE and some:
            return [some[0], some[-1]]
        return some[:1]

    async def hold(self, form: Form, tier: str, number: int) -> Page:
        answer = await self.browser.send(form, **{f"tier-{tier}": str(number)})
        self.tally.seconds["hold"].append(answer.answered - answer.sent)
        return answer

    async def let_lapse(self, order: str) -> None:
        await self.browser.open(order)
        await asyncio.sleep(self.sale.lapse_seconds)
        page = await self.browser.open(order)
        if page.form("/pay/") is None:
            self.note()

    async def check_out(self, order: str) -> None:
        counter = await self.go_to_the_counter(order)
        if counter is None:
            return
        match self.plan.kind:
            case Kind.WALKS_AWAY:
                await self.pay(counter, "abandon")
                self.note()
                return
            case Kind.IS_DECLINED:
                await self.pay(counter, "decline")
                self.note()
                counter = await self.go_to_the_counter(order)
            case Kind.PAYS_LATE:
                await asyncio.sleep(self.sale.lapse_seconds)
                self.note()
        if counter is not None:
            tabs = 2 if self.plan.kind == Kind.BUYS_TWICE else 1
            await asyncio.gather(*(self.pay(counter, "confirm") for _ in range(tabs)))
            await self.browser.open("/tickets/")

    async def go_to_the_counter(self, order: str) -> Form | None:
        """Fill in names and contact; returns the provider's form, or None when there is nothing to pay."""
        form = (await self.browser.open(order)).form("/pay/")
        if form is None:
            return None
        await self.pause()
        names = {name: f"{self.plan.name} {name[-1]}" for name in form.fields if name.startswith("holder-")}
        answer = await self.browser.send(form, **names, email=self.plan.email, terms="on")
        return (await self.browser.follow(answer)).form("/payment/")

    async def pay(self, counter: Form, outcome: str) -> None:
        """Let the play money do as told, and come back as the provider sends one back."""
        await self.pause()
        answer = await self.browser.send(counter, outcome=outcome)
        if not answer.leads_on:
            return
        back = await self.browser.get(answer.location)
        if outcome == "confirm":
            self.tally.seconds["pay"].append(answer.answered - answer.sent + back.answered - back.sent)
        await self.browser.follow(back)


def is_held(answer: Page) -> bool:
    """Whether this answer to a choice leads on to its order."""
    return answer.leads_on and "/orders/" in answer.location
