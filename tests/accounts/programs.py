"""A program that signs in, as tests drive it."""

import json
import re
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import Letter

PREFIX = "/_allauth/app/v1/"
PASSWORD = "a long enough secret"
NEW_PASSWORD = "quite another long secret"
SIGNUP = {"name": "Ben Buyer", "email": "Ben@Example.org", "password": PASSWORD}
LOGIN = {"email": "ben@example.org", "password": PASSWORD}


class Program:
    """Talks JSON to the addresses of accounts, and keeps the session token that it is given."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client(enforce_csrf_checks=True)
        self.client.raise_request_exception = False
        self.token = ""

    def ask(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        """Send one request; `data` is written as JSON, unless it is bytes."""
        if self.token:
            headers = {"X-Session-Token": self.token, **headers}
        body = data if isinstance(data, bytes) else json.dumps(data).encode() if data else b""
        answer = self.client.generic(
            method, PREFIX + path, body, content_type="application/json", headers=headers or None
        )
        if answer["Content-Type"] == "application/json":
            self.token = answer.json().get("meta", {}).get("session_token", self.token)
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, data: Any = None) -> Any:
        return self.ask("POST", path, data)

    def status(self) -> int:
        """Return what the session is answered with: 200 signed in, 401 not, 410 ended."""
        return self.get("auth/session").status_code


def told(answer: Any) -> tuple[int, list[tuple[str | None, str]]]:
    """Return the status, and which fields are wrong by which codes."""
    body = answer.json()
    return answer.status_code, [(error.get("param"), error["code"]) for error in body.get("errors", [])]


def refusal(answer: Any) -> tuple[int, str]:
    """Return status and code of a problem."""
    assert answer["Content-Type"] == "application/problem+json", answer.content
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (answer.status_code, answer["X-Refusal"])
    return answer.status_code, problem["code"]


def signed_in(**login: str) -> Program:
    """Return a program that has signed in as Ben."""
    program = Program()
    assert program.post("auth/login", {**LOGIN, **login}).status_code == 200
    return program


def holding(token: str) -> Program:
    """Return a program that has come by a session token."""
    program = Program()
    program.token = token
    return program


def newest_link() -> str:
    link = re.search(r"http://testserver(/account/\S+)", Letter.objects.latest("pk").text)
    assert link
    return link[1]


def newest_key() -> str:
    """Return what the newest letter's link ends with: the key, for programs."""
    return newest_link().rstrip("/").rpartition("/")[2]


def addresses() -> list[tuple[str, bool, bool]]:
    return list(EmailAddress.objects.order_by("pk").values_list("email", "verified", "primary"))


def given_password() -> Program:
    """Return a program that has given Ben's password, and is asked for more."""
    program = Program()
    answer = program.post("auth/login", LOGIN)
    assert answer.status_code == 401
    pending = [flow for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]
    assert [flow["id"] for flow in pending] == ["mfa_authenticate"]
    return program


def confirmed(program: Program) -> Program:
    assert program.post("auth/reauthenticate", {"password": PASSWORD}).status_code == 200
    return program


def factors() -> list[str]:
    return sorted(Authenticator.objects.values_list("type", flat=True))
