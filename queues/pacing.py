"""How many fans to let in now, how fast the line moves, how often to ask. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(seconds=60)
MICROSECOND = timedelta(microseconds=1)

# A tick that comes late may catch up with so much of what it missed, no more: that would be a burst.
CATCH_UP = timedelta(seconds=1)

# Whoever is nearest to the door asks this often.
NEAR_SECONDS = 2.0


@dataclass(frozen=True)
class Traffic:
    """What the admission of fans to one queue depends on.

    Args:
        active: fans who are admitted.
        shoppers: those among them who hold no tickets yet.
        available: tickets that this queue may still give to somebody.
        recent: (instant, number admitted then), for at least the last 60 s, oldest first.
    """

    active: int
    shoppers: int
    available: int
    recent: Sequence[tuple[datetime, int]]


def admissions_due(traffic: Traffic, *, now: datetime, rate_per_minute: int, max_concurrent: int) -> int:
    """Return how many fans to admit at `now`.

    Never more than `max_concurrent` are active, never more than `rate_per_minute` are admitted in any 60 s, spread
    evenly over them, and never are there more shoppers without a hold than tickets available.
    """
    lately = sum(number for at, number in traffic.recent if at > now - MINUTE)
    due = min(
        max_concurrent - traffic.active,
        traffic.available - traffic.shoppers,
        rate_per_minute - lately,
        _evenly_due(traffic.recent, now, rate_per_minute),
    )
    return max(0, due)


def held_up_by(traffic: Traffic, *, max_concurrent: int) -> str:
    """Say what keeps the door shut for now: "stock", "room", or nothing ("") where it is only the rate that is set."""
    if traffic.available <= traffic.shoppers:
        return "stock"
    return "room" if traffic.active >= max_concurrent else ""


def _evenly_due(recent: Sequence[tuple[datetime, int]], now: datetime, rate_per_minute: int) -> int:
    """Count the admissions due when each follows the one before after 60 s / rate.

    The time of the next admission is worked out from those that were, so nothing is remembered between ticks.
    Instants are counted in microseconds times the rate, in which a minute is the distance of two admissions: whole
    numbers, no rounding.
    """
    epoch = now - 2 * MINUTE
    distance = MINUTE // MICROSECOND

    def scaled(instant: datetime) -> int:
        return (instant - epoch) // MICROSECOND * rate_per_minute

    following = scaled(epoch)
    for at, number in recent:
        following = max(following, scaled(at - CATCH_UP)) + number * distance
    following = max(following, scaled(now - CATCH_UP))
    if scaled(now) < following:
        return 0
    return (scaled(now) - following) // distance + 1


@dataclass(frozen=True)
class RateRange:
    """Admissions a minute, at least and at most, as far as one can tell."""

    low: float
    high: float


def rate_range(
    recent: Sequence[tuple[datetime, int]],
    *,
    now: datetime,
    rate_per_minute: int,
    max_concurrent: int,
    window_seconds: int,
) -> RateRange:
    """Estimate how fast the line will move.

    Without experience: from every fan using the whole window to the rate that is set. With some: three quarters to one
    and a half times of what the last minute saw, within the same bounds.
    """
    slowest = min(float(rate_per_minute), max_concurrent * 60 / window_seconds)
    seen = [(at, number) for at, number in recent if at > now - MINUTE]
    if not seen:
        return RateRange(low=round(slowest, 2), high=float(rate_per_minute))
    seconds = max(10.0, (now - seen[0][0]).total_seconds())
    observed = sum(number for _, number in seen) * 60 / seconds
    low = min(max(slowest, observed * 0.75), rate_per_minute)
    high = max(low, min(observed * 1.5, rate_per_minute))
    return RateRange(low=round(low, 2), high=round(high, 2))


@dataclass(frozen=True)
class PollAdvice:
    """Seconds between two questions of the first in line (`near`) and of the last (`far`); in between linear."""

    near: float
    far: float


def poll_advice(waiting: int, *, polls_per_second: int) -> PollAdvice:
    """Advise how often to ask for the board, so that all askers stay under `polls_per_second` together.

    With pauses growing from near to far along the line, the first asks 1 / near times a second and those behind
    at most (waiting - 1) * ln(far / near) / (far - near) times.
    """

    def asked(far: float) -> float:
        return 1 / NEAR_SECONDS + (waiting - 1) * math.log(far / NEAR_SECONDS) / (far - NEAR_SECONDS)

    if waiting / NEAR_SECONDS <= polls_per_second:
        return PollAdvice(near=NEAR_SECONDS, far=NEAR_SECONDS)
    too_often, enough = NEAR_SECONDS, 2 * NEAR_SECONDS
    while asked(enough) > polls_per_second:
        too_often, enough = enough, enough * 2
    while enough - too_often > 0.1:
        middle = (too_often + enough) / 2
        if asked(middle) > polls_per_second:
            too_often = middle
        else:
            enough = middle
    return PollAdvice(near=NEAR_SECONDS, far=round(enough + 0.05, 1))
