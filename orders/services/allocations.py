"""Setting how many tickets a queue may give, also while it sells."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Sum

from orders.models import Line, Order, Ticket
from queues import locks
from queues import services as queue_services
from queues.models import Queue
from queues.refusals import AllocationBelowUsed


def tickets_used(queue: Queue) -> int:
    """Count the tickets that are reserved or sold through a queue, by the rows."""
    held = Line.objects.filter(order__queue=queue, order__status=Order.Status.HELD)
    sold = Ticket.objects.filter(order__queue=queue).exclude(status=Ticket.Status.VOID)
    return (held.aggregate(total=Sum("quantity"))["total"] or 0) + sold.count()


@transaction.atomic
def change_allocation(queue: Queue, allocation: int | None) -> None:
    """Set how many tickets a queue may give; None lifts the ceiling. What is used already is counted anew.

    Nobody holds, buys or gives back tickets of the event meanwhile. It must be the first write of its transaction: who
    has a lock that a hold may wait for would wait for that hold for ever.

    Raises:
        AllocationBelowUsed: more are reserved or sold; nothing is changed.
        OperationalError: the gates were not to be had; nothing is changed. Call it patiently.
    """
    locks.shut_gates(queue.event_id)
    used = tickets_used(queue)
    if allocation is not None and allocation < used:
        raise AllocationBelowUsed(used)
    queue_services.set_allocation(queue, allocation, used=used)
