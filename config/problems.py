"""How a refusal looks to programs: `application/problem+json` (RFC 9457), for the API and whatever fails around it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.patience import Busy
from accounts.refusals import Refusal, RequestTooLarge
from config.errors import FAILED, LIBRARY, MALFORMED, NOT_FOUND, Answer, answer_to

CONTENT_TYPE = "application/problem+json"
FOR_PROGRAMS = ("/api/", "/_allauth/")

RETRY_AFTER_SECONDS = 2
COME_BACK_LATER = {429, 503}


def is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith(FOR_PROGRAMS)


def answer_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer what an endpoint raised (the REST framework's EXCEPTION_HANDLER); None where it is a defect."""
    if isinstance(error, OperationalError | InterfaceError):
        error = Busy()
    if isinstance(error, RequestDataTooBig):
        error = RequestTooLarge()
    if isinstance(error, Refusal):
        return _response(answer_to(error), str(error), facts=error.facts)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _answer_library(error)
    return None


def _answer_library(error: exceptions.APIException) -> Response:
    answer = LIBRARY[next(kind for kind in type(error).__mro__ if kind in LIBRARY)]
    if isinstance(error, exceptions.ValidationError):
        return _response(answer, str(error.default_detail), errors=_errors_of(error.detail))
    if isinstance(error, exceptions.Throttled):
        wait = round(getattr(error, "wait", None) or RETRY_AFTER_SECONDS)
        return _response(answer, str(error.default_detail), facts={"retry_after": wait})
    return _response(answer, str(error.detail))


def _errors_of(detail: Any) -> dict[str, Any]:
    """Return what is wrong by field; what is wrong with the whole stands under the name that the library gives it."""
    return detail if isinstance(detail, dict) else {api_settings.NON_FIELD_ERRORS_KEY: detail}


def _response(answer: Answer, detail: str, **more: Any) -> Response:
    facts = more.get("facts", {})
    response = Response(problem(answer, detail, **more), status=answer.status, content_type=CONTENT_TYPE)
    for name, value in headers_of(answer, facts).items():
        response[name] = value
    return response


def problem(
    answer: Answer, detail: str, *, facts: dict[str, Any] | None = None, errors: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the members of a problem: what every one has, `facts` beside them, `errors` by field for bad input."""
    body = {
        "type": type_of(answer.code),
        "title": answer.code.replace("_", " ").capitalize(),
        "status": answer.status,
        "detail": detail,
        "code": answer.code,
        **(facts or {}),
    }
    return body if errors is None else {**body, "errors": errors}


def type_of(code: str) -> str:
    """Return the address at which a code is explained."""
    return f"{settings.SITE_URL}/api/refusals/#{code}"


def headers_of(answer: Answer, facts: dict[str, Any]) -> dict[str, str]:
    """Return the headers that go with a refusal's status, for pages and programs alike."""
    headers = {"X-Refusal": answer.code}
    if answer.status in COME_BACK_LATER or "retry_after" in facts:
        headers["Retry-After"] = str(facts.get("retry_after", RETRY_AFTER_SECONDS))
    if answer.status == 401:
        headers["WWW-Authenticate"] = 'Session realm="Fairline"'
    return headers


def answer_refusal(refusal: Refusal) -> JsonResponse:
    """Answer a refusal outside of an endpoint, where the REST framework is not in charge."""
    return _plain(answer_to(refusal), str(refusal), refusal.facts)


def answer_unreadable() -> JsonResponse:
    return _plain(MALFORMED, str(exceptions.ParseError.default_detail), {})


def answer_missing() -> JsonResponse:
    return _plain(NOT_FOUND, str(exceptions.NotFound.default_detail), {})


def answer_defect() -> JsonResponse:
    return _plain(FAILED, str(exceptions.APIException.default_detail), {})


def _plain(answer: Answer, detail: str, facts: dict[str, Any]) -> JsonResponse:
    body = problem(answer, detail, facts=facts)
    return JsonResponse(body, status=answer.status, content_type=CONTENT_TYPE, headers=headers_of(answer, facts))
