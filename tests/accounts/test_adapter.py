"""What django-allauth does, seen from outside: through its own pages, with its mail in our mailbox."""

import re
from html import unescape

import pytest
from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import services
from accounts.models import Letter, User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"
SIGNUP = {"name": "Ben Buyer", "email": "Ben@Example.org", "password1": PASSWORD}


def sign_up(client: Client, **changes: str) -> str:
    """Sign up, and return where that leads."""
    response = client.post(reverse("account_signup"), {**SIGNUP, **changes})
    assert response.status_code == 302, response.context["form"].errors
    return response["Location"]


def newest_link() -> str:
    """Return the path and query of the link in the newest letter."""
    link = re.search(r"http://testserver(/account/\S+)", Letter.objects.latest("pk").text)
    assert link
    return link[1]


def follow(client: Client, link: str) -> str:
    """Confirm by the page that the link opens, as a browser does; return where that leads."""
    page = client.get(link)
    assert page.status_code == 200
    path, _, query = link.partition("?")
    hidden = re.search(r'name="next" value="([^"]*)"', page.content.decode())
    assert bool(hidden) == bool(query)
    response = client.post(path, {"next": unescape(hidden[1])} if hidden else {})
    assert response.status_code == 302
    return response["Location"]


def addresses() -> list[tuple[str, bool, bool]]:
    return list(EmailAddress.objects.order_by("pk").values_list("email", "verified", "primary"))


def test_signing_up_makes_an_account_and_leads_where_the_fan_was_going(client: Client):
    assert sign_up(client, next="/queues/general-sale/") == "/queues/general-sale/"

    user = User.objects.get()
    assert (user.email, user.name, user.is_email_verified, user.is_staff) == (
        "ben@example.org",
        "Ben Buyer",
        False,
        False,
    )
    assert user.check_password(PASSWORD)
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_up_leads_nowhere_else(client: Client, settings: Settings, elsewhere: str):
    assert sign_up(client, next=elsewhere) == settings.LOGIN_REDIRECT_URL
    assert "next=" not in newest_link()


def test_signing_up_writes_a_letter_and_waits_for_no_mail_server(client: Client):
    sign_up(client)

    letter = Letter.objects.get()
    assert (letter.to, letter.kind, letter.status) == ("ben@example.org", "verification", "queued")
    assert newest_link().startswith("/account/confirm-email/")
    assert mail.outbox == []


@pytest.mark.parametrize("missing", ["name", "email", "password1"])
def test_signing_up_asks_for_name_address_and_password(client: Client, missing: str):
    response = client.post(reverse("account_signup"), {**SIGNUP, missing: ""})

    assert list(response.context["form"].errors) == [missing]
    assert not User.objects.exists()


def test_address_that_has_an_account_cannot_sign_up_again(client: Client):
    UserFactory(email="ben@example.org")

    response = client.post(reverse("account_signup"), SIGNUP)

    assert list(response.context["form"].errors) == ["email"]
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("page", "act"), [("account_signup", {}), ("account_email", {"action_add": ""}), ("account_reset_password", {})]
)
def test_address_longer_than_any_is_refused(client: Client, ben: User, page: str, act: dict[str, str]):
    if act:
        client.force_login(ben)
    too_long = f"ben@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.example"

    response = client.post(reverse(page), {**SIGNUP, **act, "email": too_long})

    assert response.context["form"].errors == {"email": ["Ensure this value has at most 254 characters (it has 255)."]}
    assert (User.objects.get(), Letter.objects.count()) == (ben, 0)


def test_letter_s_link_verifies_and_leads_on(client: Client):
    sign_up(client, next="/queues/general-sale/?code=A&b=1")

    assert follow(client, newest_link()) == "/queues/general-sale/?code=A&b=1"
    assert User.objects.get().is_email_verified
    assert addresses() == [("ben@example.org", True, True)]


def test_letter_s_link_verifies_in_another_browser(client: Client):
    sign_up(client)

    follow(Client(), newest_link())

    assert User.objects.get().is_email_verified


def test_looking_at_the_link_verifies_nothing(client: Client):
    sign_up(client)

    client.get(newest_link())

    assert not User.objects.get().is_email_verified


def test_forged_link_verifies_nothing(client: Client):
    sign_up(client)

    response = client.post(reverse("account_confirm_email", args=["MQ:1abcde:forged"]))

    assert response.status_code == 404
    assert not User.objects.get().is_email_verified


def test_new_address_counts_once_it_is_verified(client: Client):
    sign_up(client)
    follow(client, newest_link())
    verified_at = User.objects.get().email_verified_at
    assert verified_at

    client.post(reverse("account_email"), {"action_add": "", "email": "New@example.org"})

    user = User.objects.get()
    assert (user.email, user.email_verified_at) == ("ben@example.org", verified_at)
    assert Letter.objects.latest("pk").to == "new@example.org"
    follow(client, newest_link())
    user.refresh_from_db()
    assert user.email == "new@example.org"
    assert user.email_verified_at
    assert user.email_verified_at > verified_at
    assert addresses() == [("new@example.org", True, True)]


def test_owner_is_told_at_the_old_address_that_it_was_changed(client: Client):
    sign_up(client)
    follow(client, newest_link())
    client.post(reverse("account_email"), {"action_add": "", "email": "new@example.org"})
    follow(client, newest_link())

    notice = Letter.objects.latest("pk")
    assert (notice.to, notice.kind) == ("ben@example.org", "notice")
    assert "changed from ben@example.org to new@example.org" in notice.text


def test_mistyped_address_is_replaced_at_once_and_asked_again(client: Client):
    sign_up(client, email="bem@example.org")
    old_link = newest_link()

    client.post(reverse("account_email"), {"action_add": "", "email": "ben@example.org"})

    user = User.objects.get()
    assert (user.email, user.is_email_verified) == ("ben@example.org", False)
    assert addresses() == [("ben@example.org", False, True)]
    assert client.post(old_link).status_code == 404
    Letter.objects.filter(to="bem@example.org").delete()
    follow(client, newest_link())
    assert User.objects.get().is_email_verified


def test_unverified_account_cannot_take_the_address_of_another(client: Client):
    UserFactory(email="cleo@example.org")
    sign_up(client)

    response = client.post(reverse("account_email"), {"action_add": "", "email": "cleo@example.org"})

    assert list(response.context["form"].errors) == ["email"]
    assert set(User.objects.values_list("email", flat=True)) == {"cleo@example.org", "ben@example.org"}


def test_address_that_became_another_account_s_meanwhile_is_not_taken_over(client: Client):
    sign_up(client)
    follow(client, newest_link())
    client.post(reverse("account_email"), {"action_add": "", "email": "new@example.org"})
    other = UserFactory(email="new@example.org")

    follow(client, newest_link())

    ben = User.objects.get(email="ben@example.org")
    other.refresh_from_db()
    assert (ben.is_email_verified, other.is_email_verified) == (True, False)
    assert addresses() == [("ben@example.org", True, True), ("new@example.org", False, False)]


def test_every_way_of_verifying_that_is_open_passes_the_adapter():
    # These two mark an address without asking it: whoever opens them has to write email_verified_at there too.
    assert (app_settings.LOGIN_BY_CODE_ENABLED, app_settings.PASSWORD_RESET_BY_CODE_ENABLED) == (False, False)


def test_forgotten_password_is_replaced_by_a_link(client: Client):
    user = UserFactory(email="ben@example.org")

    client.post(reverse("account_reset_password"), {"email": "BEN@example.org"})
    page = client.get(newest_link(), follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})

    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert list(Letter.objects.order_by("pk").values_list("to", "kind")) == [
        ("ben@example.org", "verification"),
        ("ben@example.org", "notice"),
    ]


def test_new_password_sets_nothing_back_that_moved_meanwhile():
    read = UserFactory(email="ben@example.org", name="Ben")
    services.mark_email_verified(User.objects.get(pk=read.pk))

    get_adapter().set_password(read, PASSWORD)

    after = User.objects.get(pk=read.pk)
    assert (after.is_email_verified, after.check_password(PASSWORD)) == (True, True)


def test_forgotten_password_page_does_not_tell_who_has_an_account(client: Client):
    UserFactory(email="ben@example.org")
    known = client.post(reverse("account_reset_password"), {"email": "ben@example.org"})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert list(Letter.objects.order_by("pk").values_list("to", flat=True)) == ["ben@example.org", "nobody@example.org"]


def test_sign_in_takes_the_address_in_any_case(client: Client):
    user = UserFactory(email="ben@example.org", password=PASSWORD)

    response = client.post(reverse("account_login"), {"login": " Ben@Example.ORG ", "password": PASSWORD})

    assert (response.status_code, client.session["_auth_user_id"]) == (302, str(user.pk))


def test_account_made_twice_at_the_same_instant_is_refused_the_second_time(client: Client, settings: Settings):
    # The form of the second has looked before the first was written.
    settings.ACCOUNT_UNIQUE_EMAIL = False
    UserFactory(email="ben@example.org")
    client.raise_request_exception = False

    response = client.post(reverse("account_signup"), SIGNUP)

    assert response.status_code == 409
    assert str(services.EmailTaken()) in response.content.decode()
    assert User.objects.count() == 1
