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

BOARD_PATH = re.compile(r"/api/v1/queues/([-\w]{1,100})/board/")
BOARD_HEADERS = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "public, max-age=1"),
    ("Access-Control-Allow-Origin", "*"),
    ("X-Content-Type-Options", "nosniff"),
]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    match = BOARD_PATH.fullmatch(environ["PATH_INFO"])
    if match and environ["REQUEST_METHOD"] == "GET":
        kept = board.read_json(match[1])
        if kept is not None:
            start_response("200 OK", [*BOARD_HEADERS, ("Content-Length", str(len(kept)))])
            return [kept]
    return django_application(environ, start_response)
