"""Answers at the edge: a database that is away is "busy", and anything else that nobody caught is our fault."""

from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connections
from django.test import Client, RequestFactory
from django.urls import get_resolver
from pytest_django import Settings

from config.middleware import answer_to_failure


def answer_while(error: Exception) -> tuple[int, str | None]:
    try:
        raise error
    except type(error):
        answer = answer_to_failure(RequestFactory().get("/"))
    return answer.status_code, answer.headers.get("Retry-After")


@pytest.mark.parametrize(
    ("error", "answer"),
    [(OperationalError(), (503, "2")), (InterfaceError(), (503, "2")), (ValueError(), (500, None))],
)
def test_failure_outside_a_view_is_busy_where_a_moment_may_mend_it(error: Exception, answer: tuple[int, str | None]):
    assert answer_while(error) == answer
    assert get_resolver().resolve_error_handler(500) is answer_to_failure


@pytest.mark.django_db(transaction=True)
def test_page_whose_connection_was_cut_says_busy_and_the_next_one_works(client: Client):
    default = connections["default"]
    default.ensure_connection()
    other = default.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [default.connection.info.backend_pid])
    other.close()

    cut = client.get("/")
    default.close()
    after = client.get("/")

    assert (cut.status_code, cut["Retry-After"], after.status_code) == (503, "2", 200)


class Unread:
    """A body that nobody may read."""

    def read(self, *args: object) -> bytes:
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/account/identity/", "/admin/events/event/add/", "/account/login/"])
def test_body_larger_than_anything_is_refused_unread(settings: Settings, page: str):
    facts: dict[str, Any] = {"CONTENT_LENGTH": str(settings.MAX_BODY_BYTES + 1), "wsgi.input": Unread()}

    answer = Client(enforce_csrf_checks=True).generic("POST", page, b"", "multipart/form-data; boundary=x", **facts)

    assert (answer.status_code, answer["X-Refusal"]) == (413, "request_too_large")
    assert "Please send less, or a smaller file." in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("room", "status"), [(0, 200), (-1, 413)])
def test_body_as_large_as_may_be_is_read(client: Client, settings: Settings, room: int, status: int):
    typed = b"login=nobody@example.org&password=x"
    settings.MAX_BODY_BYTES = len(typed) + room

    answer = client.generic("POST", "/account/login/", typed, "application/x-www-form-urlencoded")

    assert answer.status_code == status


def test_uploads_of_a_demo_are_shown(client: Client, settings: Settings):
    poster = Path(settings.MEDIA_ROOT) / "poster.txt"
    poster.parent.mkdir(parents=True, exist_ok=True)
    poster.write_text("a poster")

    try:
        assert b"".join(client.get("/media/poster.txt").streaming_content) == b"a poster"  # type: ignore[attr-defined]
    finally:
        poster.unlink()
