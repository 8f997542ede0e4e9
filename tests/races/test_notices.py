"""A notice against whoever joins at the same instant, and against a second sweep."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from inspect import unwrap
from typing import cast

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import Letter, User
from queues import locks, services
from queues.models import Notice, Queue
from queues.notices import NoticeQuerySet
from queues.services import notices
from tests.factories import AdmissionFactory, UserFactory
from tests.racing import Run, race, uncommitted


def joiner(queue: Queue) -> tuple[User, partial]:
    fan = UserFactory(email_verified_at=timezone.now())
    return fan, partial(services.join_queue, queue, fan)


def told() -> list[str]:
    return list(Letter.objects.order_by("pk").values_list("to", flat=True))


def test_whoever_is_just_joining_before_somebody_who_waits_is_told_as_well(queue: Queue, ada: User):
    fan, join = joiner(queue)
    with uncommitted(join):
        later = AdmissionFactory(queue=queue)
        writing = Run(partial(services.notify_waiting, queue, text="Hello", created_by=ada))
        writing.join(0.3)
        assert writing.is_alive()
    notice = writing.outcome()

    services.tell_fans(notice.pk)

    assert told() == [fan.email, later.user.email]


def test_without_the_lock_somebody_who_stands_before_the_last_is_left_out(queue: Queue, ada: User, monkeypatch):
    """The negative control: the cursor has passed the place before it came to be seen."""
    monkeypatch.setattr(locks, "take_line", lambda queue_id, **wait: None)

    _, join = joiner(queue)
    with uncommitted(join):
        later = AdmissionFactory(queue=queue)
        notice = services.notify_waiting(queue, text="Hello", created_by=ada)
        services.tell_fans(notice.pk)
    services.tell_fans(notice.pk)

    assert told() == [later.user.email]


def test_busy_line_is_said_and_no_notice_is_written(queue: Queue, ada: User, monkeypatch):
    monkeypatch.setattr(locks, "LONG_LINE_WAIT_MS", 50)
    AdmissionFactory(queue=queue)

    with uncommitted(joiner(queue)[1]), pytest.raises(OperationalError, match="lock timeout"):
        services.notify_waiting(queue, text="Hello", created_by=ada)

    assert not Notice.objects.exists()


def test_each_fan_is_told_once_however_many_sweep(queue: Queue, ada: User, monkeypatch):
    monkeypatch.setattr(notices, "TOLD_AT_ONCE", 3)
    line = AdmissionFactory.create_batch(10, queue=queue)
    notice = services.notify_waiting(queue, text="Hello", created_by=ada)

    def sweep(_: int) -> int:
        number = 0
        while Notice.objects.unfinished().exists():
            number += services.tell_fans(notice.pk)
        return number

    assert sum(race(sweep, 4)) == 10
    assert Counter(told()) == {fan.user.email: 1 for fan in line}


def test_batch_that_is_just_being_written_is_kept_back_with_the_notice(queue: Queue, ada: User):
    AdmissionFactory.create_batch(3, queue=queue)
    notice = services.notify_waiting(queue, text="Hello", created_by=ada)

    stopping = stop_while_telling(notice)

    assert stopping.outcome() == 3
    assert set(Letter.objects.values_list("status", flat=True)) == {"withdrawn"}


def test_without_the_lock_a_batch_slips_past_whoever_stops_it(queue: Queue, ada: User, monkeypatch):
    """The negative control: stopping does not wait for the sweep."""
    monkeypatch.setattr(NoticeQuerySet, "lock", lambda notices: notices)
    AdmissionFactory.create_batch(3, queue=queue)
    notice = services.notify_waiting(queue, text="Hello", created_by=ada)

    stopping = stop_while_telling(notice)

    assert stopping.outcome() == 0
    assert set(Letter.objects.values_list("status", flat=True)) == {"queued"}


def stop_while_telling(notice: Notice) -> Run[int]:
    """Stop a notice while its first batch is written and not yet committed."""
    tell = cast("Callable[[int], int]", unwrap(services.tell_fans))
    with uncommitted(partial(tell, notice.pk)):
        stopping = Run(partial(services.stop_notice, notice))
        stopping.join(0.5)
    return stopping
