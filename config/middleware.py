"""The edge of every page: what a browser may load, and how a refusal looks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.template.response import TemplateResponse
from django.views.defaults import bad_request, page_not_found, server_error

from accounts.patience import Busy
from accounts.refusals import Refusal, RequestTooLarge
from config import problems
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
            return _answer(request, exception)
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
        return _answer(request, RequestTooLarge()) if is_too_large else None


class SameRequestElsewhere(HttpResponsePermanentRedirect):
    status_code = 308


class SlashMiddleware(CommonMiddleware):
    """Leads to the address with its slash at the end: what is posted to the one without is posted again, with 308."""

    response_redirect_class = SameRequestElsewhere


def answer_to_unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that makes no sense as one (Django's handler400), as with more fields than anybody sends."""
    return problems.answer_unreadable() if problems.is_for_programs(request) else bad_request(request, exception)


def answer_to_missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that is not there (Django's handler404)."""
    return problems.answer_missing() if problems.is_for_programs(request) else page_not_found(request, exception)


def answer_to_failure(request: HttpRequest) -> HttpResponse:
    """Answer what nobody caught (Django's handler500): "busy" where it is the database, which a moment may mend."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        answer = _answer(request, Busy())
        return answer.render() if isinstance(answer, TemplateResponse) else answer
    return problems.answer_defect() if problems.is_for_programs(request) else server_error(request)


def _answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a refusal that no view expected: programs in JSON, people with a page."""
    return problems.answer_refusal(refusal) if problems.is_for_programs(request) else _page_for(request, refusal)


def _page_for(request: HttpRequest, refusal: Refusal) -> TemplateResponse:
    template = "busy.html" if isinstance(refusal, Busy) else "refusal.html"
    response = TemplateResponse(request, template, {"refusal": refusal})
    _set_status(response, refusal)
    return response


def _set_status(response: HttpResponse, refusal: Refusal) -> None:
    answer = answer_to(refusal)
    response.status_code = answer.status
    # For programs that look at pages, as the crowd of a rehearsal does.
    for name, value in problems.headers_of(answer, refusal.facts).items():
        response.headers[name] = value
