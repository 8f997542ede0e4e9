"""What programs say to the API of orders."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from orders.models import Order
from queues.models import Admission

ORDERS = "/api/v1/orders/"
JSON = "application/json"


def url(order: Order) -> str:
    return f"{ORDERS}{order.code}/"


def in_utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def end_time(order: Order, *, at: datetime | None = None) -> None:
    ends_at = at or timezone.now()
    Order.objects.filter(pk=order.pk).update(hold_ends_at=ends_at)
    Admission.objects.filter(pk=order.admission_id).update(window_ends_at=ends_at)
