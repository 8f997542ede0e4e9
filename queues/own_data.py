"""What the lines keep of a person: for the person to read."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from accounts import closing
from accounts.models import User
from queues.models import AccessCodeUse, Admission, Guest, Readiness


def of_lines(user: User) -> dict[str, Any]:
    """Return the person's passages, what was shown before joining, codes used, and invitations."""
    passages = (
        Admission.objects.for_fan(user).order_by("pk").annotate(line=F("queue__name"), of=F("queue__event__name"))
    )
    shown = (
        Readiness.objects.filter(user=user).order_by("pk").annotate(line=F("queue__name"), access_code=F("code__code"))
    )
    uses = AccessCodeUse.objects.filter(user=user).order_by("pk").annotate(line=F("queue__name"))
    invitations = Guest.objects.filter(address__in=closing.addresses_of(user)).annotate(line=F("queue__name"))
    return {
        "admissions": list(
            passages.values(
                "of", "line", "status", "reason", "place", "joined_at", "admitted_at", "claimed_at", "ended_at"
            )
        ),
        "shown_before_joining": list(shown.values("line", "access_code", "has_card", "has_solved_captcha")),
        "access_codes_used": list(uses.values("line", "code__code", "used_at")),
        "invitations": list(invitations.order_by("pk").values("line", "address")),
    }
