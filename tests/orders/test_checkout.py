"""From names to the provider and back."""

from datetime import timedelta
from decimal import Decimal
from urllib.error import URLError

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from payments import PaymentError
from pytest_django import Settings

from accounts.refusals import Refusal
from events.models import Tier
from orders import refusals, services
from orders.models import Order, Payment
from orders.providers import PlayMoneyProvider
from queues.models import Admission
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import PaymentFactory
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db

NAMES = ["Ben", "Bea"]
SECOND = timedelta(seconds=1)


def start(order: Order, holders: list[str] | None = None) -> Payment:
    return services.start_payment(order, holders=NAMES if holders is None else holders, email="ben@example.org")


def refused(order: Order, holders: list[str] | None = None) -> type[Refusal]:
    before = traces()
    with pytest.raises(Refusal) as refusal:
        start(order, holders)
    assert traces() == before
    return type(refusal.value)


def deadlines() -> tuple[int, int]:
    """Return in how many seconds hold and turn end."""
    now = timezone.now()
    hold, turn = Order.objects.values_list("hold_ends_at", "admission__window_ends_at").get()
    assert turn is not None
    return round((hold - now).total_seconds()), round((turn - now).total_seconds())


def move_deadlines(seconds: float) -> None:
    deadline = timezone.now() + timedelta(seconds=seconds)
    Order.objects.update(hold_ends_at=deadline)
    Admission.objects.update(window_ends_at=deadline)


def test_payment_is_of_the_whole_order(order: Order):
    payment = Payment.objects.get(pk=start(order).pk)

    order.refresh_from_db()
    assert (payment.order, payment.total, payment.currency, payment.status) == (order, order.total, "USD", "waiting")
    assert (payment.description, payment.billing_email) == (order.code, "ben@example.org")
    assert (order.holders, order.email, order.terms_accepted_at is None) == (NAMES, "ben@example.org", False)
    assert order.is_held


def test_provider_is_told_what_is_bought(payment: Payment):
    (item,) = payment.get_purchased_items()

    assert (item.name, item.quantity, item.price, item.currency, item.sku) == ("Floor", 2, 165, "USD", "floor")


def test_starting_twice_gives_the_same_payment(payment: Payment):
    assert start(payment.order) == payment
    assert Payment.objects.count() == 1


def test_order_has_one_open_payment(payment: Payment):
    with pytest.raises(IntegrityError, match="order_is_paid_by_one_payment_at_a_time"), transaction.atomic():
        PaymentFactory(order=payment.order)

    assert Payment.objects.get() == payment


@pytest.mark.parametrize("holders", [[], ["Ben"], ["Ben", "Bea", "Bo"], ["Ben", " "]])
def test_payment_needs_a_name_for_each_ticket(order: Order, holders: list[str]):
    assert refused(order, holders) is refusals.OrderNotPayable


@pytest.mark.parametrize("seconds", [-1, 0])
def test_payment_does_not_start_once_the_time_is_over(order: Order, seconds: int):
    move_deadlines(seconds)

    assert refused(order) is refusals.HoldLapsed


def test_payment_starts_while_there_is_time(order: Order):
    move_deadlines(5)

    assert start(order).status == "waiting"


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("lapsed", refusals.HoldLapsed),
        ("cancelled", refusals.OrderNotPayable),
        ("replaced", refusals.OrderNotPayable),
        ("paid", refusals.OrderNotPayable),
        ("refunded", refusals.OrderNotPayable),
    ],
)
def test_payment_is_of_a_hold_only(order: Order, status: str, refusal: type[Refusal]):
    Order.objects.update(status=status, paid_at=timezone.now())

    assert refused(order) is refusal


def test_paying_in_time_extends_hold_and_turn_to_the_grace(order: Order):
    move_deadlines(5)

    start(order)

    assert deadlines() == (120, 120)


def test_grace_is_the_setting(order: Order, settings: Settings):
    settings.PAYMENT_GRACE_SECONDS = 45
    move_deadlines(5)

    start(order)

    assert deadlines() == (45, 45)


def test_grace_shortens_nothing(order: Order):
    move_deadlines(500)

    start(order)

    assert deadlines() == (500, 500)


def test_grace_is_given_once(order: Order):
    start(order)
    services.cancel_payment(order)
    move_deadlines(5)

    start(order)

    assert deadlines() == (5, 5)


def test_play_money_shows_a_form_first(payment: Payment):
    assert services.submit_payment(payment) is None
    assert Payment.objects.get().status == "input"


def test_provider_is_not_asked_inside_a_transaction(payment: Payment):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        services.submit_payment(payment, {"outcome": "confirm"})

    assert Payment.objects.get().status == "waiting"


def test_confirmed_payment_is_noted_and_settled_on_return(payment: Payment):
    onward = services.submit_payment(payment, {"outcome": "confirm"})

    payment.refresh_from_db()
    assert onward == f"/orders/{payment.order.code}/return/"
    assert (payment.status, payment.captured_amount, payment.settled_at) == ("confirmed", Decimal("330.00"), None)
    assert Order.objects.get().is_held
    services.settle_order(payment.order)
    assert Order.objects.get().is_paid
    assert_counters_equal_rows(payment.order.event)


def test_declined_payment_leaves_hold_time_and_names_and_a_second_try_succeeds(payment: Payment):
    before = deadlines()
    services.submit_payment(payment, {"outcome": "decline"})

    declined = Payment.objects.get()
    assert (declined.status, declined.is_declined, deadlines()) == ("rejected", True, before)
    assert (Order.objects.get().status, Order.objects.get().holders) == ("held", NAMES)

    second = start(payment.order)
    services.submit_payment(second, {"outcome": "confirm"})
    services.settle_order(payment.order)

    assert (second != payment, Order.objects.get().status) == (True, "paid")
    assert_counters_equal_rows(payment.order.event)


def test_abandoned_payment_stays_open(payment: Payment):
    services.submit_payment(payment, {"outcome": "abandon"})

    assert Payment.objects.in_progress().get() == payment
    assert start(payment.order) == payment


def test_payment_confirmed_twice_is_confirmed_once(payment: Payment):
    services.submit_payment(payment, {"outcome": "confirm"})
    services.submit_payment(payment, {"outcome": "confirm"})
    services.submit_payment(payment, {"outcome": "decline"})

    assert Payment.objects.values_list("status", "captured_amount").get() == ("confirmed", Decimal("330.00"))


def test_cancelled_payment_is_open_no_more(payment: Payment):
    services.cancel_payment(payment.order)

    assert Payment.objects.values_list("status", "order__status").get() == ("cancelled", "held")
    assert not payment.order.has_payment_in_progress()


def test_cancelling_does_not_touch_money_that_has_arrived(payment: Payment):
    services.submit_payment(payment, {"outcome": "confirm"})

    services.cancel_payment(payment.order)

    assert Payment.objects.get().status == "confirmed"


@pytest.mark.parametrize("error", [PaymentError("no"), URLError("no way"), TimeoutError()])
def test_provider_that_fails_leaves_the_payment_open(payment: Payment, monkeypatch, error: Exception):
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(PlayMoneyProvider, "get_form", fail)

    with pytest.raises(refusals.PaymentUnavailable) as refused:
        services.submit_payment(payment, {"outcome": "confirm"})

    assert str(refused.value).startswith("The payment provider cannot be reached.")
    assert Payment.objects.values_list("status", "order__status").get() == ("waiting", "held")


def test_free_order_is_confirmed_at_once(token: str, ben, floor: Tier):
    Tier.objects.update(price=0)
    order = services.hold_tickets(user=ben, token=token, wanted={"floor": 2})

    payment = start(order)
    confirmed = payment.status
    services.settle_payment(payment)

    order.refresh_from_db()
    assert (confirmed, payment.total, order.is_free, order.status) == ("confirmed", Decimal(0), True, "paid")
    assert_counters_equal_rows(order.event)
