"""Second factors, seen from outside: through allauth's pages, with its letters in our mailbox."""

import json
import re
import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from fido2 import cbor
from pytest_django import Settings

from accounts import services, vault
from accounts.models import Letter, User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
LONG_PERIOD = 10_000_000
UNREADABLE = '{"id": "!", "rawId": "!", "type": "public-key", "response": {}}'
PARTS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
NOBODY_S = json.dumps({"id": "YQ", "rawId": "YQ", "type": "public-key", "response": dict.fromkeys(PARTS, "YQ")})


@pytest.fixture(autouse=True)
def _code_that_stays(settings: Settings) -> None:
    """Let a code live for months, so that it cannot change between being worked out and being typed."""
    settings.MFA_TOTP_PERIOD = LONG_PERIOD


@pytest.fixture
def fan() -> User:
    return UserFactory(email="ben@example.org", password=PASSWORD, email_verified_at=timezone.now())


@pytest.fixture
def secret(fan: User) -> str:
    """Return what the fan's app works codes out from; it has been on for a while."""
    secret = generate_totp_secret()
    TOTP.activate(fan, secret)
    RecoveryCodes.activate(fan)
    return secret


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // LONG_PERIOD))


def wrong_code(secret: str) -> str:
    return f"{(int(code_of(secret)) + 1) % 1_000_000:06}"


def recovery_codes(fan: User) -> list[str]:
    codes: list[str] = Authenticator.objects.get(user=fan, type="recovery_codes").wrap().get_unused_codes()
    return codes


def factors(fan: User) -> list[str]:
    return sorted(Authenticator.objects.filter(user=fan).values_list("type", flat=True))


def give_password(client: Client, **more: str) -> str:
    answer = client.post(reverse("account_login"), {"login": "ben@example.org", "password": PASSWORD, **more})
    assert answer.status_code == 302
    return str(answer["Location"])


def give_code(client: Client, code: str) -> int:
    return client.post(reverse("mfa_authenticate"), {"code": code}).status_code


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def confirm(client: Client, fan: User) -> None:
    client.force_login(fan)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def newest_letter() -> tuple[str, str, str]:
    letter = Letter.objects.latest("pk")
    return letter.to, letter.kind, letter.subject


# Signing in


def test_password_alone_does_not_sign_in_who_has_an_app(client: Client, secret: str):
    assert give_password(client) == reverse("mfa_authenticate")
    assert not is_signed_in(client)
    assert client.get(reverse("orders:tickets")).status_code == 302


def test_code_of_the_app_signs_in_and_leads_where_the_fan_was_going(client: Client, secret: str):
    give_password(client, next="/tickets/")

    answer = client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})

    assert (answer.status_code, answer["Location"], is_signed_in(client)) == (302, "/tickets/", True)


def test_code_is_taken_as_apps_write_it(client: Client, secret: str):
    give_password(client)
    code = code_of(secret)

    assert (give_code(client, f" {code[:3]} {code[3:]} "), is_signed_in(client)) == (302, True)


def test_wrong_code_does_not_sign_in(client: Client, fan: User, secret: str):
    give_password(client)

    assert (give_code(client, wrong_code(secret)), is_signed_in(client)) == (200, False)
    assert Authenticator.objects.get(user=fan, type="totp").last_used_at is None


@pytest.mark.parametrize("memory", ["kept", "emptied"])
def test_code_serves_once_whatever_becomes_of_the_cache(client: Client, secret: str, memory: str):
    give_password(client)
    give_code(client, code_of(secret))
    if memory == "emptied":
        cache.clear()

    onlooker = Client()
    give_password(onlooker)

    assert (give_code(onlooker, code_of(secret)), is_signed_in(onlooker)) == (200, False)


@pytest.mark.usefixtures("dead_redis")
def test_code_serves_once_without_redis(client: Client, secret: str):
    give_password(client)
    assert (give_code(client, code_of(secret)), is_signed_in(client)) == (302, True)

    onlooker = Client()
    give_password(onlooker)

    assert (give_code(onlooker, code_of(secret)), is_signed_in(onlooker)) == (200, False)


def test_code_of_the_next_period_signs_in_again(client: Client, fan: User, secret: str):
    give_password(client)
    give_code(client, code_of(secret))
    cache.clear()
    before = services.code_period_began_at() - timedelta(microseconds=1)
    Authenticator.objects.filter(user=fan, type="totp").update(last_used_at=before)

    later = Client()
    give_password(later)

    assert (give_code(later, code_of(secret)), is_signed_in(later)) == (302, True)


def test_guessing_codes_ends_soon(client: Client, secret: str):
    for _ in range(5):
        give_password(client)
        give_code(client, wrong_code(secret))

    give_password(client)
    assert (give_code(client, code_of(secret)), is_signed_in(client)) == (200, False)


def test_recovery_code_signs_in_once(client: Client, fan: User, secret: str):
    first, *others = recovery_codes(fan)
    give_password(client)
    assert (give_code(client, first), is_signed_in(client)) == (302, True)
    assert recovery_codes(fan) == others

    finder = Client()
    give_password(finder)

    assert (give_code(finder, first), is_signed_in(finder)) == (200, False)
    assert recovery_codes(fan) == others


def test_new_password_by_letter_is_no_way_around_the_app(client: Client, secret: str):
    client.post(reverse("account_reset_password"), {"email": "ben@example.org"})
    link = re.search(r"http://testserver(/account/\S+)", Letter.objects.latest("pk").text)
    assert link
    page = client.get(link[1], follow=True)
    new = "another long secret"
    client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})

    answer = client.post(reverse("account_login"), {"login": "ben@example.org", "password": new})

    assert (answer["Location"], is_signed_in(client)) == (reverse("mfa_authenticate"), False)


def test_desk_asks_staff_for_the_second_factor(client: Client, fan: User, secret: str):
    User.objects.filter(pk=fan.pk).update(is_staff=True, is_superuser=True)
    door = client.get(reverse("admin:login"), {"next": reverse("admin:index")})
    assert (door.status_code, door["Location"]) == (302, f"{reverse('account_login')}?next=%2Fadmin%2F")
    posted = client.post(reverse("admin:login"), {"username": "ben@example.org", "password": PASSWORD})
    assert (posted.status_code, is_signed_in(client)) == (302, False)
    give_password(client, next=reverse("admin:index"))
    assert client.get(reverse("admin:index")).status_code == 302

    answer = client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})

    assert answer["Location"] == reverse("admin:index")
    assert client.get(reverse("admin:index")).status_code == 200


# Setting up


def test_app_is_set_up_by_its_first_code(client: Client, fan: User, django_capture_on_commit_callbacks):
    confirm(client, fan)
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    assert page.context["totp_url"].startswith("otpauth://totp/ben%40example.org?")
    assert "issuer=Fairline" in page.context["totp_url"]

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})

    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert factors(fan) == ["recovery_codes", "totp"]
    assert newest_letter() == ("ben@example.org", "notice", "Authenticator app switched on")
    shown = client.get(answer["Location"]).content.decode()
    assert [code for code in recovery_codes(fan) if code not in shown] == []


def test_app_with_a_wrong_code_is_not_set_up(client: Client, fan: User):
    confirm(client, fan)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret

    page = client.post(reverse("mfa_activate_totp"), {"code": wrong_code(secret)})

    assert page.context["form"].secret == secret
    assert (factors(fan), Letter.objects.count()) == ([], 0)


def test_second_step_waits_for_a_confirmed_address(client: Client):
    typed = {"name": "Eve", "email": "eve@example.org", "password1": PASSWORD}
    client.post(reverse("account_signup"), typed)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    page = client.get(reverse("mfa_activate_totp"), follow=True)

    assert page.redirect_chain == [(reverse("mfa_index"), 302)]
    assert "Please confirm your e-mail address first." in page.content.decode()


@pytest.mark.parametrize(
    "page", ["mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"]
)
def test_security_is_changed_only_by_who_shows_again_who_they_are(client: Client, fan: User, page: str):
    RecoveryCodes.activate(fan)
    client.force_login(fan)

    answer = client.get(reverse(page))

    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("account_reauthenticate"))


def test_app_is_switched_off_with_its_recovery_codes(client: Client, fan: User, secret: str):
    confirm(client, fan)

    client.post(reverse("mfa_deactivate_totp"))

    assert factors(fan) == []
    assert newest_letter() == ("ben@example.org", "notice", "Authenticator app switched off")


def test_new_recovery_codes_replace_the_old_ones(
    client: Client, fan: User, secret: str, django_capture_on_commit_callbacks
):
    old = recovery_codes(fan)
    confirm(client, fan)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_generate_recovery_codes"))

    assert set(recovery_codes(fan)) & set(old) == set()
    assert newest_letter() == ("ben@example.org", "notice", "You have new recovery codes")


def test_recovery_codes_are_downloaded_one_a_line(client: Client, fan: User, secret: str):
    confirm(client, fan)

    answer = client.get(reverse("mfa_download_recovery_codes"))

    assert answer.content.decode().split() == recovery_codes(fan)
    assert answer["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'


@pytest.mark.parametrize("page", ["mfa_add_webauthn", "mfa_authenticate", "mfa_login_webauthn"])
@pytest.mark.parametrize("sent", ["", "x", "{}", "[]", '"x"', "1", UNREADABLE, NOBODY_S])
def test_anything_but_a_passkey_is_refused_civilly(client: Client, fan: User, secret: str, page: str, sent: str):
    if page == "mfa_authenticate":
        give_password(client)
    elif page != "mfa_login_webauthn":
        confirm(client, fan)
    client.get(reverse(page), headers={"Accept": "application/json"})
    before = is_signed_in(client)

    answer = client.post(reverse(page), {"credential": sent, "name": "a", "passwordless": "on"})

    assert answer.status_code in {200, 302}
    assert (is_signed_in(client), factors(fan)) == (before, ["recovery_codes", "totp"])


def as_sent(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def key_of_no_known_kind(fan: User) -> Authenticator:
    """Return a passkey as a program may have registered it: a browser makes none of a kind that was not offered."""
    key = cbor.encode({1: 2, 3: -999})
    about = sha256(b"testserver").digest() + b"\x45" + bytes(20) + b"\x00\x01k" + key
    parts = {
        "clientDataJSON": as_sent(json.dumps({"type": "webauthn.create", "challenge": "", "origin": ""}).encode()),
        "attestationObject": as_sent(cbor.encode({"fmt": "none", "attStmt": {}, "authData": about})),
    }
    credential = {"id": as_sent(b"k"), "rawId": as_sent(b"k"), "type": "public-key", "response": parts}
    return Authenticator.objects.create(user=fan, type="webauthn", data={"name": "a", "credential": credential})


def test_passkey_of_no_known_kind_is_refused_civilly(client: Client, fan: User):
    key_of_no_known_kind(fan)
    asked = client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"}).json()
    challenge = asked["request_options"]["publicKey"]["challenge"]
    said = {"type": "webauthn.get", "challenge": challenge, "origin": "https://testserver"}
    parts = {
        "clientDataJSON": as_sent(json.dumps(said).encode()),
        "authenticatorData": as_sent(sha256(b"testserver").digest() + b"\x05" + bytes(4)),
        "signature": as_sent(b"signed"),
        "userHandle": as_sent(user_pk_to_url_str(fan).encode()),
    }
    credential = {"id": as_sent(b"k"), "rawId": as_sent(b"k"), "type": "public-key", "response": parts}

    answer = client.post(reverse("mfa_login_webauthn"), {"credential": json.dumps(credential)})

    assert (answer.status_code, answer["Location"], is_signed_in(client)) == (302, reverse("account_login"), False)


# At rest


def test_secrets_do_not_lie_open_in_the_database(fan: User, secret: str):
    app = Authenticator.objects.get(user=fan, type="totp")
    assert (set(app.data), secret in str(app.data), vault.unseal(app.data["secret"])) == ({"secret"}, False, secret)
    seed = Authenticator.objects.get(user=fan, type="recovery_codes").data["seed"]
    assert re.fullmatch(r"[0-9a-f]{80}", vault.unseal(seed))
    assert not re.fullmatch(r"[0-9a-f]{80}", seed)


def test_new_secret_key_opens_what_the_earlier_one_closed(settings: Settings):
    sealed = vault.seal("a secret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    assert vault.unseal(sealed) == "a secret"

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(vault.SecretLost):
        vault.unseal(sealed)


def test_secret_that_nobody_can_read_lets_nobody_in(client: Client, fan: User, secret: str):
    Authenticator.objects.filter(user=fan).update(data={"secret": "torn", "seed": "torn", "used_mask": 0})
    give_password(client)

    assert (give_code(client, code_of(secret)), is_signed_in(client)) == (503, False)


# The platform's staff


def test_staff_take_away_what_was_lost_and_the_owner_is_told(client: Client, fan: User, secret: str):
    app = Authenticator.objects.get(user=fan, type="totp")
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.get(reverse("admin:mfa_authenticator_change", args=[app.pk]))
    assert app.data["secret"] not in page.content.decode()

    client.post(reverse("admin:mfa_authenticator_delete", args=[app.pk]), {"post": "yes"})

    assert factors(fan) == []
    assert newest_letter() == ("ben@example.org", "notice", "The second step of your account was taken away")


def test_recovery_codes_stay_while_another_factor_needs_them(fan: User, secret: str):
    passkey = Authenticator.objects.create(user=fan, type="webauthn", data={"name": "Passkey", "credential": {}})

    services.remove_second_factor(passkey)

    assert factors(fan) == ["recovery_codes", "totp"]
