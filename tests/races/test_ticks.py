"""Two ticks of a queue at the same instant."""

import inspect
from functools import partial

import pytest

from queues import locks, services
from queues.models import Admission, Queue
from queues.services import ticks
from tests.factories import AdmissionFactory
from tests.racing import meeting, race, uncommitted

CAP = 3


@pytest.fixture
def line(queue: Queue) -> list[int]:
    """Ten fans in line, of whom three may be inside; their places."""
    Queue.objects.update(max_concurrent_admissions=CAP, admission_rate_per_minute=6000)
    return [admission.place for admission in AdmissionFactory.create_batch(10, queue=queue)]


def inside() -> list[int]:
    return list(Admission.objects.admitted().in_line_order().values_list("place", flat=True))


def test_two_ticks_at_once_admit_as_many_as_one(queue: Queue, line: list[int]):
    outcomes = race(lambda _: services.tick_queue(queue.pk), 4)

    assert outcomes == [None] * 4
    assert inside() == line[:CAP]


def test_two_ticks_at_the_worst_instant_admit_as_many_as_one(queue: Queue, line: list[int]):
    with uncommitted(partial(inspect.unwrap(services.admit_due_fans), queue.pk)) as first:
        second = services.admit_due_fans(queue.pk)

    assert (first.outcome(), second, inside()) == (CAP, 0, line[:CAP])


def test_without_the_locks_two_ticks_pass_the_cap(queue: Queue, line: list[int], monkeypatch):
    """The negative control: both work out who is due before either admits."""
    monkeypatch.setattr(locks, "try_tick", lambda queue_id: True)
    monkeypatch.setattr(locks, "take_line", lambda queue_id: None)
    monkeypatch.setattr(ticks, "_due", meeting(ticks._due, 2))

    outcomes = race(lambda _: services.admit_due_fans(queue.pk), 2)

    assert sum(outcomes) == len(inside()) > CAP


def test_two_ticks_at_once_end_each_turn_once(queue: Queue):
    AdmissionFactory.create_batch(5, queue=queue, admitted=True, window_ends_at="2027-01-01T00:00Z")
    Admission.objects.update(window_ends_at="2020-01-01T00:00Z")

    outcomes = race(lambda _: services.expire_lapsed_admissions(queue.pk), 3)

    assert sum(outcomes) == 5
    assert set(Admission.objects.values_list("status", flat=True)) == {"expired"}
