"""The way out for facts: a row, written in the transaction that makes the fact, and only where somebody listens.

A caller asks `is_heard` within a statement that it sends anyway, so that a sale to which nobody listens costs nothing.
An endpoint that is added at the same instant hears from the next transaction on.

Facts of one admission have rising ids in the order in which they happened: whoever writes one has made the admission's
row, or holds its lock, until the transaction ends; the next can take neither lock nor id before that. Facts of
different admissions may be committed in another order than that of their ids: whoever asks only for ids above the
highest one seen would miss some.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef

from webhooks.models import Endpoint, Fact, FactType


def is_heard(fact_type: FactType, *, organizer: OuterRef) -> Exists:
    """Return, as a condition or annotation of a query, whether an endpoint of `organizer` wants such facts."""
    return Exists(Endpoint.objects.active().asking_for(fact_type).filter(organizer=organizer))


def publish(
    fact_type: FactType, *, organizer_id: int, data: Mapping[str, Any], admission: uuid.UUID | None = None
) -> None:
    """Write a fact; a step of the caller's transaction, who has found that it is heard.

    `admission` is the public id of the passage that it belongs to, whose row the caller has made or locked.
    """
    publish_each(fact_type, organizer_id=organizer_id, told=[(admission, data)])


def publish_each(
    fact_type: FactType, *, organizer_id: int, told: Iterable[tuple[uuid.UUID | None, Mapping[str, Any]]]
) -> None:
    """Write a fact of the same type about each of many, as `publish` does, in one statement.

    `told` gives each admission and what is told of it; ids rise in this order.
    """
    Fact.objects.bulk_create(
        Fact(organizer_id=organizer_id, type=fact_type, admission=admission, data=data) for admission, data in told
    )
