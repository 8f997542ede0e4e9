"""The books of an event: what the counters say, and what the rows say."""

from __future__ import annotations

from collections import Counter

from django.db.models import QuerySet

from events.models import Event, Tier
from orders.models import Line, Order, Payment, Ticket
from queues.models import Admission, Allowance, Queue

LIVE = {Order.Status.HELD, Order.Status.PAID}

Books = dict[str, dict]


def assert_counters_equal_rows(event: Event) -> None:
    """Compare every counter of an event with the rows that it counts, and every row with the rows beside it."""
    assert counted(event) == found(event)
    assert oversold(event) == []


def counted(event: Event) -> Books:
    """What tiers, allowances, admissions and queues say."""
    admissions = Admission.objects.filter(queue__event=event)
    allowances = Allowance.objects.filter(event=event)
    return {
        "reserved": dict(_some(Tier.objects.filter(event=event).values_list("pk", "reserved_count"))),
        "sold": dict(_some(Tier.objects.filter(event=event).values_list("pk", "sold_count"))),
        "orders of a fan": dict(_some(allowances.values_list("user", "order_count"))),
        "tickets of a fan": dict(_some(allowances.values_list("user", "ticket_count"))),
        "turns with a hold": dict(admissions.filter(has_hold=True).values_list("pk", "order_code")),
        "tickets of a queue": dict(_some(_limited(event).values_list("pk", "allocated_count"))),
        "tickets of an order": _lines(event, Order.Status.PAID),
        "paid orders": dict(_charged(event)),
    }


def found(event: Event) -> Books:
    """What orders, lines and tickets say about the same."""
    lines = Line.objects.filter(order__event=event, order__status__in=LIVE).select_related("order")
    reserved, sold, orders, tickets = Counter[int](), Counter[int](), Counter[int](), Counter[int]()
    of_queues, limited = Counter[int](), set(_limited(event).values_list("pk", flat=True))
    for line in lines:
        tickets[line.order.buyer_id] += line.quantity
        if line.order.queue_id in limited:
            of_queues[line.order.queue_id] += line.quantity
        if line.order.is_held:
            reserved[line.tier_id] += line.quantity
    for order in Order.objects.filter(event=event, status__in=LIVE):
        orders[order.buyer_id] += 1
    valid = Ticket.objects.filter(event=event).exclude(status=Ticket.Status.VOID)
    for tier_id in valid.values_list("tier", flat=True):
        sold[tier_id] += 1
    held = Order.objects.held().filter(event=event)
    return {
        "reserved": dict(reserved),
        "sold": dict(sold),
        "orders of a fan": dict(orders),
        "tickets of a fan": dict(tickets),
        "turns with a hold": dict(held.values_list("admission", "code")),
        "tickets of a queue": dict(of_queues),
        "tickets of an order": dict(Counter(valid.values_list("order", flat=True))),
        "paid orders": dict.fromkeys(Order.objects.paid().filter(event=event).values_list("pk", flat=True), 1),
    }


def oversold(event: Event) -> list[str]:
    """Return the tiers of which more tickets are held and valid than there are."""
    rows = found(event)
    return [
        tier.name
        for tier in Tier.objects.filter(event=event)
        if rows["sold"].get(tier.pk, 0) + rows["reserved"].get(tier.pk, 0) > tier.quantity + tier.returned_count
    ]


def _limited(event: Event) -> QuerySet[Queue]:
    """Queues that have an allocation: of the others nothing is counted."""
    return Queue.objects.filter(event=event, allocation__isnull=False)


def _some(pairs: object) -> list[tuple[int, int]]:
    """Leave out what counts nothing: there is no row for it."""
    return [(key, number) for key, number in pairs if number]  # type: ignore[attr-defined]


def _lines(event: Event, status: Order.Status) -> dict[int, int]:
    tickets = Counter[int]()
    for line in Line.objects.filter(order__event=event, order__status=status):
        tickets[line.order_id] += line.quantity
    return dict(tickets)


def _charged(event: Event) -> Counter[int]:
    """Count the payments that each order keeps."""
    kept = Payment.objects.filter(order__event=event, settled_at__isnull=False, refund_due_at__isnull=True)
    return Counter(kept.values_list("order", flat=True))
