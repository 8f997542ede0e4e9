"""The end of a sale against whoever joins, is let in or leaves at the same instant."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Letter, User
from accounts.patience import patiently
from events import services as event_services
from events.models import Tier
from queues import locks, services
from queues.models import Admission, Queue
from queues.refusals import QueueClosed
from queues.services import endings
from queues.services import line as joining
from tests.factories import AdmissionFactory, UserFactory
from tests.racing import Run, meeting, race, uncommitted


def joiner(queue: Queue) -> partial:
    return partial(services.join_queue, queue, UserFactory(email_verified_at=timezone.now()))


def sell_out() -> None:
    for tier in Tier.objects.all():
        Tier.objects.filter(pk=tier.pk).update(sold_count=tier.quantity)


def test_nobody_is_put_into_a_line_that_has_closed(queue: Queue):
    """Closing waits for whoever is just joining, and whoever joins meanwhile waits for it and is refused."""
    with uncommitted(joiner(queue)):
        closing = Run(partial(services.close_queue, queue))
        closing.join(0.3)
        was_waiting = closing.is_alive()
        late = Run(joiner(queue))
        late.join(0.3)

    assert (was_waiting, closing.outcome()) == (True, None)
    assert isinstance(late.outcome(), QueueClosed)
    assert Admission.objects.values_list("status").get() == ("waiting",)


def test_without_the_lock_closing_has_returned_and_still_somebody_comes_into_line(queue: Queue, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(locks, "take_line", lambda queue_id, **wait: None)

    with uncommitted(joiner(queue)):
        services.close_queue(queue)
        in_line_when_closed = Admission.objects.count()

    assert (in_line_when_closed, Admission.objects.waiting().count()) == (0, 1)


def join_during_a_close(queue: Queue) -> object:
    """Join while the closing of the queue is not yet committed; return what became of it."""
    with uncommitted(partial(services.close_queue, queue)):
        late = Run(joiner(queue))
        late.join(0.3)
    return late.outcome()


def test_fan_who_joins_while_the_queue_is_being_closed_is_refused(queue: Queue):
    """The part in the line is had first, and then it is read whether there still is one."""
    assert type(join_during_a_close(queue)) is QueueClosed
    assert Admission.objects.count() == 0


def test_read_before_the_line_is_had_a_closed_queue_would_be_joined(queue: Queue, monkeypatch):
    """The negative control: what is read is from before the wait for the line."""
    share_line, read = locks.share_line, joining._queue_for
    monkeypatch.setattr(locks, "share_line", lambda queue_id, user_id: None)

    def read_and_then_share(queue_id: int, user: User, *asked: Any) -> Any:
        fresh = read(queue_id, user, *asked)
        share_line(queue_id, user.pk)
        return fresh

    monkeypatch.setattr(joining, "_queue_for", read_and_then_share)

    assert isinstance(join_during_a_close(queue), tuple)
    assert (Admission.objects.waiting().count(), Queue.objects.get().closed_at is None) == (1, False)


def test_closing_outlasts_a_busy_line(queue: Queue):
    """A join that takes longer than a tick would wait for the line."""
    with uncommitted(joiner(queue)):
        closing = Run(partial(patiently, services.close_queue, queue))
        closing.join(3 * locks.LINE_WAIT_MS / 1000)
        assert closing.is_alive()

    assert closing.outcome() is None
    assert Queue.objects.get().closed_at is not None


def test_line_that_stays_busy_leaves_the_queue_open_and_says_so(queue: Queue, monkeypatch):
    monkeypatch.setattr(locks, "LONG_LINE_WAIT_MS", 50)

    with uncommitted(joiner(queue)), pytest.raises(OperationalError, match="lock timeout"):
        services.close_queue(queue)

    assert Queue.objects.get().closed_at is None


def end_time(queue: Queue) -> None:
    Queue.objects.filter(pk=queue.pk).update(scheduled_end=timezone.now())


def end_stock(queue: Queue) -> None:
    sell_out()
    services.mark_sold_out(queue.pk)


STOPS: dict[str, Callable[[Queue], object]] = {
    "closed": services.close_queue,
    "paused": services.pause_queue,
    "sold out": end_stock,
    "over": end_time,
    "cancelled": lambda queue: event_services.cancel_event(queue.event),
}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_tick_that_waited_for_the_line_lets_nobody_into_a_sale_that_was_stopped(
    queue: Queue, monkeypatch, stop: Callable[[Queue], object]
):
    """It had read that the queue was open before it had the line."""
    AdmissionFactory(queue=queue)
    take_line = locks.take_line

    def take_after_stopping(queue_id: int, **wait: int) -> None:
        monkeypatch.setattr(locks, "take_line", take_line)
        assert not isinstance(Run(partial(stop, queue)).outcome(), Exception)
        take_line(queue_id, **wait)

    monkeypatch.setattr(locks, "take_line", take_after_stopping)

    assert services.admit_due_fans(queue.pk) == 0
    assert Admission.objects.get().status == "waiting"


def test_queue_is_marked_as_sold_out_by_one(queue: Queue):
    sell_out()

    outcomes = race(lambda _: services.mark_sold_out(queue.pk), 4)

    assert Counter(outcomes) == {True: 1, False: 3}


def test_each_fan_is_freed_and_written_to_once_however_many_sweep(queue: Queue, monkeypatch):
    monkeypatch.setattr(endings, "FREED_AT_ONCE", 3)
    line = AdmissionFactory.create_batch(10, queue=queue)
    services.close_queue(queue)

    def sweep(_: int) -> int:
        freed = 0
        while Admission.objects.waiting().exists():
            freed += services.free_fans(queue.pk)
        return freed

    outcomes = race(sweep, 4)

    assert sum(outcomes) == 10
    assert sorted(Letter.objects.values_list("to", flat=True)) == sorted(fan.user.email for fan in line)


def test_without_the_locks_a_fan_is_written_to_twice(queue: Queue, monkeypatch):
    """The negative control: both have read who waits before either frees anybody."""
    AdmissionFactory.create_batch(3, queue=queue)
    services.close_queue(queue)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows.all())
    monkeypatch.setattr(endings, "_waiting_in", meeting(endings._waiting_in, 2))

    race(lambda _: services.free_fans(queue.pk), 2)

    assert Letter.objects.count() == 6


def test_fan_who_is_just_leaving_is_passed_over_and_holds_nobody_up(queue: Queue):
    leaving, waiting = AdmissionFactory.create_batch(2, queue=queue)
    services.close_queue(queue)

    with uncommitted(partial(services.leave_queue, leaving)):
        freed = services.free_fans(queue.pk)

    assert (freed, services.free_fans(queue.pk)) == (1, 0)
    assert Counter(Admission.objects.values_list("status", flat=True)) == {"left": 1, "denied": 1}
    assert Letter.objects.values_list("to").get() == (waiting.user.email,)
