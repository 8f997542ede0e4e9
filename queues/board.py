"""The board: the public snapshot of a queue that every waiting browser reads.

It is the same for everyone and lies in Redis as ready JSON. A browser works out its own position from `marks` and its
own place; nobody's position is counted for him alone.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

import redis
from django_redis import get_redis_connection

logger = logging.getLogger(__name__)

# A board nobody renews any more is better missing than wrong: whoever asks next remakes it.
KEPT_SECONDS = 10

# A missing board is made by one reader; the others wait so long for it before they make their own.
MAKING_MS, AWAIT_MS = 1000, 50

# Positions are exact for so many at the front, and for so many points over the rest of the line.
EXACT_MARKS = 100
FURTHER_MARKS = 100

# As `as_json` writes it; no text inside can hold it, because there a quotation mark has a backslash before it.
AS_OF = b'"as_of":"'

Mark = tuple[int, int]


@dataclass(frozen=True)
class Board:
    """What everyone may know of a queue.

    `waiting` and `admitted` are numbers of people; every place up to `admitted_through` has been admitted or is gone;
    `places_given` is the last place given to anybody, in any queue, when the board was made;
    `marks` are pairs (place, people ahead of it), ascending; `rate` is admissions a minute, `{low, high}`;
    `held_up_by` says why nobody is let in at the moment: "stock" (those inside may take all that is left), "room" (as
    many are inside as may be), or "" where the line moves at its rate;
    `near_seconds` and `far_seconds` say how often the first and the last in line should ask again. Times are
    ISO 8601 in UTC.
    """

    as_of: str
    phase: str
    opens_at: str
    closes_at: str | None
    waiting: int
    admitted: int
    admitted_through: int
    places_given: int
    marks: list[Mark]
    rate: dict[str, float]
    held_up_by: str
    tiers: list[dict[str, str]]
    message: str
    near_seconds: float
    far_seconds: float

    def as_json(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Read what `as_json` wrote; raises TypeError for the board of a release that wrote it otherwise."""
        return cls(**json.loads(raw))

    def people_ahead(self, place: int) -> int:
        """Work out how many stand before `place`, as a browser does (static/js/place.js).

        Between two marks the line is taken as even. Behind the last mark is who has joined since the board was made:
        before them stand all whom it knows, and at most those whose places were given since. The next board can only
        better that; a position never gets worse.
        """
        return people_ahead(self.marks, place, waiting=self.waiting, places_given=self.places_given)


def people_ahead(marks: Sequence[Sequence[int]], place: int, *, waiting: int, places_given: int) -> int:
    before: Sequence[int] | None = None
    for mark in marks:
        if mark[0] >= place:
            return _between(before, mark, place)
        before = mark
    return waiting + max(0, place - places_given - 1)


def _between(before: Sequence[int] | None, after: Sequence[int], place: int) -> int:
    if before is None or place == after[0]:
        return after[1] if place == after[0] else 0
    share = (place - before[0]) / (after[0] - before[0])
    # Halves upwards, as browsers round.
    return math.floor(before[1] + share * (after[1] - before[1]) + 0.5)


def etag_of(raw: bytes) -> str:
    """Name a board as JSON for `If-None-Match`: by the instant at which it was made, which costs nothing to find."""
    made_at, _, _ = raw.partition(AS_OF)[2].partition(b'"')
    return f'"{made_at.decode()}"'


def key(slug: str) -> str:
    return f"board:{slug}"


def keep(slug: str, board: Board) -> None:
    """Put a board where everyone reads it. Without Redis each reader makes his own."""
    try:
        get_redis_connection("default").set(key(slug), board.as_json(), ex=KEPT_SECONDS)
    except redis.RedisError as error:
        logger.warning("Board of %s not kept in Redis: %s", slug, error)


def claim_making(slug: str) -> bool:
    """Return whether the caller is the one to make a missing board; everyone is where Redis is away."""
    try:
        return bool(get_redis_connection("default").set(f"{key(slug)}:making", "1", nx=True, px=MAKING_MS))
    except redis.RedisError:
        return True


def await_json(slug: str) -> bytes | None:
    """Return the board that somebody else is making just now, or None if it does not come."""
    for _ in range(MAKING_MS // AWAIT_MS):
        time.sleep(AWAIT_MS / 1000)
        kept = read_json(slug)
        if kept is not None:
            return kept
    return None


def read_json(slug: str) -> bytes | None:
    """Return the kept board as JSON, or None if there is none or Redis is away."""
    try:
        return get_redis_connection("default").get(key(slug))
    except redis.RedisError as error:
        logger.warning("Board of %s not read from Redis: %s", slug, error)
        return None
