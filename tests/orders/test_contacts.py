"""The address that letters about an order go to, mended by the organiser's staff."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts import closing
from accounts.models import Letter, User
from events.models import Event
from orders import services
from orders.models import Order, Payment
from orders.refusals import NotPaid
from tests.factories import LetterFactory, MembershipFactory
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(payment: Payment) -> Order:
    """Ben's paid order, to an address that he mistyped."""
    Order.objects.update(email="ben@exmaple.org")
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    services.settle_payment(payment)
    Letter.objects.all().delete()
    return Order.objects.get()


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def address(order: Order) -> str:
    return f"/admin/orders/order/{order.pk}/correct_contact/"


def correct(desk: Client, order: Order, **typed: str) -> Any:
    return desk.post(address(order), {"_form_submitted": "True", **typed}, follow=True)


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_address_is_corrected_and_noted(desk: Client, paid: Order):
    answer = correct(desk, paid, email="ben@example.org")

    words = "Contact e-mail: ben@exmaple.org → ben@example.org."
    assert said(answer) == [f"{paid.code}: {words}"]
    assert [(entry.user.email, entry.change_message) for entry in LogEntry.objects.all()] == [
        ("ada@example.org", words)
    ]
    assert (Order.objects.get().email, Letter.objects.count()) == ("ben@example.org", 0)


def test_receipt_goes_to_the_corrected_address_if_asked(desk: Client, paid: Order):
    correct(desk, paid, email="ben@example.org", with_receipt="on")

    letter = Letter.objects.get()
    assert (letter.to, letter.kind, paid.code in letter.text) == ("ben@example.org", "receipt", True)
    assert LogEntry.objects.get().change_message.endswith("The receipt is on its way.")


def test_dialog_begins_with_the_address_there_is(desk: Client, paid: Order):
    assert 'value="ben@exmaple.org"' in desk.get(address(paid)).content.decode()
    assert address(paid) in desk.get(f"/admin/orders/order/{paid.pk}/change/").content.decode()


def test_address_that_is_none_is_not_taken(desk: Client, paid: Order):
    before = traces()
    assert "Enter a valid email address." in correct(desk, paid, email="ben at home").content.decode()
    assert (traces(), LogEntry.objects.count()) == (before, 0)


def test_unpaid_order_has_no_receipt_and_nothing_is_half_done(desk: Client, order: Order):
    before = traces()
    assert said(correct(desk, order, email="b@example.org", with_receipt="on")) == [str(NotPaid())]
    assert (traces(), LogEntry.objects.count()) == (before, 0)


def test_order_of_another_house_is_not_touched(client: Client, paid: Order):
    client.force_login(MembershipFactory().user)
    before = traces()
    assert correct(client, paid, email="x@example.org").status_code in {403, 404}
    assert traces() == before


def test_order_of_a_closed_account_keeps_no_address(desk: Client, ben: User, paid: Order):
    correct(desk, paid, email="b.okafor@example.org")
    Event.objects.update(starts_at="2020-01-01T20:00:00Z", doors_at="2020-01-01T19:00:00Z")
    services.close_account(ben)
    before = traces()

    assert LogEntry.objects.get().change_message == ""
    assert address(paid) not in desk.get(f"/admin/orders/order/{paid.pk}/change/").content.decode()
    assert said(correct(desk, paid, email="x@example.org")) == [str(closing.AccountClosed())]
    with pytest.raises(closing.AccountClosed):
        services.send_receipt(paid)
    assert traces() == before


def test_letter_to_the_address_before_goes_with_the_account(desk: Client, ben: User, paid: Order):
    services.send_receipt(paid)
    correct(desk, paid, email="b.okafor@example.org")
    somebody_elses = LetterFactory(to="ben@exmaple.org", text="Hello Bem")
    Event.objects.update(starts_at="2020-01-01T20:00:00Z", doors_at="2020-01-01T19:00:00Z")

    assert [letter["to"] for letter in services.read_own_data(ben)["letters"]] == ["ben@exmaple.org"]
    services.close_account(ben)

    assert list(Letter.objects.order_by("pk").values_list("to", "text")) == [
        (closing.anonymous_address(ben), ""),
        (somebody_elses.to, "Hello Bem"),
    ]
