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


def ask(path: str, method: str = "GET", **headers: str) -> Answer:
    """Return status, headers and body of an answer of the whole application; `headers` as WSGI names them."""
    begun: list[Any] = []
    environ = RequestFactory(SERVER_NAME="localhost").generic(method, path).environ | headers
    body = wsgi.application(environ, lambda status, headers: begun.extend([status, dict(headers)]))
    content = b"".join(body)
    close: Callable[[], None] = getattr(body, "close", lambda: None)
    close()
    return begun[0], begun[1], content


def url(queue: Queue) -> str:
    return f"/api/v1/queues/{queue.slug}/board/"


def test_kept_board_is_answered_before_django_begins(queue: Queue, monkeypatch, django_assert_num_queries):
    made = services.publish_board(queue.pk)
    kept = made.as_json()
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
        "ETag": f'"{made.as_of}"',
    }


@pytest.mark.parametrize("known", ["{}", "W/{}", '"x", {}', '"x",W/{}', "*"])
def test_board_that_the_reader_has_is_not_sent_again(queue: Queue, monkeypatch, known: str):
    made = services.publish_board(queue.pk)
    monkeypatch.setattr(wsgi, "django_application", None)

    status, headers, body = ask(url(queue), HTTP_IF_NONE_MATCH=known.format(f'"{made.as_of}"'))

    assert (status, body) == ("304 Not Modified", b"")
    assert headers == {
        "Cache-Control": "public, max-age=1",
        "Access-Control-Allow-Origin": "*",
        "ETag": f'"{made.as_of}"',
    }


@pytest.mark.parametrize("known", ['"x"', "", "x", '"', "W/", ",,", '""', "{bare}", '"{bare}x"', "\xff\0"])
def test_board_that_the_reader_has_not_is_sent(queue: Queue, known: str):
    made = services.publish_board(queue.pk)

    status, headers, body = ask(url(queue), HTTP_IF_NONE_MATCH=known.format(bare=made.as_of))

    assert (status, body, headers["ETag"]) == ("200 OK", made.as_json(), f'"{made.as_of}"')


def test_next_board_is_sent_to_who_has_the_last(queue: Queue):
    services.publish_board(queue.pk)
    first = ask(url(queue))
    made = services.publish_board(queue.pk)

    status, headers, body = ask(url(queue), HTTP_IF_NONE_MATCH=first[1]["ETag"])

    assert (status, body, first[1]["ETag"] == headers["ETag"]) == ("200 OK", made.as_json(), False)


@pytest.mark.django_db(transaction=True)
def test_board_has_one_name_on_both_ways(queue: Queue):
    """Whoever was answered by Django the first time, because there was no board, is known on the short way."""
    _, headers, _ = ask(url(queue))

    assert ask(url(queue), HTTP_IF_NONE_MATCH=headers["ETag"])[::2] == ("304 Not Modified", b"")


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
