"""Showing up at the instant at which the time for it ends: the fan is there, or the turn is over; never both."""

import inspect
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db.models import QuerySet
from django.db.models.functions import Now

from orders import services as order_services
from orders.models import Order
from queues import admittance, services
from queues.models import Admission, Queue
from queues.refusals import AdmittanceExpired
from queues.services import line
from tests.factories import AdmissionFactory
from tests.racing import Run, race, uncommitted, wait_until_somebody_waits

HOUR = timedelta(hours=1)


@pytest.fixture
def absent(queue: Queue) -> Admission:
    """The one fan whom the queue lets in at a time, and who has not shown up yet; another one waits."""
    Queue.objects.update(max_concurrent_admissions=1, claim_window_seconds=30)
    absent: Admission = AdmissionFactory(queue=queue, admitted=True, claim_ends_at=Now() + HOUR)
    absent.refresh_from_db()
    AdmissionFactory(queue=queue)
    return absent


def end_claim_window(absent: Admission) -> None:
    Admission.objects.filter(pk=absent.pk).update(claim_ends_at=Now() - HOUR)


def claim(absent: Admission) -> None:
    services.claim_admission(absent)


def hold(absent: Admission) -> Order:
    """Holding tickets is showing up, too."""
    assert absent.user is not None
    return order_services.hold_tickets(user=absent.user, token=admittance.token_for(absent), wanted={"floor": 1})


def expire(absent: Admission) -> int:
    """End lapsed turns in the transaction of the caller."""
    return int(inspect.unwrap(services.expire_lapsed_admissions)(absent.queue_id))


def just_in_time(act: Callable[[Admission], object], absent: Admission) -> None:
    """Do `act` as if it had come just before the end: everybody else sees that the time is over."""
    Admission.objects.filter(pk=absent.pk).update(claim_ends_at=Now() + HOUR)
    act(absent)
    end_claim_window(absent)


def standing(absent: Admission) -> tuple[str, bool]:
    """Return the status, and whether the fan has shown up."""
    fresh = Admission.objects.get(pk=absent.pk)
    return fresh.status, fresh.claimed_at is not None


def waiting() -> int:
    return Admission.objects.waiting().count()


@pytest.mark.parametrize("act", [claim, hold])
def test_fan_who_shows_up_just_in_time_keeps_the_turn(absent: Admission, act: Callable):
    """The sweep does not wait for the fan either: it passes over who is just showing up."""
    end_claim_window(absent)

    with uncommitted(partial(just_in_time, act, absent)):
        services.tick_queue(absent.queue_id)
    services.tick_queue(absent.queue_id)

    assert (standing(absent), waiting()) == (("admitted", True), 1)


def test_sweep_that_ends_one_turn_does_not_wait_for_another(absent: Admission, queue: Queue):
    late = AdmissionFactory(queue=queue, admitted=True, claim_ends_at=Now() - HOUR)
    end_claim_window(absent)

    with uncommitted(partial(just_in_time, claim, absent)):
        ended = services.expire_lapsed_admissions(queue.pk)

    assert (ended, standing(absent), standing(late)) == (1, ("admitted", True), ("expired", False))


def test_without_the_lock_a_fan_who_has_shown_up_loses_the_turn(absent: Admission, monkeypatch):
    """The negative control: the sweep has read that the fan is absent; then the fan shows up; then it goes on."""
    end_claim_window(absent)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows.all())

    with uncommitted(partial(just_in_time, claim, absent)):
        sweep = Run(partial(services.expire_lapsed_admissions, absent.queue_id))
        wait_until_somebody_waits()

    assert (sweep.outcome(), standing(absent)) == (1, ("expired", True))


def end_and_expire(absent: Admission) -> None:
    end_claim_window(absent)
    expire(absent)


@pytest.mark.parametrize("act", [claim, hold])
def test_fan_who_shows_up_while_the_turn_is_being_ended_is_told_and_the_turn_given_on(absent: Admission, act: Callable):
    with uncommitted(partial(end_and_expire, absent)):
        showing_up = Run(partial(act, absent))
        wait_until_somebody_waits()
    services.tick_queue(absent.queue_id)

    assert type(showing_up.outcome()) is AdmittanceExpired
    assert (standing(absent), waiting()) == (("expired", False), 0)
    assert Counter(Admission.objects.values_list("status", flat=True)) == {"expired": 1, "admitted": 1}
    assert Order.objects.count() == 0


def test_without_the_guard_a_turn_that_was_given_on_is_claimed(absent: Admission, monkeypatch):
    """The negative control: read that there is time, and then write by the row's number."""

    def read_then_write(admission: Admission) -> None:
        if not Admission.objects.within_window().filter(pk=admission.pk).exists():
            raise AdmittanceExpired
        Admission.objects.filter(pk=admission.pk).update(claimed_at=Now())

    monkeypatch.setattr(line, "claim_admission", read_then_write)
    with uncommitted(partial(end_and_expire, absent)):
        showing_up = Run(partial(line.claim_admission, absent))
        wait_until_somebody_waits()
    services.tick_queue(absent.queue_id)

    assert (showing_up.outcome(), standing(absent), waiting()) == (None, ("expired", True), 0)


@pytest.mark.parametrize("attempt", range(4))
def test_claim_and_expiry_at_once_agree(absent: Admission, attempt: int):
    """However they meet, the fan is told what the row says, and there is one fan inside."""
    acts = [partial(claim, absent), partial(end_claim_window, absent), partial(services.tick_queue, absent.queue_id)]

    claimed, *others = race(lambda n: acts[n](), 3)
    services.tick_queue(absent.queue_id)

    assert others == [None, None]
    if claimed is None:
        assert (standing(absent), waiting()) == (("admitted", True), 1)
    else:
        assert (type(claimed), standing(absent), waiting()) == (AdmittanceExpired, ("expired", False), 0)
    assert Admission.objects.admitted().count() == 1
