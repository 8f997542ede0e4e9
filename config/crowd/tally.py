"""What the crowd met, by its own clocks."""

from __future__ import annotations

import bisect
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from config.crowd.plans import GENERAL, PRESALE, Kind
from config.crowd.way import Via

READY, LATE = "ready", "late"
# How fans came; somebody in every way.
WAYS = (READY, LATE, PRESALE, GENERAL)


@dataclass(frozen=True)
class Join:
    """One answered attempt to join that was not refused; seconds since the epoch, by the crowd's clock."""

    email: str
    queue: str
    sent: float
    answered: float


@dataclass
class Tally:
    """Everything the crowd notes down: what was refused (by code), how long answers took, what went wrong.

    `via` is how it came. `unchanged` counts the answers that said so (304), `repeated` those that a fan had lost and
    was given again, `differing` those of them that were not the same.
    """

    via: Via = Via.PAGES
    joins: list[Join] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    happened: Counter[Kind] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    unchanged: int = 0
    repeated: int = 0
    differing: int = 0

    def forget(self) -> None:
        """Forget how long answers took and what went wrong; for a crowd without an end."""
        self.seconds.clear()
        self.errors.clear()

    def p95_ms(self, what: str) -> float | None:
        return p95_ms(self.seconds[what])


def p95_ms(seconds: Sequence[float]) -> float | None:
    """Return the 95th percentile in milliseconds: the nearest rank, None of nothing."""
    if not seconds:
        return None
    return round(sorted(seconds)[math.ceil(len(seconds) * 0.95) - 1] * 1000, 1)


@dataclass(frozen=True)
class Passage:
    """One admission as both sides know it.

    `sent` and `answered` are the client's clock when its first join left and when the first answer was there. From the
    database: `admitted_at`, and `gone_at`, when the fan stood in line no more without having been admitted.
    """

    sent: float
    answered: float
    admitted_at: datetime | None = None
    gone_at: datetime | None = None


def count_inversions(passages: Sequence[Passage]) -> int:
    """Count pairs of one queue's passages in which one fan had the answer before another asked, who was yet earlier.

    Earlier is admitted in an earlier tick, or admitted while the first still stood there or until that one left.
    """
    earlier = sorted(passages, key=lambda passage: passage.answered)
    forever = datetime.max.replace(tzinfo=next((p.admitted_at.tzinfo for p in passages if p.admitted_at), None))
    stood_until: list[datetime] = []
    inversions = taken = 0
    for later in sorted(passages, key=lambda passage: passage.sent):
        while taken < len(earlier) and earlier[taken].answered < later.sent:
            bisect.insort(stood_until, earlier[taken].admitted_at or earlier[taken].gone_at or forever)
            taken += 1
        if later.admitted_at is not None:
            inversions += len(stood_until) - bisect.bisect_right(stood_until, later.admitted_at)
    return inversions


@dataclass(frozen=True)
class Row:
    """One admission as the database knows it."""

    email: str
    queue: str
    joined_at: datetime
    admitted_at: datetime | None
    gone_at: datetime | None


def match_joins(joins: Sequence[Join], rows: Sequence[Row]) -> dict[str, list[Passage]]:
    """Put the clients' notes beside the rows that they made, by queue; a row without an answered join is left out."""
    by_fan: defaultdict[tuple[str, str], list[Join]] = defaultdict(list)
    for join in joins:
        by_fan[join.queue, join.email].append(join)
    passages: defaultdict[str, list[Passage]] = defaultdict(list)
    for row in rows:
        made_at = row.joined_at.timestamp()
        own = by_fan[row.queue, row.email]
        makers = [join for join in own if join.sent <= made_at <= join.answered]
        if makers:
            sent = min(join.sent for join in makers)
            # An answer to whichever tab says that the fan stands in line.
            answered = min(join.answered for join in own if join.answered >= made_at)
            passages[row.queue].append(Passage(sent, answered, row.admitted_at, row.gone_at))
    return dict(passages)
