"""What happens to an order, as it is told to the organizer's programs (see docs/webhooks.md)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef

from orders.models import Order
from queues import facts as queue_facts
from queues.models import Admission
from webhooks import outbox
from webhooks.models import FactType


def is_heard(fact_type: FactType) -> Exists:
    """Return whether somebody listens, as an annotation of a query of orders."""
    return outbox.is_heard(fact_type, organizer=OuterRef("event__organizer"))


def publish_paid(order_id: int) -> None:
    """Tell that an order was paid; a step of the transaction that says so, and that holds its admission's lock."""
    _publish(FactType.ORDER_PAID, order_id, {})


def publish_refunded(order_id: int, amount: Decimal) -> None:
    """Tell that money of an order went back; a step of the transaction that notes it.

    Takes the admission's lock, so that the facts of one passage keep their order.
    """
    _publish(FactType.ORDER_REFUNDED, order_id, {"refund": {"amount": amount}})


def _publish(fact_type: FactType, order_id: int, more: dict[str, Any]) -> None:
    order = Order.objects.with_lines().get(pk=order_id)
    admission = Admission.objects.lock().get(pk=order.admission_id)
    sale = queue_facts.read_sale(order.queue_id)
    about = {**queue_facts.about_admission(admission, sale), "order": _about(order) | more}
    outbox.publish(fact_type, organizer_id=sale.organizer_id, admission=admission.public_id, data=about)


def _about(order: Order) -> dict[str, Any]:
    lines = [
        {
            "tier": line.tier.slug,
            "name": line.tier.name,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "unit_fee": line.unit_fee,
        }
        for line in order.lines.all()
    ]
    return {
        "code": order.code,
        "status": order.status,
        "currency": order.currency,
        "subtotal": order.subtotal,
        "service_fee": order.service_fee,
        "total": order.total,
        "paid_at": order.paid_at,
        "lines": lines,
    }
