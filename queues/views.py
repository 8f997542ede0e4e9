from __future__ import annotations

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from events import schema
from queues import sales, services
from queues.cookies import read_fan
from queues.forms import EventSearchForm

EVENTS_A_PAGE = 24


@require_safe
def event_list(request: HttpRequest) -> HttpResponse:
    """Show the events to come, soonest first, each with the phase of its sale."""
    now = timezone.now()
    form = EventSearchForm(request.GET)
    form.is_valid()
    events = services.events_to_come(services.Search(**form.cleaned_data), now=now)
    page = Paginator(events, EVENTS_A_PAGE).get_page(request.GET.get("page"))
    cards = [services.card_of(event, now=now) for event in page]
    return TemplateResponse(request, "queues/event_list.html", {"form": form, "page": page, "cards": cards, "now": now})


@require_safe
def event_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an event with its rules, tiers and sales, and the one thing that the visitor can do now."""
    now = timezone.now()
    event = get_object_or_404(services.events_in_full(), slug=slug)
    shown = services.describe_event(event, now=now)
    following = sales.next_sale(shown.sales)
    fan = read_fan(request)
    standing = services.find_standing(following.queue, fan) if following and fan else None
    context = {
        "event": event,
        "offers": shown.offers,
        "structured_data": schema.event_as_json(event, shown.offers, url=settings.SITE_URL + request.path),
        # What is over goes below what can be joined.
        "sales": sorted(shown.sales, key=lambda sale: not (sale.is_running or sale.is_ahead)),
        "sale_phase": shown.sale_phase,
        "next_sale": following,
        "standing": standing,
        "now": now,
    }
    return TemplateResponse(request, "queues/event_detail.html", context)
