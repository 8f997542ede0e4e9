"""What an endpoint promises beside its answer; the API's description is made of it (`config/openapi.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from accounts.refusals import Refusal

Handler = TypeVar("Handler", bound=Callable[..., Any])
Shape = TypeVar("Shape", bound=type)


def refuses(*refusals: type[Refusal] | type[APIException]) -> Callable[[Handler], Handler]:
    """Say which refusals the method of an endpoint answers with, beyond those that every endpoint has."""

    def say(handler: Handler) -> Handler:
        handler.refusals = refusals  # type: ignore[attr-defined]
        return handler

    return say


def code_of(refusal: Refusal) -> str:
    """Return the code that programs know a refusal by: as it would be answered, because no app knows the table."""
    handler: Any = api_settings.EXCEPTION_HANDLER
    return str(handler(refusal, {}).data["code"])


def looks_like(value: Any) -> Callable[[Shape], Shape]:
    """Give a serializer an example, for the description of whatever takes or answers it."""
    return extend_schema_serializer(examples=[OpenApiExample("example", value=value)])


@method_decorator(conditional_page, name="dispatch")
class Polled(APIView):
    """An endpoint that programs ask again and again: whoever has the latest answer already gets 304 and no body."""

    is_polled = True
    # What one fan sees is for no cache on the way; without no-store, so that the fan's own may ask whether it changed.
    cache_control: ClassVar[str] = "private, no-cache"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", self.cache_control)
        return answer


class Public(Polled):
    """A polled endpoint that answers everyone the same.

    Nobody is looked up for it and nobody counted: whatever stands in front may keep the answer for a second.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    cache_control = "public, max-age=1"
