"""The end of a line: sold out, over or closed by hand; and what is told to whoever still waits.

A queue ends by a mark on its row, or by its time. Whoever waits in one that has ended sees so on the page at once, and
is freed and written to in batches: what remains of the line is the list of what is left to do. Freeing a fan and the
letter are one transaction, so that a worker that dies leaves every fan either waiting or told.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models.functions import Now
from django.urls import reverse

from accounts import mailbox
from accounts.models import Letter
from queues import facts, locks
from queues.models import Admission, Queue
from queues.services.boards import publish_board

logger = logging.getLogger(__name__)

# Bounds the transaction; the next one goes on.
FREED_AT_ONCE = 300


def mark_next_sold_out_queue(*, excluding: Collection[int] = ()) -> int | None:
    """Mark one queue whose tickets are all sold; returns its pk, or None if there is none.

    One whose line is busy just now is left for the next time; its pk, given back in `excluding`, keeps it from stopping
    the others.
    """
    queue_id = _to_mark().exclude(pk__in=excluding).order_by("pk").values_list("pk", flat=True).first()
    if queue_id is None:
        return None
    try:
        mark_sold_out(queue_id)
    except OperationalError:
        logger.info("Queue %s: the line was busy, it is not yet marked as sold out", queue_id)
    return queue_id


@transaction.atomic(durable=True)
def mark_sold_out(queue_id: int) -> bool:
    """Say that a queue is sold out, if it is and has not been said; returns whether this call did.

    Under the line's lock, so that nobody who joins at the same instant is put into a line that leads nowhere.
    """
    locks.take_line(queue_id)
    marked = _to_mark().filter(pk=queue_id).update(sold_out_at=Now())
    if marked:
        logger.info("Queue %s is sold out", queue_id)
        facts.publish_sold_out(queue_id)
        transaction.on_commit(partial(publish_board, queue_id), robust=True)
    return bool(marked)


def _to_mark() -> Any:
    running = Queue.objects.published().exclude(pk__in=Queue.objects.ended().values("pk"))
    return running.exclude(kind=Queue.Kind.WAITLIST).all_sold()


def reopen_next_restocked_queue(*, excluding: Collection[int] = ()) -> int | None:
    """Lift the mark "sold out" from one queue that has tickets again; returns its pk, or None if there is none.

    Tickets come back when an organiser raises a quantity or sold ones are taken back. Nothing else has to be done by
    hand: anyone can join again, those who were sent away included, and whoever had not been freed yet stands where he
    stood. A queue that is closed stays so.
    """
    due = Queue.objects.restocked().exclude(pk__in=excluding).filter(closed_at__isnull=True)
    queue_id = due.order_by("pk").values_list("pk", flat=True).first()
    if queue_id is not None and Queue.objects.restocked().filter(pk=queue_id).update(sold_out_at=None):
        logger.info("Queue %s has tickets again", queue_id)
        publish_board(queue_id)
    return queue_id


def free_next_fans(*, excluding: Collection[int] = ()) -> tuple[int, int] | None:
    """Free and write to the first fans, `FREED_AT_ONCE` at most, who still wait in a queue that has ended.

    Returns the queue's pk and how many were freed, or None when nobody is left anywhere. With none freed, others are
    busy with the rest: its pk, given back in `excluding`, keeps it from stopping the others.
    """
    ended = Queue.objects.ended().with_waiting().exclude(pk__in=excluding)
    queue_id = ended.order_by("pk").values_list("pk", flat=True).first()
    if queue_id is None:
        return None
    try:
        return queue_id, free_fans(queue_id)
    except Exception:
        logger.exception("Queue %s: those who wait could not be freed", queue_id)
        return queue_id, 0


@transaction.atomic(durable=True)
def free_fans(queue_id: int) -> int:
    """Free and write to the first fans who wait in an ended queue; returns how many were freed.

    Whoever waits without an account sees it on the page alone.

    One batch of a queue at a time. Whoever is just leaving by himself is passed over.
    """
    # The queue's row, so that it is not opened again between this look and the freeing.
    own = Queue.objects.filter(pk=queue_id).select_for_update(no_key=True, skip_locked=True)
    if not own.exists():
        return 0
    queue = Queue.objects.ended().select_related("event__venue").filter(pk=queue_id).first()
    if queue is None:
        return 0
    fans = _waiting_in(queue)
    Admission.objects.filter(pk__in=[fan.pk for fan in fans]).update(
        status=Admission.Status.DENIED, reason=queue.end_reason, ended_at=Now()
    )
    _tell(queue, fans)
    return len(fans)


def _waiting_in(queue: Queue) -> list[Admission]:
    waiting = Admission.objects.waiting().filter(queue=queue).in_line_order().select_related("user")
    return list(waiting.select_for_update(of=("self",), no_key=True, skip_locked=True)[:FREED_AT_ONCE])


def _tell(queue: Queue, fans: Sequence[Admission]) -> None:
    mailbox.post_to_each(
        [(fan.user.email, {"name": fan.user.name}) for fan in fans if fan.user is not None],
        template="line_ended",
        context={
            "queue": queue,
            "event": queue.event,
            "reason": queue.end_reason,
            "event_url": settings.SITE_URL + reverse("queues:event", args=[queue.event.slug]),
            "events_url": settings.SITE_URL + reverse("queues:events"),
        },
        kind=Letter.Kind.MASS,
    )
