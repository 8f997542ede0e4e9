"""What everyone may see of events and their queues: the same for the pages and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch

from events import availability
from events.models import Event, EventQuerySet, Tier
from events.offers import Offer, offers_of
from queues import sales
from queues.conditions import CardProgramme, Guest
from queues.models import Phase, Queue, QueueQuerySet
from queues.sales import Sale, SalePhase
from queues.services.entry import asks_for_card, asks_for_proof
from queues.services.visitors import asks_for_account

SOONEST_FIRST = ("starts_at", "pk")

SALES = Prefetch(
    "queues",
    queryset=Queue.objects.published()
    .select_related("event")
    .annotate(asks_for_card=asks_for_card(), asks_for_invitation=Exists(Guest.objects.filter(queue=OuterRef("pk"))))
    .in_order(),
)
TIERS = Prefetch("tiers", queryset=Tier.objects.in_order())
CARDS = Prefetch("eligible_cards", queryset=CardProgramme.objects.order_by("name", "pk"))


@dataclass(frozen=True)
class Search:
    """What events are searched by; what is empty is not asked for. Days are days in UTC."""

    q: str = ""
    city: str = ""
    after: date | None = None
    before: date | None = None


@dataclass(frozen=True)
class EventCard:
    """An event as the list shows it; the price is of one ticket, with its fee."""

    event: Event
    sale_phase: SalePhase
    lowest_price: Decimal | None


@dataclass(frozen=True)
class EventInFull:
    """An event as its own page shows it."""

    event: Event
    offers: Sequence[Offer]
    sales: Sequence[Sale]
    sale_phase: SalePhase

    @property
    def lowest_price(self) -> Decimal | None:
        return min((offer.price_with_fee for offer in self.offers), default=None)


@dataclass(frozen=True)
class Requirements:
    """What a queue asks of whoever joins."""

    account: bool
    verified_email: bool
    verified_identity: bool
    access_code: bool
    card: bool
    invitation: bool
    captcha: bool


@dataclass(frozen=True)
class QueueInFull:
    """A queue as fans may know it: what it asks, and never whom or what it lets in."""

    queue: Queue
    phase: Phase
    tiers: Sequence[str]
    requires: Requirements
    cards: Sequence[str]


def events_to_come(search: Search, *, now: datetime) -> EventQuerySet:
    """Return the events to come that are searched for, soonest first, with all that `card_of` needs."""
    events = Event.objects.published().filter(starts_at__gte=now).matching(search.q)
    if search.city:
        events = events.filter(venue__city__icontains=search.city)
    if search.after:
        events = events.filter(starts_at__date__gte=search.after)
    if search.before:
        events = events.filter(starts_at__date__lte=search.before)
    return events.select_related("venue").with_price_range().prefetch_related(SALES).order_by(*SOONEST_FIRST)


def card_of(event: Any, *, now: datetime) -> EventCard:
    return EventCard(
        event=event,
        sale_phase=sales.sale_phase(event, sales.of_event(event, now=now), now=now),
        lowest_price=None if event.lowest_price is None else event.price_with_fee(event.lowest_price),
    )


def events_in_full() -> EventQuerySet:
    """Return the events that everyone may see, with all that `describe_event` needs."""
    return Event.objects.published().select_related("venue", "organizer").prefetch_related(SALES, TIERS)


def describe_event(event: Event, *, now: datetime) -> EventInFull:
    """Say what is on offer and where its sales stand; `event` is one of `events_in_full`."""
    shown = sales.of_event(event, now=now)
    return EventInFull(
        event=event,
        offers=offers_of(event, event.tiers.all(), availability.read(event, now=now)),
        sales=shown,
        sale_phase=sales.sale_phase(event, shown, now=now),
    )


def queues_in_full() -> QueueQuerySet:
    """Return the queues that everyone may see, with all that `describe_queue` needs."""
    return (
        Queue.objects.published()
        .select_related("event")
        .prefetch_related(CARDS)
        .annotate(asks_for_card=asks_for_card(), has_guests=Exists(Guest.objects.filter(queue=OuterRef("pk"))))
    )


def describe_queue(queue: Queue, *, now: datetime) -> QueueInFull:
    """Say where a queue stands and what it asks; `queue` is one of `queues_in_full`."""
    return QueueInFull(
        queue=queue,
        phase=queue.phase(now),
        tiers=list(queue.open_tiers().in_order().values_list("slug", flat=True)),
        requires=_requirements_of(queue),
        cards=[card.name for card in queue.eligible_cards.all()],
    )


def _requirements_of(queue: Any) -> Requirements:
    return Requirements(
        account=asks_for_account(queue),
        verified_email=asks_for_proof(queue),
        verified_identity=queue.event.require_identification,
        access_code=queue.require_access_code,
        card=queue.asks_for_card,
        invitation=queue.has_guests,
        captcha=queue.enable_captcha,
    )
