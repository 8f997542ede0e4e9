"""More time for those inside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from orders.models import Order
from queues import services as queue_services
from queues.models import Admission, Queue
from queues.refusals import NobodyInside


@transaction.atomic
def extend_windows(queue: Queue, *, minutes: int) -> int:
    """Give everyone who is inside `minutes` more to buy, and their holds with it; returns how many.

    A turn that is over stays over: at the instant of its end it is either ended or extended, with its hold, never
    half. Whoever still has to show up has so much longer for that, too.

    Raises:
        NobodyInside: nothing is changed.
    """
    # The gates first: behind them nobody inside takes, pays, gives back or loses tickets until this has committed.
    inside = Admission.objects.within_window().filter(queue=queue)
    found = dict(inside.values_list("pk", "user"))
    queue_services.open_allowances(queue.event, [fan for fan in found.values() if fan is not None])
    turns = _lock_turns(found)
    if not turns:
        raise NobodyInside
    longer = timedelta(minutes=minutes)
    Admission.objects.filter(pk__in=turns).update(
        window_ends_at=F("window_ends_at") + longer, claim_ends_at=F("claim_ends_at") + longer
    )
    window = Admission.objects.filter(pk=OuterRef("admission")).values("window_ends_at")
    Order.objects.held().filter(admission__in=turns).update(hold_ends_at=Subquery(window))
    return len(turns)


def _lock_turns(found: Collection[int]) -> list[int]:
    """Lock the orders, and then the admissions, of those turns which are not over; returns the admissions."""
    holds = Order.objects.within_hold().filter(admission__in=found)
    list(holds.lock().values_list("pk", flat=True))
    turns = Admission.objects.within_window().filter(pk__in=found)
    return list(turns.lock().values_list("pk", flat=True))
