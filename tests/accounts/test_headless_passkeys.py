"""Passkeys over the API: as strict as the pages, whose forms they use."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from fido2.webauthn import AuthenticatorData

from accounts.models import User
from tests.accounts.passkeys import SEEN_AND_RECOGNISED, Passkey
from tests.accounts.programs import PASSWORD, Program, confirmed, factors, given_password, signed_in, told

pytestmark = pytest.mark.django_db

PARTS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
NO_PASSKEYS: list[Any] = [
    None,
    "x",
    1,
    [],
    {},
    {"id": "!", "rawId": "!", "type": "public-key", "response": {}},
    {"id": "YQ", "rawId": "YQ", "type": "public-key", "response": dict.fromkeys(PARTS, "YQ")},
    {"id": "YQ", "rawId": "YQ", "type": "public-key", "response": dict.fromkeys(PARTS, 1)},
    {"id": "YQ", "rawId": "YQ", "type": "public-key", "response": [1]},
]


def holder_of(passkey: Passkey) -> Program:
    """Return a program that has signed in with password and passkey, and has just shown again whose it is."""
    program = given_password()
    options = program.get("auth/webauthn/authenticate").json()["data"]["request_options"]
    answer = program.post("auth/webauthn/authenticate", {"credential": passkey.sign(options)})
    assert answer.status_code == 200
    return confirmed(program)


@pytest.fixture
def passkey(verified_ben: User) -> Passkey:
    """Return a passkey that Ben has added."""
    passkey = Passkey()
    program = confirmed(signed_in())
    options = program.get("account/authenticators/webauthn").json()["data"]["creation_options"]
    data = {"name": "Telephone", "passwordless": True, "credential": passkey.register(options)}
    answer = program.post("account/authenticators/webauthn", data)
    assert (answer.status_code, answer.json()["data"]["name"]) == (200, "Telephone")
    return passkey


def test_passkey_signs_in_by_itself(program: Program, passkey: Passkey):
    options = program.get("auth/webauthn/login").json()["data"]["request_options"]

    answer = program.post("auth/webauthn/login", {"credential": passkey.sign(options)})

    assert (answer.status_code, answer.json()["data"]["user"]["email"]) == (200, "ben@example.org")
    assert program.status() == 200


def test_passkey_is_the_second_step_after_a_password_and_confirms(passkey: Passkey):
    program = holder_of(passkey)
    options = program.get("auth/webauthn/reauthenticate").json()["data"]["request_options"]

    answer = program.post("auth/webauthn/reauthenticate", {"credential": passkey.sign(options)})

    assert (answer.status_code, program.status()) == (200, 200)


def test_what_a_passkey_has_signed_serves_once(program: Program, passkey: Passkey):
    options = program.get("auth/webauthn/login").json()["data"]["request_options"]
    signed = passkey.sign(options)
    program.post("auth/webauthn/login", {"credential": signed})
    onlooker = Program()
    onlooker.get("auth/webauthn/login")

    answer = onlooker.post("auth/webauthn/login", {"credential": signed})

    assert (told(answer), onlooker.status()) == ((400, [("credential", "incorrect_code")]), 401)


def test_passkey_of_nobody_signs_in_nobody(program: Program, passkey: Passkey):
    forged = Passkey()
    forged.id, forged.owner = passkey.id, passkey.owner
    options = program.get("auth/webauthn/login").json()["data"]["request_options"]

    assert program.post("auth/webauthn/login", {"credential": forged.sign(options)}).status_code == 400
    assert program.status() == 401


@pytest.mark.parametrize(
    ("flags", "data"),
    [
        (AuthenticatorData.FLAG.UP, {"passwordless": True}),
        (SEEN_AND_RECOGNISED, {}),
        (SEEN_AND_RECOGNISED, {"passwordless": False}),
    ],
)
def test_passkey_that_does_not_know_its_owner_is_not_taken_in(
    verified_ben: User, flags: AuthenticatorData.FLAG, data: dict[str, bool]
):
    program, passkey = confirmed(signed_in()), Passkey()
    options = program.get("account/authenticators/webauthn").json()["data"]["creation_options"]
    credential = passkey.register(options, flags=flags)

    answer = program.post("account/authenticators/webauthn", {"name": "x", "credential": credential, **data})

    assert (answer.status_code, factors()) == (400, [])


@pytest.mark.parametrize(
    "path", ["auth/webauthn/login", "auth/webauthn/authenticate", "account/authenticators/webauthn"]
)
@pytest.mark.parametrize("credential", NO_PASSKEYS, ids=range(len(NO_PASSKEYS)))
def test_anything_but_a_passkey_is_refused(passkey: Passkey, path: str, credential: Any):
    program = holder_of(passkey) if path.startswith("account") else given_password()
    before = program.status()
    assert program.get(path).status_code == 200

    answer = program.post(path, {"credential": credential, "name": "a", "passwordless": True})

    assert (answer.status_code, program.status(), factors()) == (400, before, ["recovery_codes", "webauthn"])


NO_NUMBERS: list[Any] = [None, "x", 10**30, 1.5, True, [1], {"a": 1}, 0]
NO_LISTS: list[Any] = [None, "x", 1, [10**30], [[1]], [{}], ["x"], {"a": 1}]


@pytest.mark.parametrize(
    ("method", "data"),
    [
        *[("PUT", {"id": chosen, "name": "x"}) for chosen in NO_NUMBERS],
        *[("DELETE", {"authenticators": chosen}) for chosen in NO_LISTS],
    ],
)
def test_passkey_that_is_not_there_is_refused(passkey: Passkey, method: str, data: dict[str, Any]):
    program = holder_of(passkey)

    answer = program.ask(method, "account/authenticators/webauthn", data)

    assert (answer.status_code, factors()) == (400, ["recovery_codes", "webauthn"]), json.dumps(data)


@pytest.mark.parametrize(("name", "status"), [("x" * 60, 200), ("x" * 61, 400), ("", 400)])
def test_passkey_is_given_a_name_as_on_the_page(passkey: Passkey, name: str, status: int):
    program = holder_of(passkey)
    factor = Authenticator.objects.get(type="webauthn")

    answer = program.ask("PUT", "account/authenticators/webauthn", {"id": factor.pk, "name": name})

    factor.refresh_from_db()
    assert (answer.status_code, factor.data["name"]) == (status, name if status == 200 else "Telephone")


def test_somebody_else_s_passkey_cannot_be_taken_away(passkey: Passkey, cleo: User):
    cleo.set_password(PASSWORD)
    cleo.save()
    program = confirmed(signed_in(email="cleo@example.org"))
    factor = Authenticator.objects.get(type="webauthn")

    answer = program.ask("DELETE", "account/authenticators/webauthn", {"authenticators": [factor.pk]})

    assert (answer.status_code, factors()) == (400, ["recovery_codes", "webauthn"])
