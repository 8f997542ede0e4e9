"""What a queue asks at its door, beyond what every queue asks: checked at joining, and before it for who gets ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Subquery, When

from accounts.models import User
from queues.conditions import AccessCode, Guest, Readiness, normalised, uses_of
from queues.models import Admission, Queue
from queues.refusals import AccessCodeInvalid, AccessCodeRequired, NotInAudience, QueueFull
from queues.services.codes import guessing


@dataclass(frozen=True)
class Entry:
    """What a fan brings to the door: what was typed, and the network address it came from."""

    code: str = ""
    address: str = ""

    @property
    def compared_code(self) -> str:
        return normalised(self.code)


@dataclass(frozen=True)
class Needs:
    """What the fan has still to show before joining."""

    code: bool = False
    invitation: bool = False


def entry_facts(user: User) -> dict[str, Any]:
    """Return what the door depends on, as annotations of a query of queues."""
    guests = Guest.objects.filter(queue=OuterRef("pk"))
    address = user.email.lower()
    waiting = Admission.objects.waiting().filter(queue=OuterRef("pk")).order_by().values("queue")
    waiting_count = Subquery(waiting.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    return {
        "has_guests": Exists(guests),
        "is_guest": Exists(guests.filter(address__in=[address, address.partition("@")[2]])),
        "has_used_code": Exists(uses_of(user)),
        "is_remembered": Exists(_readiness(user, code__isnull=False)),
        # Counted only where it matters: it takes longer the longer the line is.
        "waiting_count": Case(When(max_waiting__isnull=False, then=waiting_count)),
    }


def check_entry(queue: Any, entry: Entry) -> None:
    """Check what the queue asks, in the order of the design; a step of joining, after the code's use was taken.

    Raises:
        NotInAudience
        AccessCodeRequired: no code was typed or remembered.
        AccessCodeInvalid: whatever the reason.
        QueueFull
    """
    _check_invitation(queue)
    if queue.require_access_code and not queue.has_used_code:
        raise AccessCodeInvalid if entry.compared_code or queue.is_remembered else AccessCodeRequired
    if queue.max_waiting is not None and (queue.waiting_count or 0) >= queue.max_waiting:
        raise QueueFull


def _check_invitation(queue: Any) -> None:
    if queue.has_guests and not queue.is_guest:
        raise NotInAudience


def find_needs(queue: Queue, user: User) -> Needs:
    """Return what the fan has still to show. A remembered code that has stopped working is asked for again."""
    usable = AccessCode.objects.usable_at_the_opening().filter(pk=OuterRef("code"))
    shown = Exists(_readiness(user).filter(Exists(usable)))
    seen: Any = Queue.objects.annotate(**entry_facts(user), has_shown_code=shown).get(pk=queue.pk)
    return Needs(
        code=seen.require_access_code and not (seen.has_used_code or seen.has_shown_code),
        invitation=seen.has_guests and not seen.is_guest,
    )


def get_ready(queue: Queue, user: User, entry: Entry) -> None:
    """Check what was typed before the opening, and remember it for the account. No use is taken.

    Raises:
        NotInAudience, AccessCodeRequired, AccessCodeInvalid, Throttled: nothing is remembered.
    """
    _check_invitation(Queue.objects.annotate(**entry_facts(user)).get(pk=queue.pk))
    if not queue.require_access_code:
        return
    if not entry.compared_code:
        raise AccessCodeRequired
    with guessing(user, entry.compared_code, entry.address):
        _remember(queue, user, entry)


@transaction.atomic
def _remember(queue: Queue, user: User, entry: Entry) -> None:
    code = AccessCode.objects.usable_at_the_opening().filter(queue=queue, code=entry.compared_code).first()
    if code is None:
        raise AccessCodeInvalid
    Readiness.objects.bulk_create(
        [Readiness(queue=queue, user=user, code=code)],
        update_conflicts=True,
        unique_fields=["user", "queue"],
        update_fields=["code"],
    )


@transaction.atomic
def change_guests(queue: Queue, addresses: list[str]) -> None:
    """Let the queue be for these addresses and domains, or for all when there are none."""
    wanted = {address.lower() for address in addresses}
    Guest.objects.filter(queue=queue).exclude(address__in=wanted).delete()
    Guest.objects.bulk_create(
        [Guest(queue=queue, address=address) for address in sorted(wanted)], ignore_conflicts=True
    )


def _readiness(user: User, **facts: Any) -> Any:
    return Readiness.objects.filter(user=user, queue=OuterRef("pk"), **facts)
