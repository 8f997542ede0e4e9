"""Whose the things are that closing takes away, and where else a person's traces lie."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from accounts import closing
from accounts.models import Letter, User
from orders import services
from orders.models import Order, Payment
from queues.models import Guest, Queue
from tests.factories import LetterFactory, LogEntryFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_guest_by_two_addresses_stays_one(ben: User, queue: Queue):
    for number, address in enumerate(["ben@example.org", "benny@example.org"]):
        EmailAddress.objects.create(user=ben, email=address, verified=True, primary=number == 0)
        Guest.objects.create(queue=queue, address=address)
    services.close_account(ben)

    assert list(Guest.objects.values_list("queue", "address")) == [(queue.pk, closing.anonymous_address(ben))]


@pytest.fixture
def eve(queue: Queue) -> User:
    """Has typed the address of somebody who is a guest and has letters, and has proved nothing."""
    Guest.objects.create(queue=queue, address="vera@example.org")
    before = timezone.now() - timedelta(days=1)
    for kind, created_at in (("receipt", timezone.now()), ("mass", timezone.now()), ("notice", before)):
        LetterFactory(to="vera@example.org", subject=f"Vera: {kind}", text="Hello", kind=kind, created_at=created_at)
    eve: User = UserFactory(email="vera@example.org", name="Eve")
    for kind in ("verification", "notice"):
        LetterFactory(to="vera@example.org", subject=f"Eve: {kind}", text="Hello", kind=kind)
    return eve


OF_VERA = ["Vera: receipt", "Vera: mass", "Vera: notice"]
OF_EVE = ["Eve: verification", "Eve: notice"]


def test_who_has_only_typed_an_address_reads_nothing_of_its_owner(eve: User):
    own = services.read_own_data(eve)

    assert ([row["subject"] for row in own["letters"]], own["invitations"]) == (OF_EVE, [])


def test_who_has_only_typed_an_address_takes_nothing_from_its_owner(eve: User):
    services.close_account(eve)

    assert [(row.subject, row.text, row.status) for row in Letter.objects.order_by("pk")] == [
        *((subject, "Hello", "queued") for subject in OF_VERA),
        *((subject, "", "withdrawn") for subject in OF_EVE),
    ]
    assert list(Guest.objects.values_list("address", flat=True)) == ["vera@example.org"]


def test_address_that_was_typed_for_a_change_and_is_somebody_elses_login_stays_theirs(ben: User, cleo: User):
    EmailAddress.objects.create(user=ben, email=cleo.email)
    LetterFactory(to=cleo.email, subject="A new password", text="Hello Cleo", kind="verification")

    assert services.read_own_data(ben)["letters"] == []
    services.close_account(ben)
    assert [(row.text, row.status) for row in Letter.objects.all()] == [("Hello Cleo", "queued")]


SESSION = {
    "id": "cs_1",
    "payment_intent": "pi_1",
    "customer": "cus_1",
    "customer_email": "ben@example.org",
    "customer_details": {"email": "ben@example.org", "name": "Ben", "address": {"city": "Malmö"}},
    "collected_information": {"shipping_details": {"name": "Ben"}},
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            {"session": SESSION, "refund": json.dumps({"id": "re_1", "receipt_email": "ben@example.org"})},
            {
                "session": {
                    "id": "cs_1",
                    "payment_intent": "pi_1",
                    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
                    "collected_information": {},
                },
                "refund": '{"id": "re_1"}',
            },
        ),
        (
            {"response": [{"id": "PAY-1", "payer": {"payer_info": {"first_name": "Ben"}}, "links": ["x"]}]},
            {"response": [{"id": "PAY-1", "links": ["x"]}]},
        ),
    ],
)
def test_what_the_provider_said_is_kept_without_the_person(ben: User, payment: Payment, order: Order, said, kept):
    services.cancel_payment(order)
    services.leave_line(order.admission)
    Payment.objects.update(extra_data=json.dumps(said), message="Card of Ben declined")

    services.close_account(ben)

    left = Payment.objects.get()
    assert (json.loads(left.extra_data), left.message) == (kept, "")


@pytest.mark.parametrize("said", ["", "Ben has paid", '"Ben has paid"'])
def test_what_the_provider_said_in_no_known_form_is_not_kept(ben: User, payment: Payment, order: Order, said: str):
    services.cancel_payment(order)
    services.leave_line(order.admission)
    Payment.objects.update(extra_data=said)

    services.close_account(ben)

    assert Payment.objects.get().extra_data == ""


def test_audit_log_keeps_the_list_of_guests_without_the_address(ben: User):
    others = "reuben@example.org, ben@example.org.uk, ben@example.org-x.se, a.ben@example.org"
    said = [
        f"Audience: {others}, ben@example.org → – ; Name: A → B",
        "Contact e-mail: Ben@Example.org → x@example.org.",
    ]
    for words in said:
        LogEntryFactory(change_message=words)
    services.close_account(ben)

    nobody = closing.anonymous_address(ben)
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")] == [
        f"Audience: {others}, {nobody} → – ; Name: A → B",
        f"Contact e-mail: {nobody} → x@example.org.",
    ]


def test_audit_log_keeps_an_address_that_was_only_typed(eve: User):
    entry = LogEntryFactory(change_message="Audience: – → vera@example.org")
    services.close_account(eve)

    entry.refresh_from_db()
    assert entry.change_message == "Audience: – → vera@example.org"
