"""The application, and in front of it the board's short way.

Every waiting browser asks for the board again and again, and everyone gets the same. So it is answered from Redis
before Django begins: no session, no database, no middleware. Where Redis has none, Django makes one.
"""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_wsgi_application()

# Django must be set up before anything that touches its models is imported.
from queues import board  # noqa: E402

# What is asked here is written in UTF-8. A header may name what is no encoding of text, by which Django would read even
# the address, and fail before it could answer.
CHARSET = re.compile(r";\s*charset\*?\s*=[^;]*", re.IGNORECASE)
BOARD_PATH = re.compile(r"/api/v1/queues/([-\w]{1,100})/board/")
ALWAYS = [("Cache-Control", "public, max-age=1"), ("Access-Control-Allow-Origin", "*")]
WITH_THE_BOARD = [("Content-Type", "application/json"), *ALWAYS, ("X-Content-Type-Options", "nosniff")]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    match = BOARD_PATH.fullmatch(environ["PATH_INFO"])
    if match and environ["REQUEST_METHOD"] == "GET":
        kept = board.read_json(match[1])
        if kept is not None:
            return _answer(kept, environ.get("HTTP_IF_NONE_MATCH"), start_response)
    if "CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ["CONTENT_TYPE"])
    return django_application(environ, start_response)


def _answer(kept: bytes, known: str | None, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the board, or with no body where the reader says in `known` that it is there already."""
    etag = board.etag_of(kept)
    if known and _names(known, etag):
        start_response("304 Not Modified", [*ALWAYS, ("ETag", etag)])
        return []
    start_response("200 OK", [*WITH_THE_BOARD, ("ETag", etag), ("Content-Length", str(len(kept)))])
    return [kept]


def _names(known: str, etag: str) -> bool:
    """Whether a header names this board, strong or weak; with its quotation marks it is no part of another name."""
    return etag in known or known.strip() == "*"
