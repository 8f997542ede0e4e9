from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from events import availability as stock
from events.models import Event


@require_safe
def availability(request: HttpRequest, slug: str) -> JsonResponse:
    """Answer `{tiers: [{tier, available, level}], as_of}`."""
    event = get_object_or_404(Event.objects.published(), slug=slug)
    response = JsonResponse(stock.read(event).as_dict())
    response["Cache-Control"] = "public, max-age=1"
    return response
