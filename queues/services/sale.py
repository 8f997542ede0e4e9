"""Running a sale by hand: publish, open, pause, resume, let in faster or slower, close."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.db.models import Case, F, When
from django.db.models.functions import Coalesce, Now

from events.models import Event
from queues import locks
from queues.models import Queue
from queues.refusals import QueueClosed, QueueNotPublishable, QueueNotPublished
from queues.services.boards import publish_board


@transaction.atomic
def publish_queue(queue: Queue) -> None:
    """Show the queue to fans. Twice changes nothing.

    Raises:
        QueueNotPublishable: its event is not published or has nothing to sell.
    """
    if not Event.objects.filter(pk=queue.event_id, status=Event.Status.PUBLISHED, tiers__isnull=False).exists():
        raise QueueNotPublishable
    Queue.objects.filter(pk=queue.pk).update(published_at=Coalesce("published_at", Now()))


@transaction.atomic
def open_queue(queue: Queue) -> None:
    """Let the sale begin now, and its lobby with it. One that has begun stays as it is.

    Raises:
        QueueNotPublished, QueueClosed: nothing is changed.
    """
    _check_is_on(queue)
    # A lobby that was to open later would open after the sale does.
    lobby = Case(When(lobby_opens_at__gt=Now(), then=Now()), default=F("lobby_opens_at"))
    Queue.objects.filter(pk=queue.pk, scheduled_start__gt=Now()).update(scheduled_start=Now(), lobby_opens_at=lobby)


@transaction.atomic
def pause_queue(queue: Queue) -> None:
    """Admit nobody until resumed. Joining goes on, and so do the clocks of those inside.

    Raises:
        QueueNotPublished, QueueClosed: nothing is changed.
    """
    _check_is_on(queue)
    Queue.objects.filter(pk=queue.pk).update(paused_at=Coalesce("paused_at", Now()))


@transaction.atomic
def resume_queue(queue: Queue) -> None:
    """Admit again.

    Raises:
        QueueNotPublished, QueueClosed: nothing is changed.
    """
    _check_is_on(queue)
    Queue.objects.filter(pk=queue.pk).update(paused_at=None)


@transaction.atomic
def change_pace(queue: Queue, *, rate_per_minute: int, most_inside: int) -> Queue:
    """Let in so many a minute, and so many at once, from the next tick on; returns the queue as it was.

    Fewer inside puts nobody out: nobody else is let in until there is room.

    Raises:
        QueueNotPublished, QueueClosed: nothing is changed.
    """
    _check_is_on(queue)
    before = Queue.objects.lock().get(pk=queue.pk)
    Queue.objects.filter(pk=queue.pk).update(
        admission_rate_per_minute=rate_per_minute, max_concurrent_admissions=most_inside
    )
    return before


def _check_is_on(queue: Queue) -> None:
    published = Queue.objects.filter(pk=queue.pk, published_at__isnull=False)
    if not published.exists():
        raise QueueNotPublished
    if not published.filter(closed_at__isnull=True).exists():
        raise QueueClosed


@transaction.atomic
def close_queue(queue: Queue) -> None:
    """End the sale for good: from here on nobody joins or is let in; whoever is inside keeps the window and may pay.

    It takes as long with one fan waiting as with a hundred thousand: a sweep frees and tells them (see
    `queues.services.endings`); their pages say so at once. Twice changes nothing.

    Raises:
        OperationalError: the line was too busy; nothing is changed. Call it patiently.
    """
    locks.take_line(queue.pk, wait_ms=locks.LONG_LINE_WAIT_MS)
    Queue.objects.filter(pk=queue.pk).update(closed_at=Coalesce("closed_at", Now()))
    transaction.on_commit(partial(publish_board, queue.pk), robust=True)
