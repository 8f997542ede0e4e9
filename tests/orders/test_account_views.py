"""The pages of a fan's own data."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from orders.models import Order
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, UserFactory
from tests.pages import form_to, submit

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
CLOSE = reverse("orders:close-account")
DOWNLOAD = reverse("orders:download-data")


@pytest.fixture
def fan(db: None) -> User:
    return UserFactory(email="dora@example.org", name="Dora")


@pytest.fixture
def browser(client: Client, fan: User) -> Client:
    client.force_login(fan)
    return client


def test_account_menu_leads_to_the_data(browser: Client):
    page = browser.get("/account/data/")
    assert page.status_code == 200
    assert page.content.decode().count('href="/account/data/"') == 1
    assert {f'href="{address}"' in page.content.decode() for address in (CLOSE, DOWNLOAD)} == {True}


@pytest.mark.parametrize("address", ["/account/data/", DOWNLOAD, CLOSE])
def test_stranger_is_asked_to_sign_in(client: Client, address: str):
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/account/login/?next={address}")


def test_data_is_given_once_the_password_is(browser: Client):
    asked = browser.get(DOWNLOAD)
    assert asked.status_code == 302
    assert asked.headers["Location"].startswith("/account/reauthenticate/")

    answer = submit(
        browser, form_to(browser.get(asked.headers["Location"]), "/account/reauthenticate/"), password=PASSWORD
    )

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="fairline-your-data.json"'
    assert json.loads(answer.content)["account"]["email"] == "dora@example.org"
    assert answer.content.decode().splitlines()[1] == '  "account": {'


def test_account_is_closed_with_the_password_and_every_session_ends(browser: Client, fan: User):
    telephone = Client()
    telephone.force_login(fan)

    page = submit(browser, form_to(browser.get(CLOSE), CLOSE), password=PASSWORD)

    assert page.redirect_chain == [("/", 302)]
    assert "Your account is closed." in page.content.decode()
    assert User.objects.get(pk=fan.pk).is_closed
    for device in (browser, telephone):
        assert device.get("/tickets/").headers["Location"] == "/account/login/?next=/tickets/"
    assert "sessionid" not in {name for name, cookie in browser.cookies.items() if cookie.value}


def test_account_is_not_closed_with_a_wrong_password(browser: Client, fan: User):
    before = User.objects.values().get(pk=fan.pk)
    page = browser.post(CLOSE, {"password": "not it"})

    assert page.status_code == 400
    assert User.objects.values().get(pk=fan.pk) == before


def test_password_is_not_guessed_here(browser: Client, fan: User):
    answers = [browser.post(CLOSE, {"password": "not it"}).status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]
    assert browser.post(CLOSE, {"password": PASSWORD}).status_code == 429
    assert not User.objects.get(pk=fan.pk).is_closed


def test_who_is_in_line_is_offered_to_leave(browser: Client, fan: User, queue: Queue):
    AdmissionFactory(queue=queue, user=fan)
    page = browser.get(CLOSE)
    assert "You still stand in line or hold tickets." in page.content.decode()
    assert "password" not in page.content.decode().replace("Change password", "").replace("/password/", "")

    submit(browser, form_to(page, "/queues/fall-tour-sale/leave/"))

    assert Admission.objects.get().status == "left"
    assert form_to(browser.get(CLOSE), CLOSE).method == "post"


def test_refusal_has_its_status_and_changes_nothing(browser: Client, fan: User, queue: Queue):
    AdmissionFactory(queue=queue, user=fan)
    answer = browser.post(CLOSE, {"password": PASSWORD})
    assert (answer.status_code, answer.headers["X-Refusal"]) == (409, "still_in_line")
    assert (User.objects.get(pk=fan.pk).is_closed, Order.objects.count()) == (False, 0)
