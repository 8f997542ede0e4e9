"""A fan who closes the account. A step of a caller's transaction."""

from __future__ import annotations

from accounts import closing
from accounts.models import User
from queues.models import Guest, Readiness


def forget_fan(user: User) -> None:
    """Take away what the lines know of a person; the passages stay, as numbers that are nobody's any more."""
    Readiness.objects.filter(user=user).delete()
    invited = Guest.objects.filter(address__in=closing.addresses_of(user))
    # One of each queue is not deleted: a queue without guests is for everybody.
    kept = list(invited.order_by("queue", "pk").distinct("queue").values_list("pk", flat=True))
    invited.exclude(pk__in=kept).delete()
    Guest.objects.filter(pk__in=kept).update(address=closing.anonymous_address(user))
