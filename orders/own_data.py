"""What is kept of a person's purchases: for the person to read."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from orders.models import Order, Payment, Ticket


def of_purchases(user: User) -> dict[str, Any]:
    """Return the orders with lines and payments, and the tickets, without the codes that let somebody in."""
    orders = Order.objects.for_buyer(user).select_related("event", "queue").with_lines().order_by("pk")
    payments: dict[int, list[Payment]] = {}
    for payment in Payment.objects.filter(order__buyer=user).order_by("pk"):
        payments.setdefault(payment.order_id, []).append(payment)
    tickets = Ticket.objects.for_owner(user).select_related("event", "tier", "order").order_by("pk")
    return {
        "orders": [_order(order, payments.get(order.pk, [])) for order in orders],
        "tickets": [_ticket(ticket) for ticket in tickets],
    }


def _order(order: Order, payments: list[Payment]) -> dict[str, Any]:
    lines = order.lines.all()
    return {
        "confirmation_number": order.code,
        "event": order.event.name,
        "queue": order.queue.name,
        "status": order.status,
        "contact_email": order.email,
        "holders": order.holders,
        "lines": [
            {"tier": line.tier.name, "quantity": line.quantity, "price": line.unit_price, "service_fee": line.unit_fee}
            for line in lines
        ],
        "subtotal": order.subtotal,
        "service_fee": order.service_fee,
        "total": order.total,
        "currency": order.currency,
        "held_since": order.created_at,
        "terms_accepted_at": order.terms_accepted_at,
        "paid_at": order.paid_at,
        "ended_at": order.ended_at,
        "payments": [_payment(payment) for payment in payments],
    }


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "begun_at": payment.created,
        "paid_by": payment.variant,
        "status": payment.status,
        "total": payment.total,
        "currency": payment.currency,
        "billing_email": payment.billing_email,
        "settled_at": payment.settled_at,
        "refund_due_at": payment.refund_due_at,
    }


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.public_id,
        "event": ticket.event.name,
        "starts_at": ticket.event.starts_at,
        "tier": ticket.tier.name,
        "holder": ticket.holder_name,
        "status": ticket.status,
        "issued_at": ticket.issued_at,
        "confirmation_number": ticket.order.code,
    }
