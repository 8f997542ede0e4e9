"""Money that has arrived and is not settled yet: the order stays as it is, and nobody pays twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Letter, User
from events import services as event_services
from events.models import Tier
from orders import refusals, services
from orders.models import Order, Payment, Ticket
from queues.models import Admission
from queues.refusals import AdmittanceExpired
from tests.bookkeeping import assert_counters_equal_rows
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db

NAMES = ["Ben", "Bea"]
Act = Callable[[Order, str], object]


@pytest.fixture
def arrived(payment: Payment) -> Payment:
    services.submit_payment(payment, {"outcome": "confirm"})
    return payment


@pytest.mark.parametrize(
    "act",
    [
        lambda order, token: services.hold_tickets(user=order.buyer, token=token, wanted={"vip": 1}),
        lambda order, token: services.release_order(order),
        lambda order, token: services.leave_line(order.admission),
    ],
    ids=["choose again", "give back", "leave"],
)
def test_paid_for_tickets_are_not_let_go_before_the_settlement(arrived: Payment, order: Order, token: str, act: Act):
    before = traces()

    with pytest.raises(refusals.PaymentInProgress):
        act(order, token)

    assert traces() == before
    services.settle_payment(arrived)
    assert Order.objects.get().is_paid
    assert_counters_equal_rows(order.event)


def test_paying_again_before_the_settlement_opens_no_second_payment(arrived: Payment, order: Order):
    again = services.start_payment(order, holders=NAMES, email="ben@example.org")

    assert again == arrived
    assert Payment.objects.count() == 1


def test_free_tickets_taken_by_a_double_click_are_one_order(token: str, ben: User, floor: Tier):
    Tier.objects.update(price=0)
    order = services.hold_tickets(user=ben, token=token, wanted={"floor": 2})
    first = services.start_payment(order, holders=NAMES, email="ben@example.org")
    second = services.start_payment(order, holders=NAMES, email="ben@example.org")

    services.settle_payment(first)
    services.settle_payment(second)

    assert (Payment.objects.count(), Ticket.objects.count(), Letter.objects.count()) == (1, 2, 1)
    assert Payment.objects.to_refund().count() == 0


def test_free_order_that_comes_late_has_nothing_to_give_back(token: str, ben: User, vip: Tier):
    Tier.objects.update(price=0)
    order = services.hold_tickets(user=ben, token=token, wanted={"vip": 1})
    payment = services.start_payment(order, holders=["Ben"], email="ben@example.org")
    Order.objects.update(status="lapsed")
    event_services.cancel_event(order.event)

    services.settle_payment(payment)

    assert (Payment.objects.to_refund().count(), Letter.objects.count(), Ticket.objects.count()) == (0, 0, 0)


def test_grace_is_given_once_in_a_turn_however_often_tickets_are_chosen(order: Order, token: str, ben: User):
    soon = timezone.now() + timedelta(seconds=30)
    Order.objects.update(hold_ends_at=soon)
    Admission.objects.update(window_ends_at=soon)
    payment = services.start_payment(order, holders=NAMES, email="ben@example.org")
    extended = Admission.objects.get().window_ends_at
    assert extended is not None
    assert extended > soon
    for wanted in ({"floor": 1}, {"floor": 2}):
        services.cancel_payment(payment.order)
        Admission.objects.update(window_ends_at=soon)
        held = services.hold_tickets(user=ben, token=token, wanted=wanted)
        payment = services.start_payment(held, holders=NAMES[: wanted["floor"]], email="ben@example.org")

        held.refresh_from_db()
        assert (held.hold_ends_at, Admission.objects.get().window_ends_at) == (soon, soon)


def test_cancelled_event_takes_no_money(order: Order):
    event_services.cancel_event(order.event)
    before = traces()

    with pytest.raises(refusals.OrderNotPayable):
        services.start_payment(Order.objects.get(), holders=NAMES, email="ben@example.org")

    assert traces() == before


def test_money_for_a_cancelled_event_goes_back(arrived: Payment, order: Order):
    event_services.cancel_event(order.event)

    services.settle_payment(arrived)
    services.refund_next_payment()

    assert Payment.objects.values_list("status", "refund_reason").get() == ("refunded", "OrderNotPayable")
    assert Ticket.objects.count() == 0


def test_turn_that_was_not_claimed_in_time_holds_nothing(admission: Admission, token: str, ben: User):
    Admission.objects.update(claim_ends_at=timezone.now() - timedelta(seconds=1), claimed_at=None)
    before = traces()

    with pytest.raises(AdmittanceExpired):
        services.hold_tickets(user=ben, token=token, wanted={"floor": 1})

    assert traces() == before
    Admission.objects.update(claimed_at=timezone.now() - timedelta(seconds=5))
    assert services.hold_tickets(user=ben, token=token, wanted={"floor": 1}).is_held


def test_addresses_of_the_payment_library_change_nothing(payment: Payment, client: Client):
    before = traces()

    static = client.post("/payments/process/dummy/")
    own = client.get(f"/payments/process/{payment.token}/?verification_result=confirmed")

    assert (static.status_code, own.status_code) == (400, 302)
    assert traces() == before
