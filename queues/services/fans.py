"""A fan who closes the account. A step of a caller's transaction."""

from __future__ import annotations

from accounts import closing
from accounts.models import User
from queues.models import Guest, Readiness


def forget_fan(user: User) -> None:
    """Take away what the lines know of a person; the passages stay, as numbers that are nobody's any more."""
    Readiness.objects.filter(user=user).delete()
    # Not deleted: a queue without guests is for everybody.
    for address in closing.addresses_of(user):
        Guest.objects.filter(address=address).update(address=closing.anonymous_address(user))
