from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from events import availability, schema
from events.models import Event, EventQuerySet, Tier
from events.offers import offers_of
from queues import sales
from queues.conditions import Guest
from queues.cookies import read_fan
from queues.forms import EventSearchForm
from queues.models import Queue
from queues.services import asks_for_card, find_standing

EVENTS_A_PAGE = 24

SALES = Prefetch(
    "queues",
    queryset=Queue.objects.published()
    .select_related("event")
    .annotate(asks_for_card=asks_for_card(), asks_for_invitation=Exists(Guest.objects.filter(queue=OuterRef("pk"))))
    .in_order(),
)
TIERS = Prefetch("tiers", queryset=Tier.objects.in_order())


@dataclass(frozen=True)
class EventCard:
    """An event as the list shows it."""

    event: Event
    sale_phase: sales.SalePhase
    lowest_price: Decimal | None


@require_safe
def event_list(request: HttpRequest) -> HttpResponse:
    """Show the events to come, soonest first, each with the phase of its sale."""
    now = timezone.now()
    form = EventSearchForm(request.GET)
    events = Event.objects.published().filter(starts_at__gte=now)
    events = _search(events, form).select_related("venue").with_price_range().prefetch_related(SALES)
    page = Paginator(events.order_by("starts_at", "pk"), EVENTS_A_PAGE).get_page(request.GET.get("page"))
    cards = [_card(event, now) for event in page]
    return TemplateResponse(request, "queues/event_list.html", {"form": form, "page": page, "cards": cards, "now": now})


def _card(event: Any, now: datetime) -> EventCard:
    return EventCard(
        event=event,
        sale_phase=sales.sale_phase(event, sales.of_event(event, now=now), now=now),
        lowest_price=None if event.lowest_price is None else event.price_with_fee(event.lowest_price),
    )


def _search(events: EventQuerySet, form: EventSearchForm) -> EventQuerySet:
    form.is_valid()
    asked = form.cleaned_data
    events = events.matching(asked.get("q") or "")
    if asked.get("city"):
        events = events.filter(venue__city__icontains=asked["city"])
    if asked.get("after"):
        events = events.filter(starts_at__date__gte=asked["after"])
    if asked.get("before"):
        events = events.filter(starts_at__date__lte=asked["before"])
    return events


@require_safe
def event_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an event with its rules, tiers and sales, and the one thing that the visitor can do now."""
    now = timezone.now()
    events = Event.objects.published().select_related("venue", "organizer").prefetch_related(SALES, TIERS)
    event = get_object_or_404(events, slug=slug)
    offers = offers_of(event, event.tiers.all(), availability.read(event, now=now))
    shown = sales.of_event(event, now=now)
    following = sales.next_sale(shown)
    fan = read_fan(request)
    standing = find_standing(following.queue, fan) if following and fan else None
    context = {
        "event": event,
        "offers": offers,
        "structured_data": schema.event_as_json(event, offers, url=settings.SITE_URL + request.path),
        # What is over goes below what can be joined.
        "sales": sorted(shown, key=lambda sale: not (sale.is_running or sale.is_ahead)),
        "sale_phase": sales.sale_phase(event, shown, now=now),
        "next_sale": following,
        "standing": standing,
        "now": now,
    }
    return TemplateResponse(request, "queues/event_detail.html", context)
