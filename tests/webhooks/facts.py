"""What has been told."""

from __future__ import annotations

import json
from typing import Any

from webhooks.models import Fact


def told() -> list[str]:
    """Return the types of all facts, in their order."""
    return list(Fact.objects.in_order().values_list("type", flat=True))


def data_of(fact_type: str) -> Any:
    """Return what the one fact of a type says."""
    return Fact.objects.get(type=fact_type).data


def as_told(value: Any) -> Any:
    """Return a time, an amount or an id as a program reads it."""
    return json.loads(json.dumps(value, cls=Fact._meta.get_field("data").encoder))
