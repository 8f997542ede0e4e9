"""What a fan can do, whichever way in is taken: the pages (`pages.py`) or the API (`api.py`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self

from config.crowd.sale import Line, Sale

if TYPE_CHECKING:
    # Which knows the tally, which says by which way the crowd came.
    from config.crowd.wire import Reply

PASSWORD = "correct horse battery staple"  # noqa: S105 - of play accounts in a database that is removed

# Gives the link of the newest letter to an address.
ReadLetter = Callable[[str], Awaitable[str]]


class Via(StrEnum):
    """The ways in, in the words of the command."""

    PAGES = "pages"
    API = "api"


@dataclass(frozen=True)
class Sight:
    """What a fan sees of a line.

    `place` is that of who waits; who `has_turn` may choose tickets. Who `can_join` or is early `can_show_code`.
    """

    can_join: bool = False
    can_show_code: bool = False
    place: int | None = None
    has_turn: bool = False


@dataclass(frozen=True)
class Answer:
    """What became of something asked for: taken, or refused with a code.

    `sent` and `answered` are by the crowd's clock; `seconds` is how long the site took. `order` leads to what a hold
    has made.
    """

    is_taken: bool
    refusal: str = ""
    sent: float = 0
    answered: float = 0
    seconds: float = 0
    order: str = ""

    @classmethod
    def of(cls, reply: Reply, *, is_taken: bool, seconds: float = 0, order: str = "") -> Self:
        return cls(
            is_taken=is_taken,
            refusal=reply.refusal,
            sent=reply.first_sent or reply.sent,
            answered=reply.answered,
            seconds=seconds or reply.seconds,
            order=order,
        )


NOT_ASKED = Answer(is_taken=False)


class Door(Protocol):
    """One line, where one fan stands before it or in it. A fan acts upon what `look` has shown last."""

    line: Line

    async def look(self) -> Sight:
        """See where the fan stands."""

    async def read_board(self) -> Reply:
        """Read the public board, which is JSON."""

    async def fill_in(self) -> None:
        """Have at hand what the door asks for, the sum worked out; it goes with `get_ready` and `join`."""

    async def get_ready(self) -> Answer:
        """Show ahead of the opening what was filled in."""

    async def show_code(self, code: str) -> Answer:
        """Try a code."""

    async def join(self) -> Answer:
        """Join with what was filled in, if anything was."""

    async def show_up(self) -> None:
        """Say that the fan is there, whose turn it is."""

    async def hold(self, tier: str, number: int) -> Answer:
        """Choose tickets."""

    async def leave(self) -> Answer:
        """Give place or turn up; not asked where there is none."""


class Counter(Protocol):
    """Where an order is paid with play money."""

    async def pay(self, outcome: str) -> Answer:
        """Let the play money do as told."""


class Way(Protocol):
    """How one fan reaches the site."""

    async def sign_up(self, name: str, email: str, read_letter: ReadLetter) -> None:
        """Make an account, and verify address and identity."""

    async def look_at_event(self, sale: Sale) -> None:
        """See what is on sale."""

    async def read_stock(self, sale: Sale) -> dict[str, int]:
        """Return how many are left of each tier; nothing where that cannot be known."""

    def door(self, line: Line) -> Door:
        """Return the way to a line."""

    async def is_payable(self, order: str) -> bool:
        """Look at an order of the fan's, whether there is something to pay."""

    async def open_payment(self, order: str, *, name: str, email: str) -> Counter | None:
        """Say whose the tickets of a payable order are, and go to pay; None where that is refused."""

    async def go_to_provider(self, order: str, *, name: str, email: str) -> Counter | None:
        """As `open_payment`, but pay on the provider's own page, which the order's end does not close."""

    async def give_back(self, order: str) -> None:
        """Give what is held back, if it still is."""

    async def look_at_tickets(self) -> None:
        """See what the fan owns."""


class WayBlockedError(Exception):
    """Something is not there that should be, and the fan cannot go on."""
