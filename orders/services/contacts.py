"""Where an order's letters go: mended by staff when it was mistyped."""

from __future__ import annotations

from django.db import transaction

from accounts import closing
from orders.models import Order
from orders.refusals import NotPaid
from orders.services.settlement import post_receipt


@transaction.atomic
def correct_contact(order: Order, *, email: str) -> str:
    """Make `email` the address that letters about the order go to; returns the one before.

    Raises:
        AccountClosed: nothing is changed; of the buyer nothing is kept.
    """
    closing.keep_open(order.buyer)
    before = Order.objects.lock().get(pk=order.pk)
    Order.objects.filter(pk=order.pk).update(email=email)
    return before.email or order.buyer.email


@transaction.atomic
def send_receipt(order: Order) -> None:
    """Write the receipt once more, to the order's present address.

    Raises:
        NotPaid, AccountClosed: nothing is written.
    """
    closing.keep_open(order.buyer)
    paid = Order.objects.paid().select_related("event__venue", "buyer").with_lines().filter(pk=order.pk).first()
    if paid is None:
        raise NotPaid
    post_receipt(paid)
