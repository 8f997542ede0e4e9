"""The tick: once a second for each queue, expire who is late, admit who is due, publish the board.

Three short transactions. Each begins by becoming the only tick of the queue; where another is under way, it goes home.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import OperationalError, transaction
from django.db.models import Case, OuterRef, Q, Value, When
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from events.models import Event
from queues import facts, locks, pacing
from queues.models import IS_ABSENT, Admission, EndReason, Phase, Queue
from queues.services.boards import publish_board
from queues.services.traffic import measure_traffic
from webhooks import outbox
from webhooks.models import FactType

logger = logging.getLogger(__name__)

# One tick ends so many turns at most; the next one goes on. It bounds the transaction, not the promise.
EXPIRED_AT_ONCE = 2000

# A queue that was stopped while its tick waited for the line lets nobody in any more.
STILL_OPEN = Q(
    Q(queue__scheduled_end__isnull=True) | Q(queue__scheduled_end__gt=Now()),
    queue__closed_at__isnull=True,
    queue__sold_out_at__isnull=True,
    queue__paused_at__isnull=True,
    queue__event__status=Event.Status.PUBLISHED,
)


def tick_queue(queue_id: int) -> None:
    """Do everything that is due in a queue because time has passed."""
    expire_lapsed_admissions(queue_id)
    try:
        admit_due_fans(queue_id)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.info("Queue %s: the line was busy, nobody admitted in this tick", queue_id)
    publish_board(queue_id)


@transaction.atomic(durable=True)
def expire_lapsed_admissions(queue_id: int) -> int:
    """End the turns that are over and hold no tickets; returns how many."""
    if not locks.try_tick(queue_id):
        return 0
    late = Admission.objects.lapsed().filter(queue_id=queue_id).order_by("pk")
    # Who is just taking tickets is left alone: he has a hold in a moment, or is due the next time.
    late = late.select_for_update(of=("self",), no_key=True, skip_locked=True)
    is_heard = outbox.is_heard(FactType.ADMISSION_EXPIRED, organizer=OuterRef("queue__event__organizer"))
    found = list(late.values_list("pk", is_heard)[:EXPIRED_AT_ONCE])
    if not found:
        return 0
    pks = [pk for pk, _ in found]
    Admission.objects.filter(pk__in=pks).update(
        status=Admission.Status.EXPIRED,
        reason=Case(When(IS_ABSENT, then=Value(EndReason.ABSENT)), default=Value("")),
        ended_at=Now(),
    )
    if found[0][1]:
        facts.publish_admissions(FactType.ADMISSION_EXPIRED, queue_id, pks)
    return len(pks)


@transaction.atomic(durable=True)
def admit_due_fans(queue_id: int) -> int:
    """Admit as many fans as are due, lowest place first, without leaving anyone out; returns how many.

    Raises:
        OperationalError: the line, or somebody at its front, was not to be had in time; nobody is admitted.
    """
    if not locks.try_tick(queue_id):
        return 0
    is_heard = outbox.is_heard(FactType.ADMISSION_ADMITTED, organizer=OuterRef("event__organizer"))
    queue = Queue.objects.select_related("event").annotate(now=Now(), is_heard=is_heard).get(pk=queue_id)
    due = _due(queue)
    if due == 0:
        return 0
    # From here on no lower place can come into being unseen; see queues.locks.
    locks.take_line(queue_id)
    first = Admission.objects.waiting().filter(STILL_OPEN, queue_id=queue_id).in_line_order()
    pks = list(first.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True)[:due])
    claim_ends_at = Now() + timedelta(seconds=queue.claim_window_seconds)
    Admission.objects.filter(pk__in=pks).update(
        status=Admission.Status.ADMITTED,
        admitted_at=Now(),
        window_ends_at=Now() + queue.admission_window,
        claim_ends_at=claim_ends_at if queue.claim_window_seconds else None,
    )
    if pks and queue.is_heard:
        facts.publish_admissions(FactType.ADMISSION_ADMITTED, queue_id, pks)
    return len(pks)


def _due(queue: Queue) -> int:
    now = queue.now  # type: ignore[attr-defined]
    if queue.phase(now) != Phase.OPEN:
        return 0
    return pacing.admissions_due(
        measure_traffic(queue),
        now=now,
        rate_per_minute=queue.admission_rate_per_minute,
        max_concurrent=queue.max_concurrent_admissions,
    )
