"""The journey: one fan's own view of a queue, worked out from the admission and the board."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from queues import admittance
from queues.board import Board
from queues.models import Admission, EndReason, Phase, Queue


class Stage(models.TextChoices):
    """Where a fan stands, in the words of the API."""

    NOT_STARTED = "not_started", _("Not in line")
    WAITING = "waiting", _("In line")
    ADMITTED = "admitted", _("Your turn")
    COMPLETED = "completed", _("Tickets bought")
    EXPIRED = "expired", _("Time is over")


STAGES = {
    Admission.Status.WAITING: Stage.WAITING,
    Admission.Status.ADMITTED: Stage.ADMITTED,
    Admission.Status.COMPLETED: Stage.COMPLETED,
    Admission.Status.EXPIRED: Stage.EXPIRED,
    Admission.Status.LEFT: Stage.NOT_STARTED,
    Admission.Status.DENIED: Stage.NOT_STARTED,
}

# Nobody waits any more.
OVER = {Phase.SOLD_OUT, Phase.CLOSED}


@dataclass(frozen=True)
class WaitRange:
    """Seconds until the turn comes, at least and at most; None where it cannot be known."""

    low: int
    high: int | None


@dataclass(frozen=True)
class Journey:
    """What a fan is told of the own way.

    `position` is 1 for the next to be let in; `place` orders the line and does not change. Positions, waits and the
    queue's size are the board's, hence at most some seconds old. `reason` says why an admission was denied, or why a
    turn was over before its time.
    """

    stage: Stage
    phase: Phase
    place: int | None
    position: int | None
    people_ahead: int | None
    estimated_wait: WaitRange | None
    queue_size: int
    starts_at: datetime
    admittance_token: str | None
    admittance_expires_at: datetime | None
    order_code: str
    reason: str


def journey_of(queue: Queue, admission: Admission | None, board: Board, *, now: datetime) -> Journey:
    stage = _stage_of(admission, now) if admission else Stage.NOT_STARTED
    waiting = admission if admission and stage == Stage.WAITING else None
    admitted = admission if admission and stage == Stage.ADMITTED else None
    ahead = board.people_ahead(waiting.place) if waiting else None
    return Journey(
        stage=stage,
        phase=queue.phase(now),
        place=waiting.place if waiting else None,
        position=None if ahead is None else ahead + 1,
        people_ahead=ahead,
        estimated_wait=None if ahead is None else estimate_wait(ahead, board),
        # A fan whom the board does not know yet stands in the line all the same.
        queue_size=board.waiting if ahead is None else max(board.waiting, ahead + 1),
        starts_at=queue.scheduled_start,
        admittance_token=admittance.token_for(admitted) if admitted else None,
        admittance_expires_at=admitted.window_ends_at if admitted else None,
        order_code=admission.order_code if admission else "",
        reason=_reason_of(admission, now) if admission else "",
    )


def journey_told_at_once(queue: Queue, admission: Admission | None, board: Board, *, now: datetime) -> Journey:
    """Return the journey as it is once the sweep has freed who waits: it may still be on its way when a sale ends.

    `reason` also tells of a sale that has nothing for this fan any more, whether one had joined or not.
    """
    own = journey_of(queue, admission, board, now=now)
    if own.stage == Stage.WAITING and own.phase in OVER:
        own = journey_of(queue, None, board, now=now)
    return replace(own, reason=own.reason or _end_of_sale(queue, own))


def _end_of_sale(queue: Queue, own: Journey) -> str:
    """Say why there is nothing here for a fan of this stage; empty where there is something."""
    match own.stage:
        case Stage.NOT_STARTED if own.phase in OVER:
            return queue.end_reason
        case Stage.ADMITTED if queue.event.is_cancelled:
            return EndReason.EVENT_CANCELLED
        case Stage.ADMITTED if own.phase == Phase.SOLD_OUT and not own.order_code:
            return EndReason.SOLD_OUT
    return ""


def _stage_of(admission: Admission, now: datetime) -> Stage:
    if admission.is_admitted and not admission.has_hold and not admission.is_within_window(now):
        # The deadline decides; the sweep that writes it down may still be on its way.
        return Stage.EXPIRED
    return STAGES[Admission.Status(admission.status)]


def _reason_of(admission: Admission, now: datetime) -> str:
    return EndReason.ABSENT if admission.is_admitted and admission.is_absent(now) else admission.reason


def estimate_wait(people_ahead: int, board: Board) -> WaitRange:
    """Return how long it takes until all who stand ahead are in, by the board's rate."""
    low, high = board.rate["low"], board.rate["high"]
    return WaitRange(
        low=_whole(people_ahead / high * 60) if high else 0,
        high=_whole(people_ahead / low * 60) if low else None,
    )


def _whole(seconds: float) -> int:
    # Halves upwards, as the browser rounds that goes on from here.
    return math.floor(seconds + 0.5)
