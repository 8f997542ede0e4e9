"""One fan's turn: choosing, holding and paying; and what this one does otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from config.crowd.plans import Kind, Plan
from config.crowd.sale import Sale
from config.crowd.tally import Tally
from config.crowd.way import Answer, Counter, Door, Way
from config.crowd.wire import clock

GoToPay = Callable[..., Awaitable[Counter | None]]


class Shopper:
    """Shops for a fan whose turn it is."""

    def __init__(self, plan: Plan, way: Way, sale: Sale, tally: Tally, rng: Random) -> None:
        self.plan = plan
        self.way = way
        self.sale = sale
        self.tally = tally
        self.rng = rng

    def note(self) -> None:
        """Note that this fan's misbehaviour has really happened."""
        self.tally.happened[self.plan.kind] += 1

    async def pause(self, least: float = 0.2, most: float = 0.8) -> None:
        """Read and think."""
        await asyncio.sleep(self.rng.uniform(least, most))

    async def use_turn(self, door: Door) -> bool:
        """Show up, choose and check out; returns whether the fan is done, with or without tickets."""
        await door.show_up()
        orders = await self.choose(door)
        match self.plan.kind, orders:
            case _, []:
                return False
            case Kind.LETS_LAPSE, _:
                await self.let_lapse(orders[0])
            case _, _:
                await asyncio.gather(*(self.check_out(order) for order in orders))
        return True

    async def use_two_turns(self, doors: Sequence[Door]) -> bool:
        """Choose in two queues of the event at one instant; returns whether the fan is done."""
        picks = await self.picks()
        answers = await asyncio.gather(
            *(self.hold(door, *pick) for door, pick in zip(doors, [picks[0], picks[-1]] if picks else [], strict=False))
        )
        held = [answer.order for answer in answers if answer.is_taken]
        others = {answer.refusal for answer in answers if not answer.is_taken}
        # Both turns lasted: what is refused is refused for the limit and for nothing else.
        if len(answers) == 2 and held and others <= {"order_limit_reached", "ticket_limit_reached"}:
            self.note()
        await asyncio.gather(*(self.check_out(order) for order in held))
        return bool(held)

    async def choose(self, door: Door) -> list[str]:
        """Try to hold tickets, by taste and by what is left, while the turn lasts; returns the orders."""
        ends_at = clock() + self.sale.window_seconds
        has_turn = True
        while has_turn and clock() < ends_at:
            await self.pause()
            picks = await self.picks()
            if picks:
                answers = await asyncio.gather(*(self.hold(door, tier, number) for tier, number in picks))
                held = [answer.order for answer in answers if answer.is_taken]
                if len(picks) == 2 and held:
                    self.note()
                if held:
                    return held
                has_turn = (await door.look()).has_turn
            else:
                # Everything is held by others: some of it may come back.
                await self.pause(1.5, 2.5)
        return []

    async def picks(self, *, leaving: int = 0) -> list[tuple[str, int]]:
        """Return the tier to try and how many, of those with more than `leaving`; two for who tries in two tabs."""
        left = await self.way.read_stock(self.sale)
        some = [(tier, min(self.plan.quantity, left[tier])) for tier in self.plan.wishes if left.get(tier, 0) > leaving]
        if self.plan.kind == Kind.BUYS_TWICE and some:
            return [some[0], some[-1]]
        return some[:1]

    async def hold(self, door: Door, tier: str, number: int) -> Answer:
        answer = await door.hold(tier, number)
        self.tally.seconds["hold"].append(answer.seconds)
        return answer

    async def let_lapse(self, order: str) -> None:
        await self.way.is_payable(order)
        await asyncio.sleep(self.sale.lapse_seconds)
        if not await self.way.is_payable(order):
            self.note()

    async def check_out(self, order: str) -> None:
        go = self.way.go_to_provider if self.plan.kind == Kind.PAYS_LATE else self.way.open_payment
        counter = await self.go_to_the_counter(order, go)
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
                counter = await self.go_to_the_counter(order, go)
            case Kind.PAYS_LATE:
                await asyncio.sleep(self.sale.lapse_seconds)
                self.note()
        if counter is not None:
            tabs = 2 if self.plan.kind == Kind.BUYS_TWICE else 1
            await asyncio.gather(*(self.pay(counter, "confirm") for _ in range(tabs)))
            await self.way.look_at_tickets()

    async def go_to_the_counter(self, order: str, go: GoToPay) -> Counter | None:
        """Fill in names and contact; returns where to pay, or None when there is nothing to pay."""
        if not await self.way.is_payable(order):
            return None
        await self.pause()
        return await go(order, name=self.plan.name, email=self.plan.email)

    async def pay(self, counter: Counter, outcome: str) -> None:
        await self.pause()
        answer = await counter.pay(outcome)
        if outcome == "confirm" and answer.is_taken:
            self.tally.seconds["pay"].append(answer.seconds)
