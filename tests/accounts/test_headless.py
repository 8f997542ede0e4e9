"""Signing in over the API, seen from outside: what a program may do, and what it is refused as the pages refuse it."""

from typing import Any

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import connections
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import closing
from accounts.headless import urls
from accounts.models import Letter, User
from tests.accounts.programs import (
    LOGIN,
    NEW_PASSWORD,
    PASSWORD,
    PREFIX,
    Program,
    holding,
    newest_key,
    newest_link,
    refusal,
    signed_in,
    told,
)

pytestmark = pytest.mark.django_db


# Signing in and out


def test_sign_in_takes_the_address_in_any_case(verified_ben: User):
    assert signed_in(email=" Ben@Example.ORG ").status() == 200


def test_wrong_password_does_not_sign_in(program: Program, verified_ben: User):
    answer = program.post("auth/login", {**LOGIN, "password": "wrong"})

    assert told(answer) == (400, [("password", "email_password_mismatch")])
    assert program.status() == 401


def test_token_of_before_is_worth_nothing_once_signed_in(program: Program, verified_ben: User):
    program.get("auth/webauthn/login")
    planted = program.token
    assert planted

    assert program.post("auth/login", LOGIN).status_code == 200

    assert program.token != planted
    assert holding(planted).status() == 410


def test_signing_out_ends_the_session(verified_ben: User):
    program = signed_in()

    assert (program.ask("DELETE", "auth/session").status_code, program.status()) == (401, 410)


@pytest.mark.parametrize("token", ["x" * 32, "x", "x" * 5000, "é'\"; --", "../../x"])
def test_token_that_never_was_is_told_so(db: None, token: str):
    assert holding(token).status() == 410


def test_cookie_signs_in_to_nothing_here(client: Client, verified_ben: User):
    client.force_login(verified_ben)

    assert Program(client).status() == 401
    assert Program(client).get("account/email").status_code == 401


def test_program_is_given_no_cookie_and_needs_no_token_against_forgery(verified_ben: User):
    program = signed_in()
    program.post("account/password/change", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    assert (program.status(), dict(program.client.cookies)) == (200, {})


def test_program_beside_a_browser_leaves_the_browser_s_session_alone(client: Client, verified_ben: User, cleo: User):
    client.force_login(cleo)
    program = Program(client)
    program.post("auth/login", LOGIN)
    program.ask("DELETE", "auth/session")

    assert client.session["_auth_user_id"] == str(cleo.pk)


def test_closed_account_signs_in_no_more_and_its_tokens_are_dead(verified_ben: User):
    program = signed_in()

    closing.erase_person(verified_ben, letters=closing.letters_to(verified_ben))

    assert (program.status(), program.get("account/email").status_code) == (401, 401)
    assert Program().post("auth/login", LOGIN).status_code == 400


def test_account_that_staff_have_switched_off_does_not_sign_in(program: Program, verified_ben: User):
    before = signed_in()
    User.objects.update(is_active=False)

    assert program.post("auth/login", LOGIN).status_code in {400, 401}
    assert (program.status(), before.status()) == (401, 401)


# Our own API


class WhoAsks(APIView):
    """An endpoint of ours as every one is: with the REST framework's settings, and nothing of its own."""

    def get(self, request: Request) -> Response:
        return Response(str(request.user))


def asked_by(token: str) -> tuple[int, Any]:
    request = RequestFactory().get("/api/v1/", headers={"X-Session-Token": token})
    SessionMiddleware(lambda request: HttpResponse()).process_request(request)
    AuthenticationMiddleware(lambda request: HttpResponse()).process_request(request)
    answer = WhoAsks.as_view()(request)
    return answer.status_code, answer.data if answer.status_code == 200 else answer.data["code"]


def test_token_signs_in_to_our_own_api_until_its_session_ends(verified_ben: User):
    program = signed_in()
    during = asked_by(program.token)
    program.ask("DELETE", "auth/session")

    assert (during, asked_by(program.token)) == ((200, "ben@example.org"), (401, "sign_in_required"))


def test_token_of_who_has_not_signed_in_yet_opens_nothing(verified_ben: User):
    program = Program()
    program.get("auth/webauthn/login")

    assert program.token
    assert asked_by(program.token) == (401, "sign_in_required")


@pytest.mark.parametrize("end", ["closed", "switched off", "new password"])
def test_token_of_an_account_that_has_ended_opens_nothing(verified_ben: User, end: str):
    program = signed_in()
    if end == "closed":
        closing.erase_person(verified_ben, letters=closing.letters_to(verified_ben))
    elif end == "switched off":
        User.objects.update(is_active=False)
    else:
        signed_in().post("account/password/change", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    assert asked_by(program.token) == (401, "sign_in_required")


# Passwords


def test_new_password_ends_the_other_sessions_and_renews_this_one(verified_ben: User):
    program, other = signed_in(), signed_in()
    old_token = program.token

    answer = program.post("account/password/change", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    assert (answer.status_code, program.status(), other.status(), holding(old_token).status()) == (200, 200, 401, 410)
    assert program.token != old_token
    assert (Letter.objects.get().to, Letter.objects.get().kind) == ("ben@example.org", "notice")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"current_password": "wrong"}, ("current_password", "enter_current_password")),
        ({"current_password": None}, ("current_password", "required")),
        ({"new_password": "short"}, ("new_password", "password_too_short")),
        ({"new_password": "ben@example.org"}, ("new_password", "password_too_similar")),
    ],
)
def test_password_that_does_not_do_changes_nothing(verified_ben: User, given: dict[str, str], wrong: tuple[str, str]):
    data = {"current_password": PASSWORD, "new_password": NEW_PASSWORD, **given}

    assert told(signed_in().post("account/password/change", data)) == (400, [wrong])
    assert User.objects.get().check_password(PASSWORD)


def test_forgotten_password_is_replaced_by_the_letter_s_key(program: Program, verified_ben: User):
    before = signed_in()
    assert program.post("auth/password/request", {"email": "BEN@example.org"}).status_code == 200
    key = newest_key()

    assert program.get("auth/password/reset", **{"X-Password-Reset-Key": key}).status_code == 200
    # 401: changed, and not signed in by it.
    assert program.post("auth/password/reset", {"key": key, "password": NEW_PASSWORD}).status_code == 401

    assert User.objects.get().check_password(NEW_PASSWORD)
    assert (before.status(), program.status()) == (401, 401)
    assert told(program.post("auth/password/reset", {"key": key, "password": PASSWORD})) == (
        400,
        [("key", "invalid_password_reset")],
    )
    assert list(Letter.objects.order_by("pk").values_list("kind", flat=True)) == ["verification", "notice"]


def test_forgotten_password_s_letter_leads_to_the_page(program: Program, verified_ben: User):
    program.post("auth/password/request", {"email": "ben@example.org"})

    page = Client().get(newest_link(), follow=True)

    assert (page.status_code, page.redirect_chain[-1][0].startswith("/account/password/reset/key/")) == (200, True)


def test_asking_for_a_new_password_does_not_tell_who_has_an_account(program: Program, verified_ben: User):
    known = program.post("auth/password/request", {"email": "ben@example.org"})
    unknown = program.post("auth/password/request", {"email": "nobody@example.org"})

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


@pytest.mark.parametrize("key", ["", "-", "zzzzzzzzzzzzz-x", "1-x", "é-é", "x" * 5000])
def test_forged_key_changes_no_password(program: Program, verified_ben: User, key: str):
    assert program.post("auth/password/reset", {"key": key, "password": NEW_PASSWORD}).status_code == 400
    assert User.objects.get().check_password(PASSWORD)


# Too often


def test_guessing_a_password_ends_soon(program: Program, verified_ben: User):
    for _ in range(5):
        program.post("auth/login", {**LOGIN, "password": "wrong"})

    answer = program.post("auth/login", LOGIN)

    assert (*refusal(answer), answer["Retry-After"]) == (429, "throttled", "300")
    assert program.status() == 401


@pytest.mark.parametrize(
    ("path", "limit", "data"),
    [
        ("auth/login", "login", LOGIN),
        ("auth/signup", "signup", {}),
        ("auth/password/request", "reset_password", {"email": "ben@example.org"}),
        ("auth/password/reset", "reset_password_from_key", {}),
        ("auth/reauthenticate", "reauthenticate", {"password": PASSWORD}),
        ("account/password/change", "change_password", {}),
        ("account/email", "manage_email", {"email": "ben@example.org"}),
    ],
)
def test_too_many_attempts_say_when_to_come_back(
    verified_ben: User, settings: Settings, path: str, limit: str, data: dict[str, str]
):
    program = signed_in() if path.startswith("account") or "reauth" in path else Program()
    settings.ACCOUNT_RATE_LIMITS = {limit: "1/40s/ip,1/90s/ip"}
    first = program.post(path, data)

    answer = program.post(path, data)

    assert first.status_code != 429
    assert (*refusal(answer), answer["Retry-After"]) == (429, "throttled", "90")


# What is no request


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"ben"',
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"email": ' + b"9" * 5000 + b"}",
        b'{"email": NaN}',
        b'{"email": "\\ud800@example.org"}',
        b'{"name": "\\ud800", "email": "ben@example.org", "password": "a long enough secret"}',
        b'{"name": "Ben", "email": "ben@example.org", "password": "a long enough \\ud800"}',
        b'{"name": "Ben", "email": "ben@example.org", "password": ["a long enough secret"]}',
        b'{"name": "Ben", "email": "ben@example.org", "password": {"a": "long enough secret"}}',
        b'{"name": "Ben", "email": "ben@example.org", "password": 123456789012}',
        b'{"name": "Ben", "email": ["ben@example.org"], "password": "a long enough secret"}',
    ],
    ids=range(15),
)
@pytest.mark.parametrize("path", ["auth/signup", "auth/login"])
def test_what_is_no_request_is_refused(program: Program, verified_ben: User, path: str, body: bytes):
    assert refusal(program.post(path, body)) == (400, "malformed")
    assert (User.objects.get(), Letter.objects.count(), program.status()) == (verified_ben, 0, 401)


def test_more_than_anything_is_refused_unread(program: Program, settings: Settings):
    settings.MAX_BODY_BYTES = 10

    assert refusal(program.post("auth/login", LOGIN)) == (413, "request_too_large")


def test_more_than_is_kept_in_memory_is_refused(program: Program, settings: Settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    assert refusal(program.post("auth/login", LOGIN)) == (413, "request_too_large")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_sign_in_by_another_verb_signs_in_nobody(program: Program, verified_ben: User, method: str):
    assert (program.ask(method, "auth/login", LOGIN).status_code, program.status()) == (405, 401)


def test_what_is_not_in_use_is_not_there():
    """Telephones, codes by letter, social accounts, other kinds of token, and sessions by cookie."""
    unused = ["account/phone", "auth/phone/verify", "auth/code/request", "auth/code/confirm", "auth/provider/redirect"]
    unused += ["auth/email/verify/resend", "tokens/refresh", "auth/sessions", "auth/webauthn/signup", "auth/2fa/trust"]

    assert {path: Client().post(PREFIX + path).status_code for path in unused} == dict.fromkeys(unused, 404)
    assert Client().get("/_allauth/browser/v1/config").status_code == 404


def test_no_address_answers_a_cookie_otherwise_than_a_stranger(client: Client, verified_ben: User):
    client.force_login(verified_ben)
    paths = [reverse(f"headless:{pattern.name}") for pattern in urls.urlpatterns]

    answers = {path: client.get(path).status_code for path in paths}

    assert answers == {path: Client().get(path).status_code for path in paths}
    assert len(answers) > 10


@pytest.mark.django_db(transaction=True)
def test_database_that_is_away_is_busy(program: Program, verified_ben: User):
    default = connections["default"]
    default.ensure_connection()
    other = default.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [default.connection.info.backend_pid])
    other.close()

    cut = program.post("auth/login", LOGIN)
    default.close()

    assert (*refusal(cut), cut["Retry-After"]) == (503, "busy", "2")
    assert program.post("auth/login", LOGIN).status_code == 200


@pytest.mark.usefixtures("dead_redis")
def test_sign_in_works_without_redis(program: Program, verified_ben: User):
    assert (program.post("auth/login", LOGIN).status_code, program.status()) == (200, 200)
