"""What the pace of a queue depends on, as the database knows it."""

from __future__ import annotations

from django.db.models import Count, Q
from django.db.models.functions import Now

from queues import pacing
from queues.models import Admission, Queue


def measure_traffic(queue: Queue) -> pacing.Traffic:
    """Ask the database what the pace of a queue depends on. The cost does not grow with the length of the line."""
    inside = (
        Admission.objects.admitted()
        .filter(queue=queue)
        .aggregate(active=Count("pk"), shoppers=Count("pk", filter=Q(has_hold=False)))
    )
    lately = (
        Admission.objects.filter(queue=queue, admitted_at__gt=Now() - pacing.MINUTE)
        .values("admitted_at")
        .annotate(number=Count("pk"))
        .order_by("admitted_at")
        .values_list("admitted_at", "number")
    )
    return pacing.Traffic(
        **inside, available=tickets_available(queue), recent=[(at, number) for at, number in lately if at]
    )


def tickets_available(queue: Queue) -> int:
    """Count the tickets that this queue may still give to somebody now."""
    return queue.at_most(sum(tier.available for tier in queue.open_tiers().released()))
