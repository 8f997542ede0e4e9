"""The sale as the crowd will find it: the concert with a small stock and short windows, and accounts signed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.cached_db import SessionStore
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Letter, User
from config.concert import QUEUE_SLUG, load_concert
from config.crowd.fan import Sale
from config.crowd.plans import Plan
from events.models import Tier
from queues.conditions import CaptchaThreshold
from queues.models import Queue

LINK = re.compile(r"https?://\S+/confirm-email/\S+")


def set_up_concert() -> Queue:
    """Load the concert of the demo and return its sale."""
    load_concert(now=timezone.now())
    return Queue.objects.select_related("event").get(slug=QUEUE_SLUG)


def tiers_of(queue: Queue) -> list[str]:
    return [tier.slug for tier in queue.open_tiers().in_order()]


def scale_sale(queue: Queue, quantities: Mapping[str, int], *, fans: int) -> Sale:
    """Give every tier its small stock, and the queue windows that end soon; it opens later, see `open_soon`."""
    for slug, quantity in quantities.items():
        Tier.objects.filter(event=queue.event, slug=slug).update(quantity=quantity)
    window = 10 + fans // 12
    Queue.objects.filter(pk=queue.pk).update(
        scheduled_start=Now() + timedelta(hours=1),
        scheduled_end=None,
        admission_window_seconds=window,
        claim_window_seconds=window * 2 // 3,
        # One machine works out the sums of all.
        captcha_threshold=CaptchaThreshold.LOW,
        admission_rate_per_minute=min(60 + fans * 4, 480),
        # Few inside at once is what keeps a small machine from drowning in its own shoppers.
        max_concurrent_admissions=max(8, min(fans // 5, 32)),
    )
    return Sale(
        event_slug=queue.event.slug,
        queue_slug=queue.slug,
        window_seconds=window,
        claim_seconds=window * 2 // 3,
        grace_seconds=settings.PAYMENT_GRACE_SECONDS,
    )


def open_soon(sale: Sale, *, fans: int) -> None:
    """Let the sale open when everyone has had time to get ready."""
    Queue.objects.filter(slug=sale.queue_slug).update(scheduled_start=Now() + timedelta(seconds=5 + fans * 0.06))


def is_sold_out(sale: Sale) -> bool:
    """Whether the sale has been marked as sold out."""
    return Queue.objects.filter(slug=sale.queue_slug, sold_out_at__isnull=False).exists()


def make_accounts(plans: Sequence[Plan]) -> dict[str, str]:
    """Make an account for everyone who does not sign up; returns their session keys by address."""
    # One hash for all: it costs a tenth of a second each, on purpose, and nobody signs in with it.
    password = make_password(None)
    now = timezone.now()
    ready = [plan for plan in plans if not plan.signs_up]
    users = User.objects.bulk_create(
        User(email=plan.email, name=plan.name, password=password, email_verified_at=now, identity_verified_at=now)
        for plan in ready
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    return {user.email: _sign_in(user) for user in users}


def _sign_in(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def link_of_letter(email: str) -> str:
    """Return the link that verifies, from the newest letter to an address."""
    letter = Letter.objects.filter(to=email, kind=Letter.Kind.VERIFICATION).order_by("-pk").first()
    match = LINK.search(letter.text) if letter else None
    if match is None:
        raise LookupError(f"No letter with a link was written to {email}")
    return match[0]


def scarce_tiers(wanted: Mapping[str, int], quantities: Mapping[str, int]) -> list[str]:
    """Return the tiers with fewer tickets than fans want of them."""
    return [tier for tier, quantity in quantities.items() if quantity < wanted.get(tier, 0)]


def unsold(slugs: Iterable[str], sale: Sale) -> list[str]:
    """Return those of the tiers that are not sold out."""
    tiers = Tier.objects.filter(event__slug=sale.event_slug, slug__in=slugs).in_order()
    return [tier.slug for tier in tiers if not tier.is_sold_out]
