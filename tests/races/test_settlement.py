"""Money that arrives while something else happens to the order."""

import inspect
from collections import Counter
from functools import partial

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from events.models import Event, Tier
from orders import services
from orders.models import Order, OrderQuerySet, Payment, PaymentQuerySet, Ticket
from orders.services import holds, settlement
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import PaymentFactory
from tests.races.conftest import turn_at
from tests.racing import Gate, Run, race, uncommitted, wait_until_somebody_waits


@pytest.fixture
def payment(queue: Queue, event: Event) -> Payment:
    """An open payment of two tickets; somebody else holds two more, which could be mistaken for them."""
    other, others_token = turn_at(queue)
    services.hold_tickets(user=other, token=others_token, wanted={"floor": 2})
    fan, token = turn_at(queue)
    order = services.hold_tickets(user=fan, token=token, wanted={"floor": 2})
    return services.start_payment(order, holders=["Ben", "Bea"], email="ben@example.org")


def confirm(payment: Payment) -> None:
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)


def end_time(payment: Payment) -> None:
    Order.objects.filter(pk=payment.order_id).update(hold_ends_at=timezone.now())
    Admission.objects.filter(pk=payment.order.admission_id).update(window_ends_at=timezone.now())


def standing(payment: Payment) -> tuple[str, str, int]:
    """Return the status of order and admission, and how many tickets were issued."""
    order = Order.objects.select_related("admission").get(pk=payment.order_id)
    return order.status, order.admission.status, order.tickets.count()


def no_gate(monkeypatch) -> None:
    """Take the gate and the lock of the order out."""
    monkeypatch.setattr(queue_services, "open_allowance", lambda user, event: None)
    monkeypatch.setattr(OrderQuerySet, "lock", lambda self: self)


def test_settlement_that_is_under_way_is_not_undone_by_the_expiry(payment: Payment, event: Event):
    end_time(payment)
    lapsed = Order.objects.get(pk=payment.order_id)
    confirm(payment)

    with uncommitted(partial(inspect.unwrap(services.settle_payment), payment)):
        expiry = Run(partial(services.expire_order, lapsed))

    assert expiry.outcome() is None
    assert standing(payment) == ("paid", "completed", 2)
    assert_counters_equal_rows(event)


def test_settlement_after_the_expiry_takes_the_tickets_anew(payment: Payment, event: Event):
    end_time(payment)

    with uncommitted(partial(services.expire_order, payment.order)):
        confirm(payment)
        settling = Run(partial(services.settle_payment, payment))

    assert settling.outcome() is None
    assert standing(payment) == ("paid", "completed", 2)
    assert_counters_equal_rows(event)


def test_settlement_and_expiry_at_once_leave_money_and_tickets_together(payment: Payment, event: Event, floor: Tier):
    """As late as can be: the sweep has found the hold, and then the money comes."""
    Tier.objects.filter(pk=floor.pk).update(quantity=4)
    end_time(payment)
    confirm(payment)
    acts = [services.settle_payment, services.settle_payment, lambda _: services.expire_order(payment.order)]

    outcomes = race(lambda n: acts[n](payment), 3)

    assert outcomes == [None, None, None]
    assert standing(payment) == ("paid", "completed", 2)
    assert_counters_equal_rows(event)


def test_without_the_gate_an_expiry_undoes_a_settlement(payment: Payment, event: Event, monkeypatch):
    """The negative control: the sweep has read that the hold has lapsed; then the money comes; then it goes on."""
    no_gate(monkeypatch)
    end_time(payment)
    read, end_hold = Gate(), holds._end_hold

    def stopping(order: Order, status: Order.Status) -> None:
        read.stop_here()
        end_hold(order, status)

    monkeypatch.setattr(holds, "_end_hold", stopping)
    expiry = Run(partial(services.expire_order, payment.order))
    read.wait_until_reached()
    confirm(payment)
    services.settle_payment(payment)
    settled = standing(payment)
    # A completed turn cannot expire: that keeper is out as well.
    monkeypatch.setattr(queue_services, "end_admission", lambda admission, status: None)
    read.opened.set()

    assert (settled, expiry.outcome()) == (("paid", "completed", 2), None)
    assert standing(payment) == ("lapsed", "completed", 2)
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)


@pytest.mark.parametrize("times", [2, 5])
def test_settling_at_once_settles_once(payment: Payment, event: Event, times: int):
    confirm(payment)

    outcomes = race(lambda _: services.settle_payment(payment), times)

    assert outcomes == [None] * times
    assert standing(payment) == ("paid", "completed", 2)
    assert Ticket.objects.count() == 2
    assert_counters_equal_rows(event)


def test_without_the_gate_settling_at_once_settles_twice(payment: Payment, event: Event, monkeypatch):
    """The negative control: the second has read the hold before the first has settled it."""
    no_gate(monkeypatch)
    monkeypatch.setattr(PaymentQuerySet, "confirmed", lambda self: self.filter(status="confirmed"))
    confirm(payment)
    gate, fulfil = Gate(), settlement._fulfil

    def stopping(order: Order) -> None:
        if not gate.reached.is_set():
            gate.stop_here()
        fulfil(order)

    monkeypatch.setattr(settlement, "_fulfil", stopping)
    # Noting that a payment is settled would lock its row; that keeper is out as well.
    monkeypatch.setattr(PaymentQuerySet, "update", lambda self, **values: self.count())

    slow = Run(partial(services.settle_payment, payment))
    gate.wait_until_reached()
    services.settle_payment(payment)
    gate.opened.set()
    slow.outcome()

    assert Ticket.objects.filter(order=payment.order).count() == 4
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)


def test_two_payments_of_one_order_at_once_keep_one(payment: Payment, event: Event):
    confirm(payment)
    both: list[Payment] = [
        payment,
        PaymentFactory(order=payment.order, status="confirmed", captured_amount=payment.total),
    ]

    race(lambda n: services.settle_payment(both[n]), 2)

    refunds = Payment.objects.exclude(settled_at=None).values_list("refund_reason", flat=True)
    assert Counter(refunds) == {"": 1, "OrderNotPayable": 1}
    assert standing(payment) == ("paid", "completed", 2)
    assert_counters_equal_rows(event)


def test_hold_given_back_at_the_instant_of_paying_is_one_or_the_other(payment: Payment, event: Event):
    services.cancel_payment(payment.order)
    acts = [
        lambda: services.release_order(payment.order),
        lambda: services.start_payment(payment.order, holders=["Ben", "Bea"], email="ben@example.org"),
    ]

    race(lambda n: acts[n](), 2)

    opened = Payment.objects.in_progress().exists()
    assert Order.objects.get(pk=payment.order_id).status == ("held" if opened else "cancelled")
    assert_counters_equal_rows(event)


def test_refund_is_sent_once_by_two_sweeps(payment: Payment):
    Payment.objects.update(
        status="confirmed", captured_amount=330, refund_due_at=timezone.now(), settled_at=timezone.now()
    )

    outcomes = race(lambda _: services.refund_next_payment(), 3)

    assert Counter(outcomes) == {payment.pk: 1, None: 2}


@pytest.fixture
def two_due(payment: Payment) -> list[Payment]:
    """Two payments whose money goes back."""
    confirm(payment)
    other = Payment.objects.create(
        order=payment.order, variant="dummy", status="confirmed", total=payment.total, currency=payment.currency
    )
    Payment.objects.update(captured_amount=330, refund_due_at=timezone.now(), settled_at=timezone.now())
    return [payment, other]


def test_sweep_takes_the_next_refund_while_another_is_leasing_the_first(two_due: list[Payment]):
    """And does not wait for it: a slow sweep must not hold up the money of others."""
    with uncommitted(partial(inspect.unwrap(settlement._lease_refund), ())):
        second = services.refund_next_payment()

    assert second == two_due[1].pk
    assert Payment.objects.get(pk=two_due[1].pk).status == "refunded"


def test_without_passing_over_the_sweep_waits_for_the_other(two_due: list[Payment], monkeypatch):
    """The negative control."""
    select_for_update = QuerySet.select_for_update
    monkeypatch.setattr(
        QuerySet, "select_for_update", lambda rows, **how: select_for_update(rows, **{**how, "skip_locked": False})
    )

    with uncommitted(partial(inspect.unwrap(settlement._lease_refund), ())):
        sweep = Run(services.refund_next_payment)
        wait_until_somebody_waits()

    assert not isinstance(sweep.outcome(), Exception)
