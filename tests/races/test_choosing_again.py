"""Choosing again against paying: a hold is replaced, or it is paid for; never both."""

import inspect
from functools import partial
from typing import Any

import pytest

from events.models import Event
from orders import services
from orders.models import Order, OrderQuerySet, Payment
from orders.refusals import OrderNotPayable, PaymentInProgress
from orders.services import holds
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Queue
from queues.refusals import AdmittanceExpired
from tests.bookkeeping import assert_counters_equal_rows
from tests.races.conftest import turn_at
from tests.racing import Gate, Run, race, uncommitted, wait_until_somebody_waits

NAMES = ["Ben", "Bea"]


@pytest.fixture
def order(queue: Queue) -> Order:
    """A hold of two tickets; somebody else holds two more, which could be mistaken for them."""
    other, others_token = turn_at(queue)
    services.hold_tickets(user=other, token=others_token, wanted={"floor": 2})
    fan, token = turn_at(queue)
    return services.hold_tickets(user=fan, token=token, wanted={"floor": 2})


def choosing(order: Order) -> partial:
    token = admittance.token_for(order.admission)
    return partial(services.hold_tickets, user=order.buyer, token=token, wanted={"vip": 1})


def paying(order: Order) -> partial:
    return partial(services.start_payment, order, holders=NAMES, email="ben@example.org")


def confirmed(order: Order) -> Payment:
    """Return a payment of the order whose money has arrived."""
    payment = paying(order)()
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    return payment


def standing(order: Order) -> tuple[str, str, int]:
    """Return the status of the order and of its turn, and how many tickets were issued."""
    fresh = Order.objects.select_related("admission").get(pk=order.pk)
    return fresh.status, fresh.admission.status, fresh.tickets.count()


@pytest.mark.parametrize("attempt", range(3))
def test_hold_is_replaced_or_paid_for_and_never_both(order: Order, event: Event, attempt: int):
    acts = [choosing(order), paying(order)]

    chosen, paid = race(lambda n: acts[n](), 2)

    if isinstance(chosen, Order):
        assert (type(paid), standing(order)) == (OrderNotPayable, ("replaced", "admitted", 0))
    else:
        assert (type(chosen), type(paid), standing(order)) == (PaymentInProgress, Payment, ("held", "admitted", 0))
    assert_counters_equal_rows(event)


def test_choosing_again_waits_for_a_payment_that_is_being_opened(order: Order, event: Event):
    opening = partial(inspect.unwrap(services.start_payment), order, holders=NAMES, email="ben@example.org")

    with uncommitted(opening):
        choice = Run(choosing(order))
        wait_until_somebody_waits()

    assert type(choice.outcome()) is PaymentInProgress
    assert standing(order) == ("held", "admitted", 0)
    assert_counters_equal_rows(event)


def test_payment_waits_for_a_choice_that_is_being_made(order: Order, event: Event):
    with uncommitted(choosing(order)):
        payment = Run(paying(order))
        wait_until_somebody_waits()

    assert type(payment.outcome()) is OrderNotPayable
    assert (standing(order), Payment.objects.count()) == (("replaced", "admitted", 0), 0)
    assert_counters_equal_rows(event)


def test_choosing_again_after_a_settlement_under_way_finds_the_turn_over(order: Order, event: Event):
    payment = confirmed(order)

    with uncommitted(partial(inspect.unwrap(services.settle_payment), payment)):
        choice = Run(choosing(order))
        wait_until_somebody_waits()

    assert type(choice.outcome()) is AdmittanceExpired
    assert standing(order) == ("paid", "completed", 2)
    assert_counters_equal_rows(event)


def no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the gate and the lock of the order out."""
    monkeypatch.setattr(queue_services, "open_allowance", lambda user, event: None)
    monkeypatch.setattr(OrderQuerySet, "lock", lambda self: self)


def choose_around(order: Order, act: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Do `act` after a choice has read the hold and before it ends it; returns what became of the choice."""
    read, end_hold = Gate(), holds._end_hold

    def stopping(held: Order, status: Order.Status) -> None:
        read.stop_here()
        end_hold(held, status)

    monkeypatch.setattr(holds, "_end_hold", stopping)
    choice = Run(choosing(order))
    read.wait_until_reached()
    act()
    read.opened.set()
    return choice.outcome()


def test_without_the_gate_a_hold_is_replaced_while_it_is_paid_for(order: Order, monkeypatch):
    """The negative control: the choice has read that nothing is being paid; then a payment is opened."""
    no_gate(monkeypatch)

    chosen = choose_around(order, paying(order), monkeypatch)

    assert isinstance(chosen, Order)
    assert (standing(order), Payment.objects.in_progress().count()) == (("replaced", "admitted", 0), 1)


def test_without_the_gate_a_paid_order_is_replaced(order: Order, event: Event, monkeypatch):
    """The negative control: the choice has read the hold; then it is paid for and the turn is over."""
    no_gate(monkeypatch)
    payment = confirmed(order)
    # Money that has arrived is looked for; that keeper is out, and so is the turn's mark, which compares.
    monkeypatch.setattr(Order, "has_payment_in_progress", lambda order: False)
    write = holds._write_order

    def write_without_comparing(admission: Admission, tiers: dict) -> Order:
        Admission.objects.filter(pk=admission.pk).update(status="admitted", order_code=admission.order_code)
        return write(admission, tiers)

    monkeypatch.setattr(holds, "_write_order", write_without_comparing)

    chosen = choose_around(order, partial(services.settle_payment, payment), monkeypatch)

    assert isinstance(chosen, Order)
    assert standing(order) == ("replaced", "admitted", 2)
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)
