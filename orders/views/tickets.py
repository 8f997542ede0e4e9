from __future__ import annotations

import uuid

import segno
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import SignedInRequest
from orders.models import Ticket

TICKETS_A_PAGE = 50


@never_cache
@login_required
@require_safe
def my_tickets(request: SignedInRequest) -> HttpResponse:
    tickets = Ticket.objects.for_owner(request.user).select_related("event__venue", "tier", "order").by_event()
    page = Paginator(tickets, TICKETS_A_PAGE).get_page(request.GET.get("page"))
    return TemplateResponse(request, "orders/my_tickets.html", {"page": page, "now": timezone.now()})


@never_cache
@login_required
@require_safe
def ticket(request: SignedInRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show one ticket; its code only from the release on."""
    own = Ticket.objects.for_owner(request.user).select_related("event__venue", "tier", "order")
    found = get_object_or_404(own, public_id=public_id)
    now = timezone.now()
    shown = found.code if found.is_code_released(now) else None
    context = {
        "ticket": found,
        "event": found.event,
        "code": shown,
        "qr": segno.make(shown, error="m").svg_data_uri(border=4) if shown else None,
        "now": now,
    }
    return TemplateResponse(request, "orders/ticket.html", context)
