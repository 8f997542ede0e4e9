"""Pages of other sites that call the API from a browser."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User

pytestmark = pytest.mark.django_db

APP = "https://app.example.com"
ABOUT_ORIGINS = "access-control-"


@pytest.fixture(autouse=True)
def _one_site(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]


def told(answer: Any) -> dict[str, str]:
    """Return what an answer tells a browser about other sites."""
    return {name.lower(): value for name, value in answer.items() if name.lower().startswith(ABOUT_ORIGINS)}


def ask_first(client: Client, path: str, origin: str, headers: str = "x-session-token") -> dict[str, str]:
    """Ask as a browser does before it sends another site's request."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    return told(client.options(path, headers=asked))


@pytest.mark.parametrize("path", ["/api/v1/orders/", "/_allauth/app/v1/auth/login"])
def test_listed_site_may_send_tokens_and_keys(client: Client, path: str):
    answer = ask_first(client, path, APP)

    assert answer["access-control-allow-origin"] == APP
    assert {"POST", "PUT", "PATCH", "DELETE"} <= set(answer["access-control-allow-methods"].split(", "))
    sent = {"authorization", "content-type", "idempotency-key", "if-none-match", "x-session-token"}
    assert sent <= set(answer["access-control-allow-headers"].split(", "))
    assert "access-control-allow-credentials" not in answer


@pytest.mark.parametrize(
    ("path", "status"),
    [("/_allauth/app/v1/config", 200), ("/_allauth/app/v1/auth/session", 401), ("/api/v1/nothing/", 404)],
)
def test_listed_site_reads_answers_and_refusals(client: Client, path: str, status: int):
    answer = client.get(path, headers={"Origin": APP})

    assert (answer.status_code, told(answer)) == (
        status,
        {
            "access-control-allow-origin": APP,
            "access-control-expose-headers": "ETag, Idempotent-Replayed, Location, Retry-After",
        },
    )
    assert "origin" in answer["Vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example.com", f"{APP}.evil.example", f"{APP}:8443", "null", "[", ""]
)
def test_no_other_site_may(client: Client, origin: str):
    assert ask_first(client, "/_allauth/app/v1/auth/login", origin) == {}
    assert told(client.get("/_allauth/app/v1/config", headers={"Origin": origin})) == {}


@pytest.mark.parametrize("path", ["/account/login/", "/", "/admin/", "/account/_allauth/"])
def test_pages_are_for_nobody_s_pages(client: Client, path: str):
    assert ask_first(client, path, APP) == {}
    assert told(client.get(path, headers={"Origin": APP})) == {}


def test_cookie_that_came_along_all_the_same_changes_nothing(ben: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ben)

    data = {"current_password": "correct horse battery", "new_password": "another long secret"}
    answer = client.post("/_allauth/app/v1/account/password/change", data, "application/json", headers={"Origin": APP})

    assert (answer.status_code, "access-control-allow-credentials" in told(answer)) == (401, False)
    assert User.objects.get().check_password("correct horse battery")
