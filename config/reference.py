"""Pages for whoever writes programs: the API's description, a page to try it, and what each refusal means."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe
from django.views.decorators.vary import vary_on_headers

from config import description

YAML, JSON = "application/vnd.oai.openapi", "application/vnd.oai.openapi+json"
FORMATS = {YAML: "yaml", "application/yaml": "yaml", JSON: "json", "application/json": "json"}


@require_safe
@conditional_page
@cache_control(public=True, max_age=300)
@vary_on_headers("Accept")
def schema(request: HttpRequest) -> HttpResponse:
    """Answer the description in YAML, or in JSON to whom asks for that, by `Accept` or `?format=json`."""
    wanted = request.GET.get("format") or FORMATS[request.get_preferred_type(list(FORMATS)) or YAML]
    if wanted == "json":
        return HttpResponse(description.read_json(), content_type=JSON)
    return HttpResponse(description.read_yaml(), content_type=f"{YAML}; charset=utf-8")


@require_safe
def try_it(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")


@require_safe
def refusals(request: HttpRequest) -> HttpResponse:
    return render(request, "api/refusals.html", {"refusals": description.explain_refusals()})
