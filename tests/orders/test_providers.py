"""Play money says what it says once, whatever an older tab sends after."""

from typing import Any

import pytest
from payments import PaymentStatus

from orders import services
from orders.models import Order, Payment

pytestmark = pytest.mark.django_db


def older_tab(payment: Payment) -> Payment:
    """Return the payment as a tab has read it that was opened before anything happened."""
    return Payment.objects.get(pk=payment.pk)


@pytest.mark.parametrize("late", [{"outcome": "decline"}, {"outcome": "abandon"}, None])
def test_confirmed_payment_stays_so_whatever_an_older_tab_sends(payment: Payment, late: dict[str, str] | None):
    tab = older_tab(payment)
    services.submit_payment(payment, {"outcome": "confirm"})
    services.settle_payment(payment)

    services.submit_payment(tab, late)

    kept = Payment.objects.get(pk=payment.pk)
    assert (kept.status, kept.captured_amount) == (PaymentStatus.CONFIRMED, payment.total)
    assert Order.objects.get(pk=payment.order_id).is_paid


def test_declined_payment_is_not_confirmed_by_an_older_tab(payment: Payment):
    tab = older_tab(payment)
    services.submit_payment(payment, {"outcome": "decline"})

    services.submit_payment(tab, {"outcome": "confirm"})

    assert Payment.objects.get(pk=payment.pk).status == PaymentStatus.REJECTED


def test_payment_cancelled_here_can_still_be_confirmed_there(order: Order, payment: Payment):
    tab = older_tab(payment)
    services.cancel_payment(order)

    services.submit_payment(tab, {"outcome": "confirm"})

    assert Payment.objects.get(pk=payment.pk).status == PaymentStatus.CONFIRMED


def test_standing_at_the_counter_opens_the_form_and_nothing_else(payment: Payment):
    assert services.submit_payment(payment) is None

    assert Payment.objects.get(pk=payment.pk).status == PaymentStatus.INPUT


def test_provider_elsewhere_is_told_the_whole_address_to_come_back_to(payment: Payment, settings: Any):
    settings.SITE_URL = "https://tickets.example.com"
    back = f"https://tickets.example.com/orders/{payment.order.code}/return/"

    assert (payment.get_success_url(), payment.get_failure_url()) == (back, back)
