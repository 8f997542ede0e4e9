"""Codes as a second factor over the API: as strict as the pages, whose forms they use."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from pytest_django import Settings

from accounts.models import Letter, User
from tests.accounts.programs import (
    LOGIN,
    PASSWORD,
    Program,
    confirmed,
    factors,
    given_password,
    refusal,
    signed_in,
    told,
)

pytestmark = pytest.mark.django_db

LONG_PERIOD = 10_000_000


@pytest.fixture(autouse=True)
def _code_that_stays(settings: Settings) -> None:
    """Let a code live for months, so that it cannot change between being worked out and being typed."""
    settings.MFA_TOTP_PERIOD = LONG_PERIOD


@pytest.fixture
def secret(verified_ben: User) -> str:
    """Return what Ben's app works codes out from; it has been on for a while."""
    secret = generate_totp_secret()
    TOTP.activate(verified_ben, secret)
    RecoveryCodes.activate(verified_ben)
    return secret


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // LONG_PERIOD))


def wrong_code(secret: str) -> str:
    return f"{(int(code_of(secret)) + 1) % 1_000_000:06}"


def give_code(program: Program, code: Any) -> int:
    status: int = program.post("auth/2fa/authenticate", {"code": code}).status_code
    return status


def past(code: str) -> Program:
    """Return a program that has signed in with a code, and has just shown again whose it is."""
    program = given_password()
    assert give_code(program, code) == 200
    return confirmed(program)


def recovery_codes() -> list[str]:
    codes: list[str] = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    return codes


# Signing in


def test_password_alone_does_not_sign_in_who_has_an_app(secret: str):
    program = given_password()

    assert (program.status(), program.get("account/email").status_code) == (401, 401)


def test_code_of_the_app_signs_in_and_renews_the_token(secret: str):
    program = given_password()
    before = program.token
    code = code_of(secret)

    assert give_code(program, f" {code[:3]} {code[3:]} ") == 200
    assert (program.status(), program.token != before) == (200, True)


@pytest.mark.parametrize("memory", ["kept", "emptied"])
def test_code_serves_once_whatever_becomes_of_the_cache(secret: str, memory: str):
    assert give_code(given_password(), code_of(secret)) == 200
    if memory == "emptied":
        cache.clear()
    onlooker = given_password()

    assert (give_code(onlooker, code_of(secret)), onlooker.status()) == (400, 401)


@pytest.mark.parametrize("code", ["", "\uff11\uff12\uff13\uff14\uff15\uff16", "x" * 33, "\x00", None])
def test_code_that_is_none_does_not_sign_in(secret: str, code: str | None):
    program = given_password()

    assert (give_code(program, code), program.status()) == (400, 401)
    assert Authenticator.objects.get(type="totp").last_used_at is None


@pytest.mark.parametrize("code", [["123456"], 123456, {}])
def test_code_that_is_no_text_is_refused(secret: str, code: Any):
    assert refusal(given_password().post("auth/2fa/authenticate", {"code": code})) == (400, "malformed")


def test_guessing_codes_ends_soon(secret: str):
    for _ in range(5):
        assert give_code(given_password(), wrong_code(secret)) == 400
    program = given_password()

    answer = program.post("auth/2fa/authenticate", {"code": code_of(secret)})

    assert (*refusal(answer), answer["Retry-After"], program.status()) == (429, "throttled", "300", 401)


def test_recovery_code_signs_in_once(secret: str):
    first, *others = recovery_codes()
    assert give_code(given_password(), first) == 200

    finder = given_password()

    assert (give_code(finder, first), finder.status(), recovery_codes()) == (400, 401, others)


def test_code_without_a_password_signs_in_nobody(program: Program, secret: str):
    assert (give_code(program, code_of(secret)), program.status()) == (401, 401)


def test_new_password_by_letter_is_no_way_around_the_app(program: Program, secret: str):
    program.post("auth/password/request", {"email": "ben@example.org"})
    link = Letter.objects.latest("pk").text.split("/password/reset/key/")[1].split()[0]

    answer = program.post("auth/password/reset", {"key": link.rstrip("/"), "password": "another long secret"})

    assert (answer.status_code, program.status()) == (401, 401)
    assert program.post("auth/login", {**LOGIN, "password": "another long secret"}).status_code == 401
    assert program.status() == 401


# Setting up


def test_app_is_set_up_by_its_first_code(verified_ben: User, django_capture_on_commit_callbacks):
    program = confirmed(signed_in())
    shown = program.get("account/authenticators/totp")
    secret = shown.json()["meta"]["secret"]

    with django_capture_on_commit_callbacks(execute=True):
        answer = program.post("account/authenticators/totp", {"code": code_of(secret)})

    assert (shown.status_code, answer.status_code, factors()) == (404, 200, ["recovery_codes", "totp"])
    assert (Letter.objects.get().to, Letter.objects.get().kind) == ("ben@example.org", "notice")


def test_app_with_a_wrong_code_is_not_set_up(verified_ben: User):
    program = signed_in()
    secret = program.get("account/authenticators/totp").json()["meta"]["secret"]

    answer = program.post("account/authenticators/totp", {"code": wrong_code(secret)})

    assert (told(answer), factors()) == ((400, [("code", "incorrect_code")]), [])


def test_guessing_the_first_code_ends_soon(verified_ben: User):
    program = signed_in()
    secret = program.get("account/authenticators/totp").json()["meta"]["secret"]
    for _ in range(5):
        program.post("account/authenticators/totp", {"code": wrong_code(secret)})

    assert refusal(program.post("account/authenticators/totp", {"code": code_of(secret)})) == (429, "throttled")
    assert factors() == []


def test_second_app_is_not_set_up(verified_ben: User):
    first, second = confirmed(signed_in()), confirmed(signed_in())
    secrets = [program.get("account/authenticators/totp").json()["meta"]["secret"] for program in (first, second)]
    first.post("account/authenticators/totp", {"code": code_of(secrets[0])})
    app = Authenticator.objects.get(type="totp")

    answer = second.post("account/authenticators/totp", {"code": code_of(secrets[1])})

    assert (refusal(answer), factors()) == ((409, "app_exists"), ["recovery_codes", "totp"])
    assert Authenticator.objects.get(type="totp").data == app.data


def test_second_step_waits_for_a_confirmed_address(program: Program):
    program.post("auth/signup", {"name": "Eve", "email": "eve@example.org", "password": PASSWORD})

    assert told(program.get("account/authenticators/totp")) == (409, [(None, "unverified_email")])
    assert told(program.get("account/authenticators/webauthn")) == (409, [(None, "unverified_email")])


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("DELETE", "totp", None),
        ("GET", "recovery-codes", None),
        ("POST", "recovery-codes", None),
        ("GET", "webauthn", None),
    ],
)
def test_security_is_changed_only_by_who_shows_again_who_they_are(secret: str, method: str, path: str, data: Any):
    program = given_password()
    give_code(program, code_of(secret))
    before = recovery_codes()

    answer = program.ask(method, f"account/authenticators/{path}", data)

    assert (answer.status_code, answer.json()["meta"]["is_authenticated"]) == (401, True)
    assert (factors(), recovery_codes()) == (["recovery_codes", "totp"], before)


def test_code_that_signed_in_does_not_confirm(secret: str):
    program = given_password()
    give_code(program, code_of(secret))
    cache.clear()

    assert told(program.post("auth/2fa/reauthenticate", {"code": code_of(secret)})) == (
        400,
        [("code", "incorrect_code")],
    )
    assert program.post("auth/reauthenticate", {"password": PASSWORD}).status_code == 200


def test_app_is_switched_off_with_its_recovery_codes(secret: str):
    program = past(code_of(secret))

    assert program.ask("DELETE", "account/authenticators/totp").status_code == 200
    assert (factors(), Letter.objects.get().kind) == ([], "notice")


def test_new_recovery_codes_replace_the_old_ones(secret: str):
    program = past(code_of(secret))
    old = recovery_codes()

    answer = program.post("account/authenticators/recovery-codes")

    assert answer.json()["data"]["unused_codes"] == recovery_codes()
    assert set(recovery_codes()) & set(old) == set()
