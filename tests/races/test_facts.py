"""Facts that come about at the same instant: each once, and those of one admission in their order."""

import inspect
import time
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from events.models import Event, Tier
from orders import services
from orders.models import Order, Payment
from queues import locks
from queues import services as queue_services
from queues.models import Admission, AdmissionQuerySet, Queue
from tests.factories import AdmissionFactory, UserFactory
from tests.races.conftest import turn_at
from tests.racing import PATIENCE_SECONDS, Run, meeting, race, uncommitted
from tests.webhooks.facts import data_of, told
from webhooks.models import Endpoint, Fact


@pytest.fixture(autouse=True)
def _heard(endpoint: Endpoint) -> None:
    """Let somebody listen."""


def confirmed(order: Order) -> Payment:
    """Let the money for an order arrive."""
    payment = services.start_payment(order, holders=["Ben"] * order.ticket_count(), email="")
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    payment.refresh_from_db()
    return payment


@pytest.fixture
def payment(queue: Queue) -> Payment:
    """Money that has arrived for a hold."""
    fan, token = turn_at(queue)
    return confirmed(services.hold_tickets(user=fan, token=token, wanted={"floor": 1}))


def over(queue: Queue) -> None:
    AdmissionFactory.create_batch(3, queue=queue, admitted=True, window_ends_at=timezone.now())


def wait_until_it_waits(run: Run[Any]) -> None:
    """Go on once the racer stands before a lock, or has ended because there is none."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while run.is_alive() and time.monotonic() < ends_at:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)


def test_same_fan_who_joins_at_once_is_told_of_once(queue: Queue):
    fan = UserFactory(email_verified_at=timezone.now())

    race(lambda _: queue_services.join_queue(queue, fan), 4)

    assert told() == ["admission.created"]


def test_turns_that_two_ticks_end_at_once_are_told_once(queue: Queue):
    over(queue)

    race(lambda _: queue_services.expire_lapsed_admissions(queue.pk), 3)

    assert told() == ["admission.expired"] * 3


def test_without_the_locks_turns_that_two_ticks_end_are_told_twice(queue: Queue, monkeypatch):
    """The negative control: both have read who is late before either has ended a turn."""
    monkeypatch.setattr(locks, "try_tick", lambda queue_id: True)
    monkeypatch.setattr(AdmissionQuerySet, "select_for_update", lambda self, **options: self)
    both_are_here, update = meeting(lambda: None, 2), AdmissionQuerySet.update

    def update_together(self: AdmissionQuerySet, **values: object) -> int:
        both_are_here()
        return update(self, **values)

    monkeypatch.setattr(AdmissionQuerySet, "update", update_together)
    over(queue)

    outcomes = race(lambda _: queue_services.expire_lapsed_admissions(queue.pk), 2)

    assert outcomes == [3, 3]

    assert told() == ["admission.expired"] * 6


def test_queue_that_two_sweeps_mark_at_once_is_told_once(queue: Queue, floor: Tier, vip: Tier):
    for tier in (floor, vip):
        Tier.objects.filter(pk=tier.pk).update(sold_count=tier.quantity)

    race(lambda _: queue_services.mark_next_sold_out_queue(), 3)

    assert told() == ["queue.sold_out"]


@pytest.mark.parametrize("times", [2, 4])
def test_payment_that_is_settled_at_once_is_told_once(payment: Payment, times: int):
    race(lambda _: services.settle_payment(payment), times)

    assert told() == ["admission.completed", "order.paid"]


def test_end_and_late_money_at_once_are_told_in_their_order(payment: Payment, event: Event):
    """The money waits for the end of the turn, at the gate; so its facts have the higher ids."""
    Payment.objects.update(status="waiting")
    Order.objects.update(hold_ends_at=timezone.now())

    with uncommitted(partial(services.expire_order, payment.order)):
        Payment.objects.update(status="confirmed")
        settling = Run(partial(services.settle_payment, payment))
        wait_until_it_waits(settling)

    assert settling.outcome() is None
    assert told() == ["admission.expired", "admission.completed", "order.paid"]
    assert len(set(Fact.objects.values_list("admission", flat=True))) == 1


@pytest.fixture
def money_back(queue: Queue) -> Payment:
    """Money that has arrived for what a fan chose next, while what came for the first choice is to go back."""
    fan, token = turn_at(queue)
    first = confirmed(services.hold_tickets(user=fan, token=token, wanted={"floor": 1}))
    Order.objects.filter(pk=first.order_id).update(status="replaced", ended_at=timezone.now())
    Admission.objects.update(has_hold=False)
    Payment.objects.filter(pk=first.pk).update(settled_at=timezone.now(), refund_due_at=timezone.now())
    queue_services.take_from_allowance(fan, queue.event, tickets=1)
    return confirmed(services.hold_tickets(user=fan, token=token, wanted={"floor": 2}))


def test_refund_waits_for_what_happens_to_the_same_turn(money_back: Payment):
    with uncommitted(partial(inspect.unwrap(services.settle_payment), money_back)):
        refunding = Run(services.refund_next_payment)
        wait_until_it_waits(refunding)

    assert refunding.outcome() is not None
    assert told() == ["admission.completed", "order.paid", "order.refunded"]
    assert data_of("order.refunded")["admission"]["status"] == "completed"


def test_without_the_lock_a_refund_tells_what_is_no_longer_so(money_back: Payment, monkeypatch):
    """The negative control: the refund reads the turn while its end is not yet committed."""
    with uncommitted(partial(inspect.unwrap(services.settle_payment), money_back)):
        monkeypatch.setattr(AdmissionQuerySet, "lock", lambda self: self)
        assert Run(services.refund_next_payment).outcome() is not None

    assert data_of("order.refunded")["admission"]["status"] == "admitted"
