"""Endpoints that may be asked the same again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.idempotency import Answer, Asked, create_once, hash_request, read_key, start_once
from accounts.patience import patiently
from accounts.refusals import Refusal, RequestTooLarge

T = TypeVar("T")

KEY = "Idempotency-Key"


class Repeatable(APIView):
    """An endpoint whose POST creates: with an `Idempotency-Key`, what is sent twice is done once and answered alike.

    Keys belong to an account; for a visitor without one the header is ignored. A refusal creates nothing and is not
    kept. An answer with a key has the body and headers of the one given here, and no cookies. Without the header,
    everything is as it would be elsewhere.
    """

    is_repeatable = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if KEY in request.headers:
            _read_body(request)
        super().initial(request, *args, **kwargs)

    def create_once(self, create: Callable[[], T], answer: Callable[[T], Response]) -> HttpResponse:
        """Make the one service call `create`, and `answer` what it has made.

        With a key both are one transaction: `answer` is best without a query, for what `create` has locked stays so.

        Raises:
            IdempotencyKeyInvalid, IdempotencyMismatch, RequestInProgress, Busy
            What `create` raises.
        """
        asked = self._read_asked()
        if asked is None:
            return answer(patiently(create))
        return _sent(create_once(asked, lambda: self._rendered(answer(create()))))

    def start_once(self, start: Callable[[], T], finish: Callable[[T], Response]) -> HttpResponse:
        """Make the one service call `start`; when that is committed, `finish` asks somebody outside and answers.

        A refusal by `finish` is an answer, too, and kept, unless it says to try again later (5xx).

        Raises:
            IdempotencyKeyInvalid, IdempotencyMismatch, RequestInProgress, Busy
            What `start` raises.
            What `finish` raises: what was started stays so, and the same request goes on with it.
        """
        asked = self._read_asked()
        if asked is None:
            return finish(patiently(start))
        return _sent(start_once(asked, start, lambda started: self._finish(finish, started)))

    def _read_asked(self) -> Asked | None:
        request = self.request
        if KEY not in request.headers or not request.user.is_authenticated:
            return None
        key = read_key(request.headers[KEY])
        return Asked(request.user, key, hash_request(str(request.method), request.path, request.body))

    def _finish(self, finish: Callable[[T], Response], started: T) -> Answer:
        try:
            response = finish(started)
        except Refusal as refusal:
            response = self.handle_exception(refusal)
            if response.status_code >= 500:
                raise
        return self._rendered(response)

    def _rendered(self, response: Response) -> Answer:
        response.accepted_renderer = self.request.accepted_renderer
        response.accepted_media_type = self.request.accepted_media_type
        response.renderer_context = self.get_renderer_context()  # type: ignore[attr-defined]
        response.render()
        return Answer(response.status_code, response.content.decode(), dict(response.headers.items()))


def _read_body(request: Request) -> None:
    """Read the body before the parser does, which leaves nothing of it.

    Raises:
        RequestTooLarge
    """
    try:
        len(request.body)
    except RequestDataTooBig as error:
        raise RequestTooLarge from error


def _sent(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status, headers=answer.headers)
    if answer.is_replayed:
        response["Idempotent-Replayed"] = "true"
    return response
