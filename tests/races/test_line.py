"""The order of the line, and one place a fan."""

from collections import Counter
from functools import partial

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from queues import locks, services
from queues.models import Admission, Queue
from queues.services import line
from tests.factories import AdmissionFactory, QueueFactory, UserFactory
from tests.races.conftest import without_index
from tests.racing import meeting, race, uncommitted


def verified_fan() -> User:
    return UserFactory(email_verified_at=timezone.now())


def joiner(queue: Queue) -> partial:
    return partial(services.join_queue, queue, verified_fan())


def admitted_places(queue: Queue) -> list[int]:
    return list(Admission.objects.admitted().filter(queue=queue).in_line_order().values_list("place", flat=True))


def test_double_join_of_one_account_gives_one_admission(queue: Queue, ben: User):
    outcomes = race(lambda _: services.join_queue(queue, ben), 5)

    own = Admission.objects.get()
    assert Counter(outcomes) == {(own, True): 1, (own, False): 4}


def test_without_the_unique_row_a_double_join_gives_two(queue: Queue, ben: User, monkeypatch):
    """The negative control: both read that the fan is not in line before either writes."""
    monkeypatch.setattr(line, "_queue_for", meeting(line._queue_for, 2))

    with without_index("fan_stands_once_in_a_queue", "queues_admission"):
        outcomes = race(lambda _: services.join_queue(queue, ben), 2)
        standing = Admission.objects.live().filter(user=ben).count()

    assert ([is_new for _, is_new in outcomes], standing) == ([True, True], 2)


def test_double_join_at_the_worst_instant_is_one_admission(queue: Queue, ben: User, monkeypatch):
    """Both have read that the fan is not in line; the row decides, and the second finds the first."""
    monkeypatch.setattr(line, "_queue_for", meeting(line._queue_for, 2))

    outcomes = race(lambda _: services.join_queue(queue, ben), 2)

    own = Admission.objects.get()
    assert Counter(outcomes) == {(own, True): 1, (own, False): 1}


def test_nobody_is_admitted_before_a_lower_place_that_is_not_yet_committed(queue: Queue):
    with uncommitted(joiner(queue)):
        later, _ = joiner(queue)()

        services.tick_queue(queue.pk)
        in_between = admitted_places(queue)
    services.tick_queue(queue.pk)

    first, second = Admission.objects.in_line_order()
    assert (in_between, later) == ([], second)
    assert admitted_places(queue) == [first.place, second.place]


def test_without_the_lock_a_higher_place_is_admitted_first(queue: Queue, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(locks, "share_line", lambda queue_id, user_id: None)
    monkeypatch.setattr(locks, "take_line", lambda queue_id: None)

    with uncommitted(joiner(queue)):
        later, _ = joiner(queue)()

        services.tick_queue(queue.pk)
        in_between = admitted_places(queue)

    assert in_between == [later.place]
    assert Admission.objects.waiting().get().place < later.place


def test_tick_that_cannot_have_the_line_admits_nobody_and_says_so(queue: Queue):
    AdmissionFactory(queue=queue)

    with uncommitted(joiner(queue)):
        with pytest.raises(OperationalError, match="lock timeout"):
            services.admit_due_fans(queue.pk)
        assert admitted_places(queue) == []

    assert services.admit_due_fans(queue.pk) == 2


def test_busy_line_of_one_queue_does_not_hold_up_another(queue: Queue):
    other = AdmissionFactory(queue=QueueFactory(event=queue.event))

    with uncommitted(joiner(queue)):
        services.tick_queue(other.queue_id)
        in_between = admitted_places(other.queue)

    assert in_between == [other.place]


def test_front_that_is_locked_is_waited_for_and_not_passed_over(queue: Queue):
    """Somebody is just leaving: the tick admits nobody this time, and never the second before the first."""
    first, second = AdmissionFactory.create_batch(2, queue=queue)

    with uncommitted(partial(services.leave_queue, first)):
        services.tick_queue(queue.pk)
        in_between = admitted_places(queue)
    services.tick_queue(queue.pk)

    assert (in_between, admitted_places(queue)) == ([], [second.place])


def test_places_are_given_in_the_order_of_joining_however_many_join(queue: Queue):
    fans = [verified_fan() for _ in range(8)]

    outcomes = race(lambda n: services.join_queue(queue, fans[n]), 8)

    assert sorted(is_new for _, is_new in outcomes) == [True] * 8
    assert len({admission.place for admission, _ in outcomes}) == 8
