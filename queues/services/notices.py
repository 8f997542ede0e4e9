"""Word from the organiser to the line: on the board for all to see, and by letter to each who waits."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Coalesce, Now
from django.urls import reverse

from accounts import mailbox
from accounts.models import Letter, User
from queues import locks
from queues.models import Admission, Notice, Queue
from queues.refusals import NobodyWaiting, NoticeOut
from queues.services.boards import publish_board

logger = logging.getLogger(__name__)

# Bounds the transaction; the next one goes on.
TOLD_AT_ONCE = 300


@dataclass(frozen=True)
class Progress:
    """What became of a notice: of `readers`, so many letters were sent, failed for good, or are still to go out.

    Whoever was let in, or left, before the letter's turn came, or had no account then, is in none of the three.
    """

    sent: int
    failed: int
    queued: int
    readers: int


@transaction.atomic
def change_message(queue: Queue, *, text: str) -> str:
    """Say `text` to the line: it is on the board at once. An empty one takes it away. Returns the one before."""
    before = Queue.objects.lock().get(pk=queue.pk).message
    Queue.objects.filter(pk=queue.pk).update(message=text)
    transaction.on_commit(partial(publish_board, queue.pk), robust=True)
    return before


@transaction.atomic
def notify_waiting(queue: Queue, *, text: str, created_by: User) -> Notice:
    """Write a letter to everyone who waits now; a sweep posts it in batches, and each fan gets it once.

    Whoever joins later is not told; nor is whoever is let in, or has left, before the letter's turn comes, or
    has no account then.

    Raises:
        NobodyWaiting: nothing is written.
        OperationalError: the line was too busy; nothing is written. Call it patiently.
    """
    # With the line alone no lower place can come into being behind the sweep's back, and be left out.
    locks.take_line(queue.pk, wait_ms=locks.LONG_LINE_WAIT_MS)
    waiting = Admission.objects.waiting().filter(queue=queue).aggregate(number=Count("pk"), last=Max("place"))
    if not waiting["number"]:
        raise NobodyWaiting
    return Notice.objects.create(
        queue=queue, text=text, created_by=created_by, reader_count=waiting["number"], last_place=waiting["last"]
    )


@transaction.atomic
def stop_notice(notice: Notice) -> int:
    """Let no further letter of a notice go out; returns how many were kept back that had been written already.

    Raises:
        NoticeOut: all have gone, or it was stopped before; nothing is changed.
    """
    # A batch that is just being written is waited for, so that its letters are kept back, too.
    running = Notice.objects.lock().get(pk=notice.pk)
    kept_back = mailbox.withdraw(running.mailing)
    if running.finished_at is not None and not kept_back:
        raise NoticeOut
    Notice.objects.filter(pk=running.pk).update(stopped_at=Now(), finished_at=Coalesce("finished_at", Now()))
    return kept_back


def measure_progress(notice: Notice) -> Progress:
    """Count what became of a notice's letters."""
    letters = Letter.objects.of_mailing(notice.mailing)
    counted = letters.aggregate(
        sent=Count("pk", filter=Q(status=Letter.Status.SENT)),
        failed=Count("pk", filter=Q(status=Letter.Status.FAILED)),
        queued=Count("pk", filter=Q(status=Letter.Status.QUEUED)),
    )
    return Progress(**counted, readers=notice.reader_count)


def tell_next_fans(*, excluding: Collection[int] = ()) -> tuple[int, int] | None:
    """Post the next letters, `TOLD_AT_ONCE` at most, of the oldest notice that is not finished.

    Returns the notice's pk and how many were told, or None when no notice is left. With none told, it is finished or
    others are busy with it: its pk, given back in `excluding`, keeps it from stopping the others.
    """
    due = Notice.objects.unfinished().exclude(pk__in=excluding).order_by("pk")
    notice_id = due.values_list("pk", flat=True).first()
    if notice_id is None:
        return None
    try:
        return notice_id, tell_fans(notice_id)
    except Exception:
        logger.exception("Notice %s could not be posted", notice_id)
        return notice_id, 0


@transaction.atomic(durable=True)
def tell_fans(notice_id: int) -> int:
    """Post a notice to the next in the order of the line and note how far it has come; returns how many."""
    notices = Notice.objects.unfinished().select_related("queue__event").filter(pk=notice_id)
    notice = notices.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
    if notice is None:
        return 0
    fans = _next_readers(notice)
    _post(notice, fans)
    Notice.objects.filter(pk=notice.pk).update(
        told_count=F("told_count") + len(fans),
        told_through=fans[-1].place if fans else notice.told_through,
        finished_at=None if len(fans) == TOLD_AT_ONCE else Now(),
    )
    return len(fans)


def _next_readers(notice: Notice) -> list[Admission]:
    readers = Admission.objects.waiting().filter(
        queue=notice.queue_id, user__isnull=False, place__lte=notice.last_place
    )
    if notice.told_through is not None:
        readers = readers.filter(place__gt=notice.told_through)
    return list(readers.in_line_order().select_related("user")[:TOLD_AT_ONCE])


def _post(notice: Notice, fans: list[Admission]) -> None:
    queue = notice.queue
    mailbox.post_to_each(
        [(fan.user.email, {"name": fan.user.name}) for fan in fans if fan.user is not None],
        template="line_notice",
        context={
            "text": notice.text,
            "queue": queue,
            "event": queue.event,
            "line_url": settings.SITE_URL + reverse("orders:journey", args=[queue.slug]),
        },
        kind=Letter.Kind.MASS,
        mailing=notice.mailing,
    )
