"""What a queue asks at its door, beyond what every queue asks: checked at joining, and before it for who gets ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from queues.conditions import AccessCode, Readiness, normalised, uses_of
from queues.models import Queue
from queues.refusals import AccessCodeInvalid, AccessCodeRequired
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


def entry_facts(user: User) -> dict[str, Any]:
    """Return what the door depends on, as annotations of a query of queues."""
    return {"has_used_code": Exists(uses_of(user)), "is_remembered": Exists(_readiness(user, code__isnull=False))}


def check_entry(queue: Any, entry: Entry) -> None:
    """Check what the queue asks, in the order of the design; a step of joining, after the code's use was taken.

    Raises:
        AccessCodeRequired: no code was typed or remembered.
        AccessCodeInvalid: whatever the reason.
    """
    if queue.require_access_code and not queue.has_used_code:
        raise AccessCodeInvalid if entry.compared_code or queue.is_remembered else AccessCodeRequired


def find_needs(queue: Queue, user: User) -> Needs:
    """Return what the fan has still to show. A remembered code that has stopped working is asked for again."""
    if not queue.require_access_code:
        return Needs()
    usable = AccessCode.objects.usable_at_the_opening().filter(pk=OuterRef("code"))
    shown = Exists(_readiness(user).filter(Exists(usable)))
    has_code = Queue.objects.filter(shown | Exists(uses_of(user)), pk=queue.pk).exists()
    return Needs(code=not has_code)


def get_ready(queue: Queue, user: User, entry: Entry) -> None:
    """Check what was typed before the opening, and remember it for the account. No use is taken.

    Raises:
        AccessCodeRequired, AccessCodeInvalid, Throttled: nothing is remembered.
    """
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


def _readiness(user: User, **facts: Any) -> Any:
    return Readiness.objects.filter(user=user, queue=OuterRef("pk"), **facts)
