from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.patience import patiently
from queues import services


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
