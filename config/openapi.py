"""The API's description: what the endpoints say of themselves, and every refusal with its code and an example."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from drf_spectacular.contrib.django_allauth import XSessionTokenAuthenticationScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions
from rest_framework.permissions import IsAuthenticated

from accounts.idempotency import IdempotencyKeyInvalid, IdempotencyMismatch, RequestInProgress
from accounts.patience import Busy
from accounts.refusals import Refusal, RequestTooLarge
from accounts.repeats import KEY
from accounts.tokens import TokenEnded
from config.errors import ANSWERS, LIBRARY, Answer
from config.problems import COME_BACK_LATER, CONTENT_TYPE, problem
from events.models import Tier

Kind = type[Refusal] | type[exceptions.APIException]

EVERYWHERE: tuple[Kind, ...] = (exceptions.ParseError, exceptions.NotAcceptable, Busy)
WITH_A_BODY: tuple[Kind, ...] = (
    exceptions.ValidationError,
    RequestTooLarge,
    exceptions.UnsupportedMediaType,
)
REPEATABLE: tuple[Kind, ...] = (IdempotencyKeyInvalid, IdempotencyMismatch, RequestInProgress)
# What refusals are made with, for their examples.
SAMPLES: dict[str, Any] = {
    "available": 2,
    "maximum": 4,
    "media_type": "text/plain",
    "method": "PUT",
    "opens_at": datetime(2026, 5, 4, 10, tzinfo=UTC),
    "retry_after": 30,
    "tier": Tier(name="Floor", slug="floor"),
}
SAMPLE_ERRORS = {"quantity": ["A valid integer is required."]}

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of the answer that you have already."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    KEY,
    str,
    OpenApiParameter.HEADER,
    description="A new one for each thing to do (1 to 255 printable ASCII characters, a UUID does well), the same one "
    "to try again: for 24 hours it gets the same answer, with `Idempotent-Replayed: true`. Accounts only.",
)
ETAG = {
    "ETag": {"required": True, "schema": {"type": "string"}, "description": "Names this answer, for `If-None-Match`."}
}
RETRY_AFTER = {
    "Retry-After": {"required": True, "schema": {"type": "integer"}, "description": "Seconds until the next try."}
}


class SessionTokenScheme(XSessionTokenAuthenticationScheme):
    """Describes our own class as the library describes its."""

    target_class = "accounts.tokens.BySessionToken"


class Contract(AutoSchema):
    """Adds to each operation its refusals: one response a status, whose `code` is one of those that are possible."""

    def get_override_parameters(self) -> list[Any]:
        ours = [(IF_NONE_MATCH, self._is_polled), (IDEMPOTENCY_KEY, self._is_repeatable)]
        return [*super().get_override_parameters(), *(parameter for parameter, is_taken in ours if is_taken)]

    def get_summary(self) -> str | None:
        """Return the first line of what the operation's docstring says; the rest is its description."""
        summary, _, _ = super().get_description().partition("\n")
        return summary.removesuffix(".") or None

    def get_description(self) -> str:  # type: ignore[override]
        _, _, rest = super().get_description().partition("\n")
        return rest.strip()

    def get_operation(self, *args: Any, **options: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **options)
        if operation is not None:
            responses = operation["responses"]
            if self._is_polled:
                responses["200"]["headers"] = ETAG
                responses["304"] = {"description": "Nothing has changed since the answer that you have."}
            for status, kinds in self._refusals_of(operation).items():
                responses[str(status)] = describe(status, kinds)
        return operation

    @property
    def _is_polled(self) -> bool:
        return self.method == "GET" and getattr(self.view, "is_polled", False)

    @property
    def _is_repeatable(self) -> bool:
        return self.method == "POST" and getattr(self.view, "is_repeatable", False)

    def _refusals_of(self, operation: dict[str, Any]) -> dict[int, list[Kind]]:
        """Return what the operation may refuse with, by status."""
        found: dict[int, list[Kind]] = {}
        for kind in dict.fromkeys(self._kinds(operation)):
            found.setdefault(answer_of(kind).status, []).append(kind)
        return dict(sorted(found.items()))

    def _kinds(self, operation: dict[str, Any]) -> Iterator[Kind]:
        yield from getattr(getattr(self.view, (self.method or "").lower(), None), "refusals", ())
        yield from EVERYWHERE
        if self.view.throttle_classes:
            yield exceptions.Throttled
        if self._is_repeatable:
            yield from REPEATABLE
        if self.view.authentication_classes:
            yield TokenEnded
        if any(isinstance(permission, IsAuthenticated) for permission in self.view.get_permissions()):
            yield exceptions.NotAuthenticated
        if self.method != "GET":
            yield exceptions.PermissionDenied
        if "requestBody" in operation:
            yield from WITH_A_BODY
        is_paged = self.method == "GET" and self._is_list_view() and self._get_paginator() is not None
        if "{" in self.path or is_paged:
            yield exceptions.NotFound


def answer_of(kind: Kind) -> Answer:
    return ANSWERS[kind] if issubclass(kind, Refusal) else LIBRARY[kind]


def describe(status: int, kinds: list[Kind]) -> dict[str, Any]:
    """Return the response of an operation that refuses with one of `kinds`, all of them by this status."""
    codes = sorted({answer_of(kind).code for kind in kinds})
    narrowed = {"properties": {"status": {"enum": [status]}, "code": {"enum": codes}}}
    return {
        "description": " · ".join(f"`{code}`" for code in codes),
        **({"headers": RETRY_AFTER} if status in COME_BACK_LATER else {}),
        "content": {
            CONTENT_TYPE: {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]},
                "examples": examples_of(kinds),
            }
        },
    }


def examples_of(kinds: list[Kind]) -> dict[str, Any]:
    """Return an example of each sentence, by its code; a code that is said in several ways is numbered."""
    examples: dict[str, Any] = {}
    for value in sorted(map(example_of, kinds), key=itemgetter("code")):
        if {"value": value} not in examples.values():
            said = sum(value["code"] == other["value"]["code"] for other in examples.values())
            examples[f"{value['code']}_{said + 1}" if said else value["code"]] = {"value": value}
    return examples


def example_of(kind: Kind) -> dict[str, Any]:
    """Return what an operation answers when it refuses so."""
    answer = answer_of(kind)
    if issubclass(kind, Refusal):
        refusal = sample_of(kind)
        return problem(answer, str(refusal), facts=refusal.facts)
    errors = SAMPLE_ERRORS if kind is exceptions.ValidationError else None
    return problem(answer, str(kind.default_detail).format_map(SAMPLES), errors=errors)


def sample_of(kind: type[Refusal]) -> Refusal:
    """Make a refusal as its service would, with sample facts where it takes any."""
    names: Iterable[str] = inspect.signature(kind).parameters if "__init__" in vars(kind) else ()
    return kind(**{name: SAMPLES[name] for name in names})
