"""Paying: from names to the provider and back.

A call to a provider stands between two transactions. The first writes the payment down; what becomes of it the
provider's answer, or its call-back, notes on the payment; settlement does the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.error import URLError

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Greatest, Now
from payments import PaymentError, PaymentStatus, RedirectNeeded

from orders.models import Order, Payment
from orders.refusals import HoldLapsed, OrderNotPayable, PaymentUnavailable
from queues import services as queue_services
from queues.models import Admission

logger = logging.getLogger(__name__)

FREE = "free"


@transaction.atomic
def start_payment(order: Order, *, holders: Sequence[str], email: str) -> Payment:
    """Write down who the tickets are for and open a payment; the terms have been accepted.

    Once in a turn, the hold and the turn are extended to `PAYMENT_GRACE_SECONDS` from now if less is left. While a
    payment is open, or has arrived and is not settled yet, that one is returned. A free order is confirmed at once.

    Raises:
        HoldLapsed: the time is over.
        OrderNotPayable: the order is not held, its event is cancelled, or there are not as many names as tickets.
    """
    queue_services.open_allowance(order.buyer, order.event)
    held = Order.objects.within_hold().with_lines().lock().filter(pk=order.pk).first()
    if held is None:
        raise _why_not(order)
    if held.event.is_cancelled or len(holders) != held.ticket_count() or not all(holder.strip() for holder in holders):
        raise OrderNotPayable
    going_on = Payment.objects.of(held).unsettled().first()
    if going_on is not None:
        return going_on
    Order.objects.filter(pk=held.pk).update(holders=list(holders), email=email, terms_accepted_at=Now())
    _extend_once(held)
    return _open_payment(held, email)


def _why_not(order: Order) -> HoldLapsed | OrderNotPayable:
    status = Order.objects.values_list("status", flat=True).get(pk=order.pk)
    return HoldLapsed() if status in {Order.Status.HELD, Order.Status.LAPSED} else OrderNotPayable()


def _extend_once(order: Order) -> None:
    grace = Now() + timedelta(seconds=settings.PAYMENT_GRACE_SECONDS)
    # The mark is the turn's: choosing again makes a new order, which must not be a way to more and more time.
    turn = Admission.objects.filter(pk=order.admission_id)
    extended = turn.filter(grace_given_at__isnull=True).update(
        window_ends_at=Greatest("window_ends_at", grace), grace_given_at=Now()
    )
    if extended:
        until = turn.values("window_ends_at")[:1]
        Order.objects.filter(pk=order.pk).update(hold_ends_at=Greatest("hold_ends_at", until))


def _open_payment(order: Order, email: str) -> Payment:
    return Payment.objects.create(
        order=order,
        variant=FREE if order.is_free else settings.PAYMENT_VARIANT,
        status=PaymentStatus.CONFIRMED if order.is_free else PaymentStatus.WAITING,
        total=order.total,
        currency=order.currency,
        description=order.code,
        billing_email=email,
    )


def submit_payment(payment: Payment, data: Mapping[str, str] | None = None) -> str | None:
    """Talk to the provider; returns where to send the browser, or None while the provider's form is to be filled in.

    Whatever the provider says is noted on the payment, which has been committed.

    Raises:
        PaymentUnavailable: the provider cannot be reached, or answers nonsense; the payment stays open.
        RuntimeError: a transaction is open, which would wait for the provider and could still take the payment back.
    """
    with transaction.atomic(durable=True):
        # Refuses to be inside another one. Empty as it is, nothing is sent for it.
        pass
    try:
        payment.get_form(data=data)
    except RedirectNeeded as redirect:
        return str(redirect)
    except (PaymentError, URLError, OSError) as error:
        logger.warning("Payment %s: the provider failed: %s", payment.pk, error)
        raise PaymentUnavailable from error
    return None


@transaction.atomic
def cancel_payment(order: Order) -> None:
    """End the open payment of an order, so that the fan may choose again; money that still comes is settled as such."""
    Payment.objects.of(order).in_progress().update(status=PaymentStatus.CANCELLED)
