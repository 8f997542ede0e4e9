"""Signing up over the API, letters and addresses: one form asks, here and on the page."""

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Letter, User
from tests.accounts.programs import (
    PASSWORD,
    SIGNUP,
    Program,
    addresses,
    newest_key,
    newest_link,
    refusal,
    signed_in,
    told,
)
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


# Signing up


def test_signing_up_makes_an_account_and_signs_in(program: Program):
    answer = program.post("auth/signup", SIGNUP)

    user = User.objects.get()
    assert (user.email, user.name, user.is_email_verified, user.check_password(PASSWORD)) == (
        "ben@example.org",
        "Ben Buyer",
        False,
        True,
    )
    assert (answer.status_code, answer.json()["data"]["user"]) == (
        200,
        {
            "id": str(user.pk),
            "display": "Ben Buyer",
            "email": "ben@example.org",
            "email_verified": False,
            "identity_verified": False,
            "has_usable_password": True,
        },
    )
    assert program.status() == 200


@pytest.mark.parametrize("missing", ["name", "email", "password"])
@pytest.mark.parametrize("nothing", ["", None])
def test_signing_up_asks_for_name_address_and_password(program: Program, missing: str, nothing: str | None):
    assert told(program.post("auth/signup", {**SIGNUP, missing: nothing})) == (400, [(missing, "required")])
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"name": "x" * 151}, ("name", "max_length")),
        ({"name": "x\x00y"}, ("name", "null_characters_not_allowed")),
        ({"email": "nobody"}, ("email", "invalid")),
        ({"email": f"ben@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.example"}, ("email", "max_length")),
        ({"password": "short"}, ("password", "password_too_short")),
        ({"password": "password123"}, ("password", "password_too_common")),
        ({"password": "ben@example.org"}, ("password", "password_too_similar")),
    ],
)
def test_signing_up_is_refused_what_the_page_refuses(program: Program, given: dict[str, str], wrong: tuple[str, str]):
    page = Client().post(reverse("account_signup"), {**SIGNUP, "password1": PASSWORD, **as_on_the_page(given)})

    assert told(program.post("auth/signup", {**SIGNUP, **given})) == (400, [wrong])
    assert {error.code for errors in page.context["form"].errors.as_data().values() for error in errors} == {wrong[1]}
    assert (User.objects.count(), Letter.objects.count()) == (0, 0)


def as_on_the_page(given: dict[str, str]) -> dict[str, str]:
    return {name.replace("password", "password1"): text for name, text in given.items()}


def test_address_that_has_an_account_cannot_sign_up_again(program: Program, verified_ben: User):
    assert told(program.post("auth/signup", SIGNUP)) == (400, [("email", "email_taken")])
    assert User.objects.get() == verified_ben


def test_account_made_twice_at_the_same_instant_is_refused_the_second_time(
    program: Program, verified_ben: User, settings: Settings
):
    # The form of the second has looked before the first was written.
    settings.ACCOUNT_UNIQUE_EMAIL = False

    assert refusal(program.post("auth/signup", SIGNUP)) == (409, "email_taken")
    assert (User.objects.get(), program.token) == (verified_ben, "")


def test_whoever_is_signed_in_does_not_sign_up(verified_ben: User):
    assert signed_in().post("auth/signup", {**SIGNUP, "email": "new@example.org"}).status_code == 409
    assert User.objects.get() == verified_ben


# Letters


def test_signing_up_writes_a_letter_whose_link_opens_the_page(program: Program):
    program.post("auth/signup", SIGNUP)

    letter = Letter.objects.get()
    assert (letter.to, letter.kind, letter.status, mail.outbox) == ("ben@example.org", "verification", "queued", [])
    page = Client().get(newest_link())
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    Client().post(newest_link())
    assert User.objects.get().is_email_verified


def test_key_of_the_letter_verifies(program: Program):
    program.post("auth/signup", SIGNUP)

    answer = program.post("auth/email/verify", {"key": newest_key()})

    assert (answer.status_code, answer.json()["data"]["user"]["email_verified"]) == (200, True)
    assert User.objects.get().is_email_verified
    assert addresses() == [("ben@example.org", True, True)]


def test_key_of_the_letter_verifies_for_a_program_that_is_not_signed_in(program: Program):
    program.post("auth/signup", SIGNUP)

    # 401: verified, and not signed in by it.
    assert Program().post("auth/email/verify", {"key": newest_key()}).status_code == 401
    assert User.objects.get().is_email_verified


def test_key_of_the_letter_says_whose_it_is_and_verifies_nothing_by_that(program: Program):
    program.post("auth/signup", SIGNUP)

    answer = program.get("auth/email/verify", **{"X-Email-Verification-Key": newest_key()})

    assert (answer.status_code, answer.json()["data"]["email"]) == (200, "ben@example.org")
    assert not User.objects.get().is_email_verified


@pytest.mark.parametrize("key", ["MQ:1abcde:forged", "", "naïve", ":", "x" * 5000])
def test_forged_key_verifies_nothing(program: Program, key: str):
    program.post("auth/signup", SIGNUP)

    assert program.post("auth/email/verify", {"key": key}).status_code == 400
    assert not User.objects.get().is_email_verified


def test_key_serves_once(program: Program):
    program.post("auth/signup", SIGNUP)
    program.post("auth/email/verify", {"key": newest_key()})
    verified_at = User.objects.get().email_verified_at

    assert told(program.post("auth/email/verify", {"key": newest_key()})) == (400, [("key", "invalid_or_expired_key")])
    assert User.objects.get().email_verified_at == verified_at


def test_address_that_became_another_account_s_meanwhile_is_not_taken_over(verified_ben: User):
    program = signed_in()
    assert program.post("account/email", {"email": "new@example.org"}).status_code == 200
    other = UserFactory(email="new@example.org")

    assert refusal(program.post("auth/email/verify", {"key": newest_key()})) == (409, "email_taken")

    other.refresh_from_db()
    assert (User.objects.get(pk=verified_ben.pk).email, other.is_email_verified) == ("ben@example.org", False)
    assert addresses() == [("ben@example.org", True, True), ("new@example.org", False, False)]


def test_letter_is_sent_again_but_not_at_once(program: Program):
    program.post("auth/signup", SIGNUP)
    soon = program.ask("PUT", "account/email", {"email": "ben@example.org"})
    cache.clear()
    later = program.ask("PUT", "account/email", {"email": "ben@example.org"})

    assert (*refusal(soon), soon["Retry-After"], later.status_code) == (429, "throttled", "180", 200)
    assert list(Letter.objects.values_list("to", flat=True)) == ["ben@example.org"] * 2


def test_account_that_staff_have_made_is_sent_its_first_letter(program: Program):
    UserFactory(email="ben@example.org", password=PASSWORD)
    program = signed_in()

    assert program.ask("PUT", "account/email", {"email": "ben@example.org"}).status_code == 200
    assert Letter.objects.get().to == "ben@example.org"


# Changing the address


def test_new_address_counts_once_it_is_verified(verified_ben: User):
    program = signed_in()

    answer = program.post("account/email", {"email": " New@example.org "})

    verified_ben.refresh_from_db()
    assert (answer.status_code, verified_ben.email, Letter.objects.latest("pk").to) == (
        200,
        "ben@example.org",
        "new@example.org",
    )
    program.post("auth/email/verify", {"key": newest_key()})
    verified_ben.refresh_from_db()
    assert (verified_ben.email, verified_ben.is_email_verified, addresses()) == (
        "new@example.org",
        True,
        [("new@example.org", True, True)],
    )
    assert Letter.objects.latest("pk").to == "ben@example.org"


def test_mistyped_address_is_replaced_at_once(program: Program):
    program.post("auth/signup", {**SIGNUP, "email": "bem@example.org"})

    assert program.post("account/email", {"email": "ben@example.org"}).status_code == 200
    assert (User.objects.get().email, addresses()) == ("ben@example.org", [("ben@example.org", False, True)])


@pytest.mark.parametrize("email", ["cleo@example.org", "nobody", f"{'x' * 300}@example.org"])
def test_unverified_account_cannot_take_an_address_that_is_none_of_its_own(program: Program, cleo: User, email: str):
    program.post("auth/signup", SIGNUP)

    assert program.post("account/email", {"email": email}).status_code == 400
    assert addresses() == [("ben@example.org", False, True)]


def test_only_address_cannot_be_taken_away(verified_ben: User):
    answer = signed_in().ask("DELETE", "account/email", {"email": "ben@example.org"})

    assert told(answer) == (400, [("email", "cannot_remove_primary_email")])
    assert (User.objects.get().email, addresses()) == ("ben@example.org", [("ben@example.org", True, True)])


def test_address_that_is_not_verified_does_not_become_the_login(verified_ben: User):
    program = signed_in()
    program.post("account/email", {"email": "new@example.org"})

    answer = program.ask("PATCH", "account/email", {"email": "new@example.org", "primary": True})

    assert told(answer) == (400, [("email", "unverified_primary_email")])
    assert User.objects.get().email == "ben@example.org"


def test_addresses_are_shown_to_their_owner_only(program: Program, verified_ben: User):
    own = signed_in().get("account/email")

    assert own.json()["data"] == [{"email": "ben@example.org", "verified": True, "primary": True}]
    assert program.get("account/email").status_code == 401
