"""One fan in one line: from the door to the turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from config.crowd.sale import Line
from config.crowd.tally import Join, Tally
from config.crowd.way import Answer, Door, Sight

OVER = {"closed", "sold_out"}
# After a refusal because too much is going on, a fan tries again, some times.
TRIES = 5
WORTH_ANOTHER_TRY = {"queue_not_open", "busy"}
UNKNOWN = {"phase": "unknown"}


class Standing:
    """Stands in a line for a fan; `read_board` may be shared by fans who look over each other's shoulders."""

    def __init__(
        self,
        door: Door,
        tally: Tally,
        *,
        email: str,
        rng: Random,
        read_board: Callable[[], Awaitable[dict]] | None = None,
    ) -> None:
        self.door = door
        self.tally = tally
        self.email = email
        self.rng = rng
        self.read_board = read_board or self.read_own_board

    @property
    def line(self) -> Line:
        return self.door.line

    async def read_own_board(self) -> dict:
        reply = await self.door.read_board()
        if reply.status != 200:
            return UNKNOWN
        self.tally.seconds["board"].append(reply.seconds)
        return dict(reply.json)

    async def get_ready(self) -> bool:
        """Show ahead of the opening what the queue asks for; returns whether it was taken."""
        await self.door.fill_in()
        return (await self.door.get_ready()).is_taken

    async def join_too_soon(self) -> bool:
        """Join before the opening; returns whether it was refused for that."""
        return (await self.door.join()).refusal == "queue_not_open"

    async def join(self, *, tabs: int = 1) -> int:
        """Join the line from so many tabs at once; returns how many were told that the fan stands in it."""
        for _ in range(TRIES):
            sight = await self.door.look()
            if not sight.can_join:
                return 0
            await self.door.fill_in()
            answers = await asyncio.gather(*(self.door.join() for _ in range(tabs)))
            taken = [answer for answer in answers if answer.is_taken]
            for answer in taken:
                self.note_join(answer)
            if taken:
                return len(taken)
            if not {answer.refusal for answer in answers} & WORTH_ANOTHER_TRY:
                return 0
            await asyncio.sleep(self.rng.uniform(0.2, 0.8))
        return 0

    def note_join(self, answer: Answer) -> None:
        self.tally.joins.append(Join(self.email, self.line.slug, answer.sent, answer.answered))
        self.tally.seconds["join"].append(answer.seconds)

    async def join_again(self) -> None:
        """Join as another tab still offers to."""
        await self.door.join()

    async def wait(self, *, looks: int | None = None) -> Sight:
        """Follow the board until the turn comes or the sale is over, or for so many looks; returns what is seen."""
        sight = await self.door.look()
        looked = 0
        while (place := sight.place) is not None and looked != looks:
            board = await self.read_board()
            looked += 1
            if board["phase"] == "unknown":
                await asyncio.sleep(2)
            elif board["admitted_through"] >= place or board["phase"] in OVER:
                sight = await self.door.look()
            else:
                await asyncio.sleep(poll_pause(board, place, self.rng))
        return sight

    async def leave(self) -> bool:
        """Give up the place or turn that was seen last; returns whether that was taken."""
        return (await self.door.leave()).is_taken


def poll_pause(board: dict, place: int, rng: Random) -> float:
    """Return the seconds until the board is asked again, by its own advice: near the door often, far back rarely."""
    ahead = sum(mark[0] < place for mark in board["marks"])
    ahead = max((mark[1] for mark in board["marks"][:ahead]), default=0)
    share = min(1.0, ahead / board["waiting"]) if board["waiting"] else 0.0
    advised: float = board["near_seconds"] + share * (board["far_seconds"] - board["near_seconds"])
    return advised * rng.uniform(0.9, 1.1)
