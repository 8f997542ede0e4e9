"""Money that has arrived: into tickets, or back.

Each function may run any number of times, at the same time, by a fan who returns and by a sweep: the first to have the
gate does the work, the others find it done.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.error import URLError

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from payments import PaymentError, PaymentStatus
from payments.core import provider_factory

from accounts import mailbox
from accounts.models import Letter
from accounts.refusals import Refusal
from events import services as event_services
from orders import facts
from orders.models import Order, Payment, Ticket
from orders.refusals import OrderNotPayable
from queues import services as queue_services
from queues.models import Admission
from webhooks.models import FactType

logger = logging.getLogger(__name__)

# Longer than any call to a provider may take.
REFUND_LEASE = timedelta(seconds=60)
WRONG_AMOUNT = "wrong_amount"


def settle_order(order: Order) -> None:
    """Settle whatever money has arrived for an order."""
    for payment in Payment.objects.of(order).confirmed().order_by("pk"):
        settle_payment(payment)


def settle_next_payment(*, excluding: Collection[int] = ()) -> int | None:
    """Settle the oldest confirmed payment; returns its pk, or None if there is none.

    One that cannot be settled is logged; its pk, given back in `excluding`, keeps it from stopping the others.
    """
    payment = Payment.objects.confirmed().exclude(pk__in=excluding).order_by("pk").first()
    if payment is None:
        return None
    try:
        settle_payment(payment)
    except Exception:
        logger.exception("Payment %s could not be settled", payment.pk)
    return payment.pk


@transaction.atomic(durable=True)
def settle_payment(payment: Payment) -> None:
    """Turn a confirmed payment into tickets, or else mark it to be refunded. Twice changes nothing.

    For a hold, reserved becomes sold. Money that comes after the hold has ended takes tickets as if chosen now,
    if limits, event, allocation and stock allow it. Money that is not what the order costs takes none.
    There is never "paid, no ticket": one or the other is committed.
    """
    order = payment.order
    queue_services.open_allowance(order.buyer, order.event)
    order = _with_what_it_needs().lock().get(pk=order.pk)
    if not Payment.objects.confirmed().filter(pk=payment.pk).update(settled_at=Now()):
        return
    payment.refresh_from_db()
    if not _is_what_it_costs(payment, order):
        _refund(payment, order, WRONG_AMOUNT)
    elif order.is_held and not order.event.is_cancelled:
        _fulfil(order)
        event_services.sell_stock(order.quantities())
    else:
        _settle_late(payment, order)


def _is_what_it_costs(payment: Payment, order: Order) -> bool:
    """Tell whether the order's total was asked for, and has arrived."""
    return (payment.total, payment.captured_amount, payment.currency) == (order.total, order.total, order.currency)


def _with_what_it_needs() -> Any:
    orders = Order.objects.select_related("event__venue", "queue__event").with_lines()
    return orders.annotate(is_heard=facts.is_heard(FactType.ORDER_PAID))


def _settle_late(payment: Payment, order: Order) -> None:
    try:
        # A savepoint: a limit or a stock that says no must not take the note on the payment back.
        with transaction.atomic():
            _take_late(order)
    except Refusal as refusal:
        _refund(payment, order, type(refusal).__name__)


def _take_late(order: Any) -> None:
    """Take what a lapsed hold had, anew.

    Raises:
        OrderNotPayable: the order is paid or refunded already, the event is cancelled, or the account is closed.
        OrderLimitReached, TicketLimitReached, NoneLeftInQueue, TooFewLeftInQueue, SoldOut, NotEnoughTickets
    """
    is_over = order.status in {Order.Status.PAID, Order.Status.REFUNDED} or order.event.is_cancelled
    if is_over or order.buyer.is_closed:
        raise OrderNotPayable
    queue_services.add_to_allowance(order.buyer, order.queue, tickets=order.ticket_count())
    _fulfil(order)
    queue_services.hold_allocation(order.queue, order.ticket_count())
    event_services.hold_stock(order.quantities())
    event_services.sell_stock(order.quantities())


def _fulfil(order: Any) -> None:
    """Write all that being paid means, but for the stock, which is the caller's last statement."""
    order.move_to(Order.Status.PAID)
    Order.objects.filter(pk=order.pk).update(status=order.status, paid_at=Now(), ended_at=None)
    Ticket.objects.bulk_create(_tickets(order))
    _complete_admission(order)
    post_receipt(order)
    if order.is_heard:
        facts.publish_paid(order.pk)


def post_receipt(order: Order) -> None:
    """Write the receipt; a step of the caller's transaction, who knows that the order is paid."""
    mailbox.post(
        to=order.contact_email,
        template="order_paid",
        context=_letter_context(order),
        kind=Letter.Kind.RECEIPT,
    )


def _tickets(order: Order) -> list[Ticket]:
    tiers = [tier for tier, quantity in order.quantities().items() for _ in range(quantity)]
    return [
        Ticket(order=order, tier=tier, event=order.event, owner=order.buyer, holder_name=holder)
        for tier, holder in zip(tiers, order.holders, strict=True)
    ]


def _complete_admission(order: Order) -> None:
    admission = queue_services.lock_turn(order.admission_id, ending=Admission.Status.COMPLETED)
    # After a hold was replaced or given back the turn may have gone on to another order; that one ends it.
    if admission.order_code == order.code and admission.status != Admission.Status.COMPLETED:
        queue_services.end_admission(admission, Admission.Status.COMPLETED)


def _refund(payment: Payment, order: Order, reason: str) -> None:
    if payment.captured_amount == 0:
        # Free tickets, save where a provider says that it has the money and names none.
        if payment.total:
            logger.error("Payment %s is confirmed, and nothing of it has arrived", payment.pk)
        return
    Payment.objects.filter(pk=payment.pk).update(refund_due_at=Now(), refund_reason=reason)
    if order.buyer.is_closed:
        return
    mailbox.post(
        to=order.contact_email,
        template="payment_refunded",
        # By the rows: a settlement that was taken back has left its marks on `order` itself.
        context={
            **_letter_context(order),
            "payment": payment,
            "has_tickets": order.tickets.exists(),
            "is_wrong_amount": reason == WRONG_AMOUNT,
        },
        kind=Letter.Kind.RECEIPT,
    )


def _letter_context(order: Order) -> dict:
    return {
        "order": order,
        "event": order.event,
        "lines": list(order.lines.all()),
        "name": order.buyer.name,
        "order_url": settings.SITE_URL + order.get_absolute_url(),
        "tickets_url": settings.SITE_URL + reverse("orders:tickets"),
        "calendar_url": settings.SITE_URL + reverse("events:calendar", args=[order.event.slug]),
    }


def refund_next_payment(*, excluding: Collection[int] = ()) -> int | None:
    """Send money that found no tickets back through its provider; returns the payment's pk, or None if there is none.

    The payment is leased to this call, so that no other sends the same money at the same time. A provider that fails
    leaves the refund due; it is tried again when the lease has ended.
    """
    payment = _lease_refund(excluding)
    if payment is None:
        return None
    try:
        amount = _send_back(payment)
    except (PaymentError, URLError, OSError, ValueError) as error:
        logger.error("Payment %s: the refund failed and stays due: %s", payment.pk, error)
    else:
        _note_refund(payment, amount)
    return payment.pk


@transaction.atomic(durable=True)
def _lease_refund(excluding: Collection[int]) -> Payment | None:
    due = Payment.objects.to_refund().exclude(pk__in=excluding).order_by("pk")
    payment = due.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
    if payment is not None:
        Payment.objects.filter(pk=payment.pk).update(refund_leased_until=Now() + REFUND_LEASE)
        payment.refresh_from_db()
    return payment


def _send_back(payment: Payment) -> Decimal:
    """Ask the provider to send back all that has arrived; returns what it has sent. No transaction is open.

    Raises:
        PaymentError, URLError, OSError, ValueError: the provider failed.
    """
    return Decimal(provider_factory(payment.variant, payment).refund(payment, payment.captured_amount))


@transaction.atomic(durable=True)
def _note_refund(payment: Payment, amount: Decimal) -> None:
    """Write down what the provider has sent back.

    An order that is paid stays so, and nothing is told of it: it was paid twice, and one payment is left.
    """
    is_heard = facts.is_heard(FactType.ORDER_REFUNDED)
    order: Any = Order.objects.annotate(is_heard=is_heard).lock().get(pk=payment.order_id)
    payment.captured_amount -= amount
    if payment.captured_amount <= 0:
        payment.status = PaymentStatus.REFUNDED
    payment.save(update_fields=["captured_amount", "status"])
    if payment.status == PaymentStatus.REFUNDED and order.is_heard and not order.is_paid:
        facts.publish_refunded(order.pk, amount)
