"""What is asked is read as UTF-8, whatever its header says."""

import json
from typing import Any

import pytest
from django.test import Client, RequestFactory

from accounts.models import User
from config import wsgi
from tests.factories import EventFactory

# Like a server, the application drops the connection that it finds.
pytestmark = pytest.mark.django_db(transaction=True)

FOUND = "q=K%C3%B6ln"
# Names of encodings that are none of text, one of text that is another one, and one of nothing.
NAMED = ["zlib", "hex", "rot13", "undefined", "utf-16", '"iso-8859-1"', "none-at-all"]


def ask(method: str, path: str, kind: str, body: Any = None, **headers: str) -> tuple[str, bytes]:
    """Return the status and the body of an answer of the whole application, as a server in front calls it."""
    asked = RequestFactory().generic(method, path, json.dumps(body, ensure_ascii=False), content_type="text/plain")
    begun: list[str] = []
    environ = {**asked.environ, **headers, "CONTENT_TYPE": kind, "QUERY_STRING": FOUND}
    answer = wsgi.application(environ, lambda status, headers: begun.append(status))
    return begun[0], b"".join(answer)


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("written", ["application/json; charset={}", "application/json;CHARSET ={}", "a/b;charset*={}"])
def test_address_is_read_whatever_encoding_its_header_names(name: str, written: str):
    EventFactory(slug="herbst", name="Herbst in Köln")

    (status, listed), (page, _) = (ask("GET", path, written.format(name)) for path in ("/api/v1/events/", "/"))

    assert (status, [event["slug"] for event in json.loads(listed)["results"]]) == ("200 OK", ["herbst"])
    assert page == "200 OK"


@pytest.mark.parametrize("name", NAMED)
def test_body_is_read_whatever_encoding_its_header_names(client: Client, ben: User, name: str):
    client.force_login(ben)
    hold = {"admittance_token": "Köln", "lines": []}
    token = str(client.session.session_key)

    status, answer = ask(
        "POST", "/api/v1/orders/", f"application/json; charset={name}", hold, HTTP_X_SESSION_TOKEN=token
    )

    assert (status, json.loads(answer)["code"]) == ("403 Forbidden", "admittance_invalid")
