from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.patience import patiently
from queues import services
from queues.cookies import read_fan, remember_visitor
from queues.models import Queue
from queues.visitors import Visitor


@require_safe
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer the public snapshot of a queue; usually answered before Django begins, see config/wsgi.py."""
    snapshot = patiently(services.board_json, slug)
    if snapshot is None:
        raise Http404
    response = HttpResponse(snapshot, content_type="application/json")
    response["Cache-Control"] = "public, max-age=1"
    response["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
def availability(request: HttpRequest, slug: str) -> JsonResponse:
    """Answer what is left for a queue, in the shape of an event's availability: `{tiers, as_of}`."""
    queue = get_object_or_404(Queue.objects.published().select_related("event"), slug=slug)
    response = JsonResponse(services.read_availability(queue).as_dict())
    response["Cache-Control"] = "public, max-age=1"
    return response


@never_cache
@require_safe
def captcha(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer a challenge for the fan who is signed in, or else for the visitor; nothing of it is kept."""
    queue = get_object_or_404(Queue.objects.published(), slug=slug, enable_captcha=True)
    fan = read_fan(request)
    if queue.require_authentication and not request.user.is_authenticated:
        return JsonResponse({"code": "sign_in_required", "status": 401}, status=401)
    if fan is not None:
        return JsonResponse(services.new_challenge(queue, fan))
    visitor = Visitor()
    return remember_visitor(JsonResponse(services.new_challenge(queue, visitor)), visitor)
