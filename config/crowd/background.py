"""The demo's crowd: a few people at a time stand in line for the concert, look around, and mostly leave it to others.

Endless and bounded: as many wait as make a line, so many come a second at most, everybody comes again and again, and
only some ever buy. Whatever is away for a while, web server or database, they try again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, TypeVar

import httpx
from django.db import connection

from config.crowd.browser import open_browser
from config.crowd.pages import Pages
from config.crowd.people import Person, session_of
from config.crowd.plans import Kind, Plan
from config.crowd.sale import Sale
from config.crowd.shopping import Shopper
from config.crowd.standing import UNKNOWN, Standing
from config.crowd.tally import Tally
from config.crowd.way import Way

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

# So many wait, which takes a good minute at the demo's pace.
LINE = 36
NEWCOMERS_A_SECOND = 2
AT_ONCE = 8
AWAY_SECONDS = 5.0
BOARD_SECONDS = 1.5
# So many tickets of a tier are left to visitors.
LEFT_FOR_OTHERS = 50
SESSION_SECONDS = 12 * 3600
# How many out of a hundred do so with line or turn; the rest give back what they hold. Only some of the people buy.
LEAVE_THE_LINE, NEVER_SHOW_UP, LET_LAPSE, BUY = 15, 3, 3, 20


class Background:
    """Keeps a line of the people given before the general sale."""

    def __init__(self, people: Sequence[Person], sale: Sale, *, url: str) -> None:
        self._away = deque(people)
        self._coming: set[Person] = set()
        self._visits: set[asyncio.Task[None]] = set()
        self._sale = sale
        self._url = url
        self._rng = Random()  # noqa: S311 - a crowd is no secret
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._sessions: dict[Person, tuple[str, float]] = {}
        # One thread, hence one connection, for what asks the database.
        self._clerk = ThreadPoolExecutor(1)

    async def live(self) -> None:
        """Send newcomers for as long as there is a sale, and wait while there is none; never ends by itself."""
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE, keepalive_expiry=2)
        async with httpx.AsyncHTTPTransport(limits=limits) as transport:
            self._transport = transport
            self._board = SharedBoard(self._way("", tally := Tally()), tally, self._sale)
            while True:
                board = await self._board.read()
                for _ in range(newcomers(board, coming=len(self._coming), away=len(self._away))):
                    self._send(self._away.popleft())
                await asyncio.sleep(1 if board["phase"] == "open" else AWAY_SECONDS)

    def _send(self, person: Person) -> None:
        self._coming.add(person)
        visit = asyncio.create_task(self._visit(person))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)

    async def _visit(self, person: Person) -> None:
        try:
            way = self._way(await self._session(person), tally := Tally())
            visit = Visit(person, way, tally=tally, sale=self._sale, board=self._board, rng=self._rng)
            await visit.live(lambda: self._coming.discard(person))
        except Exception:
            # Whatever it is, it is one visit of nobody; the next may go better.
            logger.warning("%s could not go on", person.email, exc_info=True)
            await asyncio.sleep(AWAY_SECONDS)
        finally:
            self._coming.discard(person)
            self._away.append(person)

    def _way(self, session: str, tally: Tally) -> Way:
        return Pages(open_browser(self._transport, self._url, gate=self._gate, tally=tally, session=session))

    async def _session(self, person: Person) -> str:
        key, made_at = self._sessions.get(person, ("", 0.0))
        if not key or time.monotonic() - made_at > SESSION_SECONDS:
            key = await self._ask_clerk(session_of, person)
            self._sessions[person] = (key, time.monotonic())
        return key

    async def _ask_clerk(self, ask: Callable[[Person], Answer], person: Person) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._clerk, ask_anew, ask, person)


def ask_anew(ask: Callable[[Person], Answer], person: Person) -> Answer:
    """Ask the database, and let go of a connection that has broken, so that the next question gets a new one."""
    try:
        return ask(person)
    except Exception:
        connection.close()
        raise


def newcomers(board: dict[str, Any], *, coming: int, away: int) -> int:
    """Return how many people to send now, by the board and by those who are on their way into the line."""
    if board["phase"] != "open":
        return 0
    return max(0, min(NEWCOMERS_A_SECOND, LINE - board["waiting"] - coming, away))


class SharedBoard:
    """The board that everybody in the crowd looks at: asked for once in a while, however many look."""

    def __init__(self, way: Way, tally: Tally, sale: Sale) -> None:
        self._standing = Standing(way.door(sale.general), tally, email="", rng=Random())  # noqa: S311
        self._lock = asyncio.Lock()
        self._read_at = 0.0
        self._board = UNKNOWN

    async def read(self) -> dict[str, Any]:
        async with self._lock:
            if time.monotonic() - self._read_at > BOARD_SECONDS:
                self._board = await self._standing.read_own_board()
                self._read_at = time.monotonic()
                self._standing.tally.forget()
            return self._board


class Visit:
    """One visit of one person to the sale."""

    def __init__(self, person: Person, way: Way, *, tally: Tally, sale: Sale, board: SharedBoard, rng: Random) -> None:
        self.person = person
        self.way = way
        self.sale = sale
        self.rng = rng
        self.door = way.door(sale.general)
        self.standing = Standing(self.door, tally, email=person.email, rng=rng, read_board=board.read)
        wishes = rng.sample(person.wishes, len(person.wishes))
        self.plan = Plan(
            number=person.number,
            name=person.name,
            email=person.email,
            kind=Kind.BUYS,
            wishes=tuple(wishes),
            quantity=rng.choice([1, 2, 2, 3, 4]),
            queue=sale.general.name,
            is_ready=False,
            arrives_after=0,
            signs_up=False,
            seed="",
        )
        self.shopper = Shopper(self.plan, way, sale, tally, rng)

    async def live(self, has_joined: Callable[[], None]) -> None:
        """Look at the event, stand in line, use the turn; `has_joined` is called once the fan stands in line or not."""
        await self.way.look_at_event(self.sale)
        await self.standing.join()
        has_joined()
        leaves = self.rng.randrange(100) < LEAVE_THE_LINE
        sight = await self.standing.wait(looks=self.rng.randint(3, 20) if leaves else None)
        if sight.has_turn:
            await self.use_turn()
        elif leaves:
            await self.standing.leave()

    async def use_turn(self) -> None:
        mood = self.rng.randrange(100)
        if mood < NEVER_SHOW_UP:
            return
        await self.shopper.pause(1, 8)
        await self.door.look()
        await self.door.show_up()
        await self.shopper.pause(4, 20)
        order = await self.hold()
        await self.shopper.pause(4, 20)
        if order and mood < NEVER_SHOW_UP + LET_LAPSE:
            return
        if order and self.person.buys and mood >= 100 - BUY:
            await self.shopper.check_out(order)
        elif order:
            await self.way.give_back(order)
        await self.door.look()
        await self.standing.leave()

    async def hold(self) -> str:
        """Hold tickets of which there are many; returns the order, or nothing."""
        sight = await self.door.look()
        plenty = await self.shopper.picks(leaving=LEFT_FOR_OTHERS)
        if not sight.has_turn or not plenty:
            return ""
        return (await self.shopper.hold(self.door, *plenty[0])).order
