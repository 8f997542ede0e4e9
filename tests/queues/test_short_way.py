"""The board's short way in front of Django (config/wsgi.py)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import RequestFactory

from config import wsgi
from queues import services
from queues.models import Queue
from tests.factories import QueueFactory

pytestmark = pytest.mark.django_db

Answer = tuple[str, dict[str, str], bytes]


def ask(path: str, method: str = "GET") -> Answer:
    """Return status, headers and body of an answer of the whole application."""
    begun: list[Any] = []
    environ = RequestFactory(SERVER_NAME="localhost").generic(method, path).environ
    body = wsgi.application(environ, lambda status, headers: begun.extend([status, dict(headers)]))
    content = b"".join(body)
    close: Callable[[], None] = getattr(body, "close", lambda: None)
    close()
    return begun[0], begun[1], content


def url(queue: Queue) -> str:
    return f"/api/v1/queues/{queue.slug}/board/"


def test_kept_board_is_answered_before_django_begins(queue: Queue, monkeypatch, django_assert_num_queries):
    kept = services.publish_board(queue.pk).as_json()
    asked = []
    monkeypatch.setattr(wsgi, "django_application", lambda environ, start_response: asked.append(environ))

    with django_assert_num_queries(0):
        status, headers, body = ask(url(queue))

    assert (status, body, asked) == ("200 OK", kept, [])
    assert headers == {
        "Content-Type": "application/json",
        "Cache-Control": "public, max-age=1",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
        "Content-Length": str(len(kept)),
    }


@pytest.mark.django_db(transaction=True)
def test_missing_board_is_made_by_django_and_then_kept(queue: Queue):
    status, headers, body = ask(url(queue))

    assert (status, headers["Cache-Control"]) == ("200 OK", "public, max-age=1")
    assert ask(url(queue))[2] == body


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dead_redis")
def test_django_answers_without_redis(queue: Queue):
    status, _, body = ask(url(queue))

    assert (status, b'"phase":"open"' in body) == ("200 OK", True)


def test_board_of_another_queue_is_not_confused(queue: Queue):
    other = QueueFactory(event=queue.event, slug=f"{queue.slug}-2", message="the other")
    services.publish_board(queue.pk)
    services.publish_board(other.pk)

    assert (b"the other" in ask(url(queue))[2], b"the other" in ask(url(other))[2]) == (False, True)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/v1/queues/{slug}/board", "GET"),
        ("/api/v1/queues/{slug}/board/x", "GET"),
        ("/api/v1/queues/{slug}/board/", "POST"),
        ("/xapi/v1/queues/{slug}/board/", "GET"),
    ],
)
def test_all_else_goes_to_django(queue: Queue, monkeypatch, path: str, method: str):
    services.publish_board(queue.pk)
    asked = []

    def django(environ: dict, start_response: Callable) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("404 Not Found", [])
        return []

    monkeypatch.setattr(wsgi, "django_application", django)
    path = path.format(slug=queue.slug)

    assert (ask(path, method)[0], asked) == ("404 Not Found", [path])
