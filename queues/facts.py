"""What happens in a line, as it is told to the organizer's programs (see docs/webhooks.md)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Subquery, Sum

from events.models import Tier
from queues.models import Admission, Queue
from webhooks import outbox
from webhooks.models import FactType

# The ends of a turn that are told; leaving and being sent away are not among the types there are.
ENDS = {
    Admission.Status.EXPIRED: FactType.ADMISSION_EXPIRED,
    Admission.Status.COMPLETED: FactType.ADMISSION_COMPLETED,
}


@dataclass(frozen=True)
class Sale:
    """What every fact of a queue says of queue and event, and whose they are."""

    organizer_id: int
    queue_slug: str
    data: dict[str, Any]


def read_sale(queue_id: int) -> Sale:
    """Read a queue and its event in one statement."""
    tiers = Tier.objects.filter(event=OuterRef("event")).order_by().values("event")
    total = Subquery(tiers.annotate(total=Sum("quantity")).values("total"))
    queue: Any = Queue.objects.select_related("event__venue").annotate(total_tickets=total).get(pk=queue_id)
    event = queue.event
    about_event = {
        "slug": event.slug,
        "name": event.name,
        "date": event.starts_at,
        "venue": {"name": event.venue.name, "city": event.venue.city},
        "total_tickets": queue.total_tickets or 0,
    }
    about_queue = {"slug": queue.slug, "name": queue.name, "metadata": queue.metadata}
    return Sale(event.organizer_id, queue.slug, {"event": about_event, "queue": about_queue})


def about_admission(admission: Admission, sale: Sale) -> dict[str, Any]:
    """Return what is told of a passage. Of the fan it says no more than an id, which means nothing elsewhere.

    Whoever stands in line without an account is no customer yet.
    """
    about = {
        "id": admission.public_id,
        "queue": sale.queue_slug,
        "status": admission.status,
        "place": admission.place,
        "joined_at": admission.joined_at,
        "admitted_at": admission.admitted_at,
        "claim_ends_at": admission.claim_ends_at,
        "window_ends_at": admission.window_ends_at,
        "ended_at": admission.ended_at,
    }
    customer = None if admission.user_id is None else {"id": str(admission.user_id)}
    return {"admission": about, "customer": customer, **sale.data}


def publish_admissions(fact_type: FactType, queue_id: int, pks: Collection[int]) -> None:
    """Tell the same of many admissions of a queue, as their rows are now, in three statements.

    A step of the caller's transaction, who has changed those rows and has found that it is heard.
    """
    sale = read_sale(queue_id)
    admissions = Admission.objects.filter(pk__in=pks).in_line_order()
    told = [(admission.public_id, about_admission(admission, sale)) for admission in admissions]
    outbox.publish_each(fact_type, organizer_id=sale.organizer_id, told=told)


def publish_joined(admission: Admission) -> None:
    """Tell of an admission that the caller's transaction has just made."""
    sale = read_sale(admission.queue_id)
    outbox.publish(
        FactType.ADMISSION_CREATED,
        organizer_id=sale.organizer_id,
        admission=admission.public_id,
        data=about_admission(admission, sale),
    )


def is_end_heard(status: Admission.Status) -> Exists:
    """Return whether somebody listens to turns that end so, as an annotation of a query of admissions."""
    return outbox.is_heard(ENDS[status], organizer=OuterRef("queue__event__organizer"))


def publish_end(admission: Any) -> None:
    """Tell how a turn has ended, if that is told and heard; a step of the transaction that has ended it.

    An admission whose end is among `ENDS` was read with `is_end_heard` as `is_heard`.
    """
    fact_type = ENDS.get(Admission.Status(admission.status))
    if fact_type is not None and admission.is_heard:
        publish_admissions(fact_type, admission.queue_id, [admission.pk])


def publish_sold_out(queue_id: int) -> None:
    """Tell that a queue has sold out, if that is heard; a step of the transaction that marks it."""
    heard = outbox.is_heard(FactType.QUEUE_SOLD_OUT, organizer=OuterRef("event__organizer"))
    if Queue.objects.filter(heard, pk=queue_id).exists():
        sale = read_sale(queue_id)
        outbox.publish(FactType.QUEUE_SOLD_OUT, organizer_id=sale.organizer_id, data=sale.data)
