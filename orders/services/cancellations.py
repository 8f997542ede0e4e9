"""An event that does not take place: its buyers are told, once each, in batches.

The mark on the order and the letter are one transaction, so that a worker that dies leaves every buyer either still to
be told, or told.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from accounts import mailbox
from accounts.models import Letter
from orders.models import Order

# Bounds the transaction; the next one goes on.
TOLD_AT_ONCE = 300


@transaction.atomic(durable=True)
def tell_next_buyers() -> int:
    """Write to the first buyers, `TOLD_AT_ONCE` at most, of events that are cancelled; returns how many orders it was.

    An order that somebody else is just changing is passed over, and found the next time.
    """
    orders = take_orders()
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(cancellation_told_at=Now())
    mailbox.post_to_each(
        [(order.email or order.buyer.email, _facts(order)) for order in orders],
        template="event_cancelled",
        context={"events_url": settings.SITE_URL + reverse("queues:events")},
        kind=Letter.Kind.MASS,
    )
    return len(orders)


def take_orders() -> list[Order]:
    """Return the first orders whose buyers are to be told, locked: no other sweep takes them, too."""
    due = Order.objects.to_tell_of_cancellation().select_related("event__venue", "event__organizer", "buyer")
    due = due.with_lines().order_by("pk").select_for_update(of=("self",), no_key=True, skip_locked=True)
    return list(due[:TOLD_AT_ONCE])


def _facts(order: Order) -> dict[str, object]:
    return {
        "name": order.buyer.name,
        "order": order,
        "event": order.event,
        "lines": list(order.lines.all()),
        "order_url": settings.SITE_URL + order.get_absolute_url(),
    }
