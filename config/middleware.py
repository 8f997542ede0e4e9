"""The edge of every page: what a browser may load, and how a refusal looks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.defaults import server_error

from accounts.patience import Busy
from accounts.refusals import Refusal, RequestTooLarge
from config.errors import answer_to

STRICT = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# django-unfold evaluates expressions in attributes and sets styles inline.
ADMIN = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

RETRY_AFTER_SECONDS = 2
COME_BACK_LATER = {429, 503}

GetResponse = Callable[[HttpRequest], HttpResponse]


class ContentSecurityPolicyMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = ADMIN if request.path.startswith("/admin/") else STRICT
        response.headers.setdefault("Content-Security-Policy", policy)
        return response


class RefusalMiddleware:
    """Gives refusals their status.

    A view that shows a refusal on its own page puts it into the context as `refusal`. One that it did not expect, and a
    database that is away, get a page of their own. Where the database fails outside a view, `answer_to_failure` does.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        refusal = (response.context_data or {}).get("refusal")
        if isinstance(refusal, Refusal):
            _set_status(response, refusal)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError | InterfaceError):
            exception = Busy()
        if isinstance(exception, Refusal):
            return _page_for(request, exception)
        return None


class BodySizeMiddleware:
    """Refuses a body larger than anything here asks for, before anybody reads it and files fill the disk.

    Its length is what the header says: without one, nothing of a body is read.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        # Before the protection against forgery, which reads the form for its token.
        length = request.META.get("CONTENT_LENGTH") or "0"
        is_too_large = length.isdecimal() and int(length) > settings.MAX_BODY_BYTES
        return _page_for(request, RequestTooLarge()) if is_too_large else None


def answer_to_failure(request: HttpRequest) -> HttpResponse:
    """Answer what nobody caught (Django's handler500): "busy" where it is the database, which a moment may mend."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _page_for(request, Busy()).render()
    return server_error(request)


def _page_for(request: HttpRequest, refusal: Refusal) -> TemplateResponse:
    template = "busy.html" if isinstance(refusal, Busy) else "refusal.html"
    response = TemplateResponse(request, template, {"refusal": refusal})
    _set_status(response, refusal)
    return response


def _set_status(response: HttpResponse, refusal: Refusal) -> None:
    answer = answer_to(refusal)
    response.status_code = answer.status
    # For programs that look at pages, as the crowd of a rehearsal does.
    response.headers["X-Refusal"] = answer.code
    if response.status_code in COME_BACK_LATER:
        response.headers["Retry-After"] = str(refusal.facts.get("retry_after", RETRY_AFTER_SECONDS))
