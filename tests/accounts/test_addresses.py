"""Addresses that are one mailbox, or made to be thrown away: staff are shown it, and nobody is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import addresses, flags, services
from accounts.models import User
from orders.models import Order
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, OrderFactory, UserFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

MAILBOXES = {
    "ben@example.org": "ben@example.org",
    "ben+tickets@example.org": "ben@example.org",
    "ben+a+b@example.org": "ben@example.org",
    # Elsewhere a dot makes another person.
    "b.en@example.org": "b.en@example.org",
    "b.e.n@gmail.com": "ben@gmail.com",
    "b.en+tickets@googlemail.com": "ben@gmail.com",
    "ben@gmail.com.example.org": "ben@gmail.com.example.org",
    "ben@notgmail.com": "ben@notgmail.com",
    "+ben@example.org": "+ben@example.org",
    "+ben+tickets@example.org": "+ben@example.org",
    "x@example.org": "x@example.org",
}


@pytest.mark.parametrize("email", MAILBOXES)
def test_mailbox_is_what_an_address_leads_to(email: str):
    assert User.objects.get(pk=UserFactory(email=email).pk).mailbox == MAILBOXES[email]


def test_mailbox_follows_the_address(ben: User):
    services.change_email(ben, email="B.Len+x@gmail.com")
    assert User.objects.get(pk=ben.pk).mailbox == "blen@gmail.com"
    User.objects.filter(pk=ben.pk).update(email="ben+y@example.org")
    assert User.objects.get(pk=ben.pk).mailbox == "ben@example.org"


@pytest.mark.parametrize(
    ("email", "is_so"),
    [
        ("ben@mailinator.com", True),
        ("ben@MAILINATOR.com", True),
        ("ben@example.org", False),
        ("mailinator.com@example.org", False),
        ("ben@gmail.com", False),
    ],
)
def test_disposable_is_a_known_domain(email: str, is_so: bool):
    assert addresses.is_disposable(email) is is_so
    fan = UserFactory(email=email.lower())
    assert list(User.objects.disposable()) == ([fan] if is_so else [])


def test_flags_say_what_staff_should_know():
    assert flags.flags_of("ben@example.org", sharing_count=0) == []
    assert flags.flags_of("ben@example.org", sharing_count=1) == ["same mailbox as 1 other"]
    assert flags.flags_of("ben@mailinator.com", sharing_count=2) == ["disposable address", "same mailbox as 2 others"]


@pytest.fixture
def flagged(queue: Queue) -> list[User]:
    """Three accounts of one mailbox, a disposable one and a plain one; all in line, with an order."""
    written = ["b.en@gmail.com", "ben+1@gmail.com", "ben@googlemail.com", "x@mailinator.com", "plain@example.org"]
    fans: list[User] = [UserFactory(email=email) for email in written]
    for fan in fans:
        OrderFactory(admission=AdmissionFactory(queue=queue, user=fan, admitted=True))
    return fans


def sign_in_root(client: Client) -> None:
    client.force_login(UserFactory(email="root@example.org", is_staff=True, is_superuser=True))


LISTS: dict[str, Callable[[User], object]] = {
    "accounts/user": lambda fan: fan,
    "queues/admission": lambda fan: Admission.objects.get(user=fan),
    "orders/order": lambda fan: Order.objects.get(buyer=fan),
}


@pytest.mark.parametrize("name", LISTS)
def test_flags_stand_beside_each_row_and_filter_the_list(client: Client, flagged: list[User], name: str):
    sign_in_root(client)
    page = client.get(f"/admin/{name}/").content.decode()
    assert (page.count("same mailbox as 2 others"), page.count("disposable address")) == (3, 1)
    for value, fans in {"shared": flagged[:3], "disposable": flagged[3:4]}.items():
        found = client.get(f"/admin/{name}/", {"address": value}).context["cl"].result_list
        assert {row.pk for row in found} == {LISTS[name](fan).pk for fan in fans}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", LISTS)
def test_flags_stand_on_the_page_of_a_row(client: Client, flagged: list[User], name: str):
    sign_in_root(client)
    row = LISTS[name](flagged[0])
    page = client.get(f"/admin/{name}/{row.pk}/change/").content.decode()  # type: ignore[attr-defined]
    assert page.count("same mailbox as 2 others") == 1
    assert "[&#x27;same" not in page


def test_organiser_sees_the_flags_and_only_her_own_rows(client: Client, ada: User, flagged: list[User]):
    client.force_login(ada)
    OrderFactory(admission=AdmissionFactory(user=flagged[0], admitted=True))
    for name, number in {"queues/admission": 3, "orders/order": 3}.items():
        assert len(client.get(f"/admin/{name}/", {"address": "shared"}).context["cl"].result_list) == number
    assert client.get("/admin/accounts/user/", {"address": "shared"}).status_code == 403


@pytest.mark.parametrize("name", LISTS)
def test_list_asks_no_more_for_more_flags(client: Client, queue: Queue, flagged: list[User], name: str):
    sign_in_root(client)
    address = f"/admin/{name}/"
    client.get(address)
    with counted_statements() as few:
        client.get(address)
    for number in range(3):
        fan = UserFactory(email=f"ben+more{number}@gmail.com")
        OrderFactory(admission=AdmissionFactory(queue=queue, user=fan, admitted=True))
    with counted_statements() as many:
        client.get(address)
    assert len(many) == len(few) > 0


def test_nobody_is_refused_for_a_flag(queue: Queue, flagged: list[User]):
    fan = UserFactory(email="y@mailinator.com", email_verified_at="2026-01-01T00:00:00Z")
    queue.event.tiers.update(quantity=100)
    _admission, is_new = queue_services.join_queue(queue, fan)
    assert is_new
