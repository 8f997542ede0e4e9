"""One fan's way: get ready, join, wait, choose, pay; and what this one does otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from config.crowd.browser import Browser, Form, Page, clock
from config.crowd.document import photo_of_document
from config.crowd.plans import Kind, Plan
from config.crowd.tally import Join, Tally
from queues import captcha

OVER = {"closed", "sold_out"}
# After a refusal because too much is going on, a fan tries again, some times.
TRIES = 5
PASSWORD = "correct horse battery staple"  # noqa: S105 - of play accounts in a database that is removed


@dataclass(frozen=True)
class Sale:
    """What the crowd knows of the sale beforehand: its addresses, and how long a fan has for what."""

    event_slug: str
    queue_slug: str
    window_seconds: int
    claim_seconds: int
    grace_seconds: int

    @property
    def event_page(self) -> str:
        return f"/events/{self.event_slug}/"

    @property
    def queue_page(self) -> str:
        return f"/queues/{self.queue_slug}/"

    @property
    def board(self) -> str:
        return f"/api/v1/queues/{self.queue_slug}/board/"

    @property
    def availability(self) -> str:
        return f"/api/v1/events/{self.event_slug}/availability/"

    @property
    def lapse_seconds(self) -> float:
        """After so long a hold has surely lapsed and been given back."""
        return max(self.window_seconds, self.grace_seconds) + 3


ReadLetter = Callable[[str], Awaitable[str]]


class Fan:
    """Lives through one sale as planned; `read_letter` gives the link of the newest letter to an address."""

    def __init__(self, plan: Plan, browser: Browser, sale: Sale, tally: Tally, read_letter: ReadLetter) -> None:
        self.plan = plan
        self.browser = browser
        self.sale = sale
        self.tally = tally
        self.read_letter = read_letter
        self.join_form: Form | None = None
        self.rng = Random(plan.seed)  # noqa: S311 - a crowd is no secret

    async def live(self) -> None:
        """Do everything from the first look at the event to the tickets, or until the sale is over."""
        if self.plan.signs_up:
            await self.sign_up()
        opens_at = await self.get_ready()
        await asyncio.sleep(max(0.0, opens_at + self.plan.arrives_after - clock()))
        while await self.join():
            page = await self.stand_in_line()
            if page is not None and await self.use_turn(page):
                return
            if self.plan.kind in {Kind.LEAVES, Kind.STAYS_AWAY}:
                return
            # Who got nothing, or missed the turn, stands in line again for as long as there is one.
            await self.pause()

    async def pause(self, least: float = 0.2, most: float = 0.8) -> None:
        """Read and think."""
        await asyncio.sleep(self.rng.uniform(least, most))

    def note(self, kind: Kind) -> None:
        """Note that this fan's misbehaviour has really happened."""
        self.tally.happened[kind] += 1

    async def sign_up(self) -> None:
        page = await self.browser.open("/account/signup/")
        form = expect(page, "/account/signup/")
        given = {"name": self.plan.name, "email": self.plan.email, "password1": PASSWORD}
        await self.browser.follow(await self.browser.send(form, **given))
        link = await self.read_letter(self.plan.email)
        page = await self.browser.open(link)
        await self.browser.follow(await self.browser.send(expect(page, "/confirm-email/")))
        await self.verify_identity()

    async def verify_identity(self) -> None:
        form = expect(await self.browser.open("/account/identity/"), "/account/identity/")
        answer = await self.browser.send_with_photo(form, photo_of_document(), legal_name=self.plan.name)
        await self.browser.follow(answer)

    async def get_ready(self) -> float:
        """Look at the event and the queue's page; returns when the sale opens."""
        await asyncio.sleep(self.rng.uniform(0, 2))
        await self.browser.open(self.sale.event_page)
        page = await self.browser.open(self.sale.queue_page)
        if self.plan.kind == Kind.JOINS_TOO_SOON:
            await self.join_too_soon(page)
        board = await self.read_board()
        return datetime.fromisoformat(board["opens_at"]).timestamp()

    async def join_too_soon(self, page: Page) -> None:
        """Send the form that the page will have, with the token that every form of the page has."""
        token = next((form.fields["csrfmiddlewaretoken"] for form in page.forms if form.fields), "")
        early = Form(f"{self.sale.queue_page}join/", {"csrfmiddlewaretoken": token})
        answer = await self.browser.send(early)
        if answer.refusal == "queue_not_open":
            self.note(Kind.JOINS_TOO_SOON)

    async def read_board(self) -> dict:
        page = await self.browser.get(self.sale.board)
        if page.status != 200:
            return {"phase": "unknown"}
        self.tally.seconds["board"].append(page.answered - page.sent)
        return dict(json.loads(page.text))

    async def join(self) -> bool:
        """Join the line; returns whether the fan stands in it."""
        for _ in range(TRIES):
            page = await self.browser.open(self.sale.queue_page)
            form = page.form("/join/")
            if form is None:
                return False
            form = await self.solve_captcha(page, form)
            self.join_form = form
            tabs = 2 if self.plan.kind == Kind.JOINS_TWICE else 1
            answers = await asyncio.gather(*(self.browser.send(form) for _ in range(tabs)))
            taken = [answer for answer in answers if answer.leads_on]
            for answer in taken:
                self.tally.joins.append(Join(self.plan.email, answer.sent, answer.answered))
                self.tally.seconds["join"].append(answer.answered - answer.sent)
            if len(taken) == 2:
                self.note(Kind.JOINS_TWICE)
            if taken:
                return True
            if not {answer.refusal for answer in answers} & {"queue_not_open", "busy"}:
                return False
            await self.pause()
        return False

    async def solve_captcha(self, page: Page, form: Form) -> Form:
        """Return the form with the sum worked out, where the page asks for one; of what a browser does by itself."""
        if page.challenge is None:
            return form
        answer = await self.browser.get(page.challenge)
        return Form(form.action, {**form.fields, "captcha": captcha.solve(json.loads(answer.text))})

    async def join_again(self) -> None:
        """Send the join form that another tab still shows."""
        if self.join_form is not None:
            await self.browser.send(self.join_form)

    async def stand_in_line(self) -> Page | None:
        """Follow the board until the turn comes; returns the page to choose tickets on, or None."""
        page = await self.browser.open(self.sale.queue_page)
        polls = 0
        while (place := page.place) is not None:
            board = await self.read_board()
            polls += 1
            if board["phase"] == "unknown":
                await asyncio.sleep(2)
            elif board["admitted_through"] >= place or board["phase"] in OVER:
                if self.plan.kind == Kind.STAYS_AWAY and board["phase"] not in OVER:
                    await self.stay_away()
                    return None
                page = await self.browser.open(self.sale.queue_page)
            elif self.plan.kind == Kind.LEAVES and polls >= 2:
                await self.leave(page)
                return None
            else:
                await asyncio.sleep(poll_pause(board, place, self.rng))
        return page if page.form("/hold/") else None

    async def leave(self, page: Page) -> None:
        form = page.form("/leave/")
        if form is not None and (await self.browser.send(form)).leads_on:
            self.note(Kind.LEAVES)

    async def stay_away(self) -> None:
        """Do not come although it is one's turn; look again when it is over."""
        await asyncio.sleep((self.sale.claim_seconds or self.sale.window_seconds) + 3)
        page = await self.browser.open(self.sale.queue_page)
        if page.form("/hold/") is None:
            self.note(Kind.STAYS_AWAY)

    async def use_turn(self, page: Page) -> bool:
        """Show up, choose and check out; returns whether the fan is done, with or without tickets."""
        claim = page.form("/claim/")
        if claim is not None:
            await self.browser.send(claim)
        orders = await self.choose(page)
        match self.plan.kind, orders:
            case _, []:
                return False
            case Kind.LETS_LAPSE, _:
                await self.let_lapse(orders[0])
            case Kind.BUYS_TWICE, _:
                await asyncio.gather(*(self.check_out(order) for order in orders))
                await self.join_again()
            case _, _:
                await self.check_out(orders[0])
        return True

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
                held = [answer.location for answer in answers if answer.leads_on and "/orders/" in answer.location]
                if len(picks) == 2 and held:
                    self.note(Kind.BUYS_TWICE)
                if held:
                    return held
                page = await self.browser.open(self.sale.queue_page)
            else:
                # Everything is held by others: some of it may come back.
                await self.pause(1.5, 2.5)
        return []

    async def picks(self) -> list[tuple[str, int]]:
        """Return the tier to try and how many; two of them for who tries in two tabs."""
        page = await self.browser.get(self.sale.availability)
        stock = json.loads(page.text)["tiers"] if page.status == 200 else []
        left = {tier["tier"]: tier["available"] for tier in stock}
        some = [(tier, min(self.plan.quantity, left[tier])) for tier in self.plan.wishes if left.get(tier, 0) > 0]
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
            self.note(Kind.LETS_LAPSE)

    async def check_out(self, order: str) -> None:
        counter = await self.go_to_the_counter(order)
        if counter is None:
            return
        match self.plan.kind:
            case Kind.WALKS_AWAY:
                await self.pay(counter, "abandon")
                self.note(Kind.WALKS_AWAY)
                return
            case Kind.IS_DECLINED:
                await self.pay(counter, "decline")
                self.note(Kind.IS_DECLINED)
                counter = await self.go_to_the_counter(order)
            case Kind.PAYS_LATE:
                await asyncio.sleep(self.sale.lapse_seconds)
                self.note(Kind.PAYS_LATE)
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


class PageUnexpectedError(Exception):
    """A page lacks the form that it should have here."""


def expect(page: Page, part: str) -> Form:
    """Return a form of the page; raises PageUnexpectedError when there is none that goes there."""
    form = page.form(part)
    if form is None:
        raise PageUnexpectedError(f'{page.url} ({page.status}, "{page.heading}") has no form to {part}')
    return form


def poll_pause(board: dict, place: int, rng: Random) -> float:
    """Return the seconds until the board is asked again, by its own advice: near the door often, far back rarely."""
    ahead = sum(mark[0] < place for mark in board["marks"])
    ahead = max((mark[1] for mark in board["marks"][:ahead]), default=0)
    share = min(1.0, ahead / board["waiting"]) if board["waiting"] else 0.0
    advised: float = board["near_seconds"] + share * (board["far_seconds"] - board["near_seconds"])
    return advised * rng.uniform(0.9, 1.1)
