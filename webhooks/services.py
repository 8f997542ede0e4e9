"""What happens to facts once they are written."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from webhooks.models import Fact

# Bounds the transaction; the next one goes on.
REMOVED_AT_ONCE = 5000


@transaction.atomic
def remove_old_facts() -> int:
    """Remove the first facts that are older than `FACTS_KEPT_DAYS`, so many at once at most; returns how many."""
    # The oldest are the first, save for as long as a transaction lasts; so no index over the times is needed.
    first = Fact.objects.in_order().values("pk")[:REMOVED_AT_ONCE]
    kept = timedelta(days=settings.FACTS_KEPT_DAYS)
    removed, _ = Fact.objects.filter(pk__in=first, happened_at__lte=Now() - kept).delete()
    return removed
