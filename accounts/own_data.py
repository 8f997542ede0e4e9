"""What is kept of a person: for the person to read."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Q

from accounts.models import IdentityCheck, KeptAnswer, Letter, User


def of_account(user: User, *, letters: Q) -> dict[str, Any]:
    """Return the account with its addresses, identity checks and `letters` (see `closing.letters_to`)."""
    return {
        "account": _account(user),
        "email_addresses": list(
            EmailAddress.objects.filter(user=user).order_by("pk").values("email", "verified", "primary")
        ),
        # Without the secrets: they are good for signing in.
        "second_factors": list(
            Authenticator.objects.filter(user=user).order_by("pk").values("type", "created_at", "last_used_at")
        ),
        "identity_checks": [_check(check) for check in IdentityCheck.objects.for_fan(user).order_by("pk")],
        # What they say is told above and below; some of it is good for holding tickets.
        "kept_answers": list(
            KeptAnswer.objects.for_account(user.pk).order_by("pk").values("key", "status", "created_at")
        ),
        "letters": list(
            Letter.objects.filter(letters)
            .order_by("pk")
            .values("to", "subject", "kind", "status", "created_at", "sent_at")
        ),
    }


def _account(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.name,
        "joined_at": user.date_joined,
        "last_signed_in_at": user.last_login,
        "email_verified_at": user.email_verified_at,
        "identity_verified_at": user.identity_verified_at,
    }


def _check(check: IdentityCheck) -> dict[str, Any]:
    """Return a check without its photo, and without who decided it: that is somebody else's."""
    return {
        "legal_name": check.legal_name,
        "status": check.status,
        "reason": check.reason,
        "submitted_at": check.submitted_at,
        "decided_at": check.decided_at,
        "photo_is_kept": bool(check.photo),
    }
