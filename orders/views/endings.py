"""What the pages show on which a way ends: how it ended, and where to go from there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from events.models import Event
from orders.models import Payment
from queues import sales
from queues.models import Admission, Queue

OTHER_EVENTS = 3


class Ending(models.TextChoices):
    """How a turn ended that led to no tickets."""

    TIME_OVER = "time_over", _("Your time has run out")
    ABSENT = "absent", _("Your turn has passed")
    MONEY_UNDER_WAY = "money_under_way", _("Your time has run out")
    MONEY_GOES_BACK = "money_goes_back", _("Your payment came too late")


def ending_of(turn: Admission) -> Ending:
    """Say how a turn ended. What became of money matters most to whoever has paid."""
    payments = Payment.objects.filter(order__admission=turn)
    if payments.unsettled().exists():
        return Ending.MONEY_UNDER_WAY
    if payments.filter(refund_due_at__isnull=False).exists():
        return Ending.MONEY_GOES_BACK
    was_absent = turn.claimed_at is None and turn.claim_ends_at is not None
    return Ending.ABSENT if was_absent else Ending.TIME_OVER


def ways_on(queue: Queue, *, now: datetime) -> dict[str, Any]:
    """Return what else there is for whom this queue has nothing any more: another sale of the event, other events."""
    queues = Queue.objects.published().filter(event=queue.event_id).exclude(pk=queue.pk).select_related("event")
    others = [sales.Sale(other, other.phase(now)) for other in queues.in_order()]
    events = Event.objects.published().upcoming(now).exclude(pk=queue.event_id)
    return {"another_sale": sales.next_sale(others), "other_events": events[:OTHER_EVENTS]}
