"""One fan's way: get ready, join, wait, choose, pay; and what this one does otherwise."""

from __future__ import annotations

import asyncio
from random import Random

from config.crowd.plans import PRESALE, Kind, Plan
from config.crowd.sale import Line, Sale
from config.crowd.shopping import Shopper
from config.crowd.standing import Standing
from config.crowd.tally import LATE, READY, Tally
from config.crowd.way import ReadLetter, Sight, Way
from config.crowd.wire import clock

# One more than an account may guess wrong in ten minutes.
GUESSES = 11
PREPARES_WITHIN = 3.0


class Fan:
    """Lives through one sale as planned, in whatever way the site is reached."""

    def __init__(self, plan: Plan, way: Way, sale: Sale, tally: Tally, read_letter: ReadLetter) -> None:
        self.plan = plan
        self.way = way
        self.sale = sale
        self.tally = tally
        self.read_letter = read_letter
        self.rng = Random(plan.seed)  # noqa: S311 - a crowd is no secret
        self.shopper = Shopper(plan, way, sale, tally, self.rng)
        self.has_got_ready = self.has_guessed = self.has_come = self.has_expired = False

    async def live(self, sale: Sale) -> None:
        """Do everything from the opening until the fan has tickets or the sale is over; `sale` says when it opens."""
        self.sale = self.shopper.sale = sale
        if self.plan.kind == Kind.BUYS_IN_TWO_QUEUES and await self.buy_in_two_queues():
            return
        lines = self.lines()
        await asyncio.sleep(max(0.0, lines[0].opens_at + self.plan.arrives_after - clock()))
        if self.plan.kind == Kind.GUESSES and not self.has_guessed:
            await self.guess()
        for line in lines:
            if await self.buy_in(line):
                return

    async def prepare(self) -> None:
        """Do what is done before the opening; a fan who comes late does nothing yet."""
        await self.shopper.pause(0, PREPARES_WITHIN)
        if self.plan.signs_up:
            await self.way.sign_up(self.plan.name, self.plan.email, self.read_letter)
        if self.plan.is_ready:
            await self.get_ready()

    def lines(self) -> list[Line]:
        """Return the lines to try: whom the presale does not let in goes on to the general sale."""
        return [*self.sale.lines] if self.plan.queue == PRESALE else [self.sale.general]

    def standing_in(self, line: Line) -> Standing:
        return Standing(self.way.door(line), self.tally, email=self.plan.email, rng=self.rng)

    def note(self) -> None:
        """Note that this fan's misbehaviour has really happened."""
        self.tally.happened[self.plan.kind] += 1

    async def get_ready(self) -> None:
        """Look at the event, and show ahead of the opening what each queue asks for."""
        await self.way.look_at_event(self.sale)
        if self.plan.kind == Kind.GUESSES:
            await self.guess()
        lines = self.sale.lines if self.plan.kind == Kind.BUYS_IN_TWO_QUEUES else self.lines()[:1]
        for line in lines:
            standing = self.standing_in(line)
            await standing.door.look()
            if self.plan.kind == Kind.JOINS_TOO_SOON and await standing.join_too_soon():
                self.note()
            self.has_got_ready = await standing.get_ready()

    async def guess(self) -> None:
        """Try codes at the presale's door until it listens no more."""
        self.has_guessed = True
        door = self.way.door(self.sale.presale)
        if not (await door.look()).can_show_code:
            # The sale is over already.
            return
        for _ in range(GUESSES):
            answer = await door.show_code(f"FALL{self.rng.randrange(10_000)}")
            if answer.refusal == "throttled":
                self.note()
                return

    async def buy_in(self, line: Line) -> bool:
        """Stand in a line and use the turn, again and again; returns whether the fan is done with the sale."""
        standing = self.standing_in(line)
        while await self.join(standing):
            if await self.stand_in(standing) and await self.shopper.use_turn(standing.door):
                if self.plan.kind == Kind.BUYS_TWICE:
                    await standing.join_again()
                return True
            if self.plan.kind in {Kind.LEAVES, Kind.STAYS_AWAY}:
                return True
            # Who got nothing, or missed the turn, stands in line again for as long as there is one.
            await self.shopper.pause()
        return False

    async def join(self, standing: Standing) -> bool:
        told = await standing.join(tabs=2 if self.plan.kind == Kind.JOINS_TWICE else 1)
        if told == 2:
            self.note()
        if told and not self.has_come:
            self.has_come = True
            self.tally.came[standing.line.name] += 1
            self.tally.came[READY] += self.has_got_ready
            self.tally.came[LATE] += not self.plan.is_ready
        if told and self.has_expired:
            self.note()
        return told > 0

    async def stand_in(self, standing: Standing) -> bool:
        """Wait for the turn, and miss it where that is the plan; returns whether tickets can be chosen."""
        sight = await standing.wait(looks=2 if self.plan.kind == Kind.LEAVES else None)
        match self.plan.kind:
            case Kind.LEAVES if await standing.leave():
                self.note()
                return False
            case Kind.STAYS_AWAY if await self.stay_away(standing, sight):
                self.note()
                return False
            case Kind.RETURNS if not self.has_expired:
                self.has_expired = await self.stay_away(standing, sight)
                return False
        return sight.has_turn

    async def stay_away(self, standing: Standing, sight: Sight) -> bool:
        """Do not show up although it is one's turn; returns whether it was lost for that."""
        if not sight.has_turn:
            return False
        await asyncio.sleep(self.sale.absence_seconds)
        return not (await standing.door.look()).has_turn

    async def buy_in_two_queues(self) -> bool:
        """Stand in both lines until both turns last at once, and use them then; returns whether the fan is done."""
        both = [self.standing_in(line) for line in self.sale.lines]
        for standing in both:
            await asyncio.sleep(max(0.0, standing.line.opens_at - clock()))
            if not await self.join(standing):
                return False
        while True:
            await asyncio.gather(*(self.wait_inside(standing) for standing in both))
            sights = await asyncio.gather(*(standing.door.look() for standing in both))
            missed = [standing for standing, sight in zip(both, sights, strict=True) if not sight.has_turn]
            if not missed and await self.shopper.use_two_turns([standing.door for standing in both]):
                return True
            if not all([await self.join(standing) for standing in missed]):
                return False

    async def wait_inside(self, standing: Standing) -> None:
        await standing.wait()
        await standing.door.show_up()
