"""The sale as the crowd will find it: the concert with a small stock and short windows, and accounts signed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.cached_db import SessionStore
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Letter, User
from config.concert import EVENT_SLUG, PRESALES, QUEUE_SLUG, load_concert
from config.crowd.plans import GENERAL, PRESALE, Plan
from config.crowd.sale import Line, Sale
from events.models import Tier
from queues.conditions import CaptchaThreshold
from queues.models import AccessCode, Queue

ARTISTS = PRESALES[0]
PRESALE_SLUG = f"{ARTISTS.slug}-{EVENT_SLUG}"
# The presale opens so long before the general sale, and goes on beside it.
HEAD_START = timedelta(seconds=1)
OPENS_IN = timedelta(seconds=3)
LINK = re.compile(r"https?://\S+/confirm-email/\S+")


def set_up_concert() -> Queue:
    """Load the concert of the demo and return its sale."""
    load_concert(now=timezone.now())
    return Queue.objects.select_related("event").get(slug=QUEUE_SLUG)


def tiers_of(queue: Queue) -> list[str]:
    return [tier.slug for tier in queue.open_tiers().in_order()]


def scale_sale(queue: Queue, quantities: Mapping[str, int], *, fans: int, code_uses: int) -> Sale:
    """Give every tier its small stock, and presale and general sale windows that end soon; see `open_soon`."""
    for slug, quantity in quantities.items():
        Tier.objects.filter(event=queue.event, slug=slug).update(quantity=quantity)
    AccessCode.objects.filter(queue__slug=PRESALE_SLUG, code=ARTISTS.code).update(max_uses=code_uses)
    window = 20 + fans // 12
    # Few inside at once is what keeps a small machine from drowning in its own shoppers.
    inside, rate = max(12, min(fans // 5, 33)), min(60 + fans * 4, 480)
    for slug, share in ((PRESALE_SLUG, 1), (QUEUE_SLUG, 2)):
        Queue.objects.filter(slug=slug).update(
            scheduled_start=Now() + timedelta(hours=1),
            scheduled_end=None,
            admission_window_seconds=window,
            claim_window_seconds=window * 2 // 3,
            # One machine works out the sums of all.
            captcha_threshold=CaptchaThreshold.LOW,
            admission_rate_per_minute=rate * share // 3,
            max_concurrent_admissions=inside * share // 3,
        )
    return Sale(
        event_slug=queue.event.slug,
        presale=Line(PRESALE, PRESALE_SLUG, code=ARTISTS.code),
        general=Line(GENERAL, QUEUE_SLUG),
        window_seconds=window,
        claim_seconds=window * 2 // 3,
        grace_seconds=settings.PAYMENT_GRACE_SECONDS,
    )


def open_soon(sale: Sale) -> Sale:
    """Let the sale open in a moment; returns it with its openings."""
    opens_at = timezone.now() + OPENS_IN
    return replace(
        sale, presale=_open_at(sale.presale, opens_at), general=_open_at(sale.general, opens_at + HEAD_START)
    )


def _open_at(line: Line, opens_at: datetime) -> Line:
    Queue.objects.filter(slug=line.slug).update(scheduled_start=opens_at)
    return replace(line, opens_at=opens_at.timestamp())


def is_sold_out(sale: Sale) -> bool:
    """Whether the sale has been marked as sold out."""
    return Queue.objects.filter(slug=sale.general.slug, sold_out_at__isnull=False).exists()


def make_accounts(plans: Sequence[Plan]) -> dict[str, str]:
    """Make an account for everyone who does not sign up; returns their session keys by address."""
    users = make_users({plan.email: plan.name for plan in plans if not plan.signs_up})
    return {user.email: sign_in(user) for user in users}


def make_users(names: Mapping[str, str]) -> list[User]:
    """Make accounts, verified in every way, for these addresses and names; nobody knows their passwords."""
    # One hash for all: it costs a tenth of a second each, on purpose, and nobody signs in with it.
    password = make_password(None)
    now = timezone.now()
    users = User.objects.bulk_create(
        User(email=email, name=name, password=password, email_verified_at=now, identity_verified_at=now)
        for email, name in names.items()
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    return users


def sign_in(user: User, *, lasts_seconds: int | None = None) -> str:
    """Make a session of the user's; returns its key."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.set_expiry(lasts_seconds)
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
