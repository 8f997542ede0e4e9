"""Paying, as programs do."""

import logging
from typing import Any
from urllib.error import URLError

import pytest
from django.db import connection
from django.test import Client
from payments import PaymentError, RedirectNeeded

from accounts.models import Letter, User
from events.models import Event, Tier
from orders import services
from orders.models import Order, Payment, Ticket
from orders.providers import PlayMoneyProvider
from tests.bookkeeping import assert_counters_equal_rows
from tests.orders.conftest import traces
from tests.orders.purchases import JSON, end_time, url

pytestmark = pytest.mark.django_db

CONFIRM = {"payment": {"outcome": "confirm"}}
NAMES = {"holders": ["Ben", "Bea"], "email": "ben@example.org"}
CARD = "4111111111111111"


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A program that Ben has signed in."""
    client.force_login(ben)
    return client


def pay(client: Client, order: Order, **body: Any) -> Any:
    return client.post(f"{url(order)}pay/", body, JSON)


def counter(order: Order) -> str:
    """Return the address of our own page on which play money is paid."""
    return f"http://127.0.0.1:8000/orders/{order.code}/payment/"


def test_confirmed_payment_makes_tickets(bens: Client, order: Order):
    answer = pay(bens, order, **NAMES, **CONFIRM)

    tickets = [str(ticket.public_id) for ticket in Ticket.objects.order_by("pk")]
    assert answer.status_code == 200
    assert answer.json() == {"status": "paid", "redirect_url": None, "order": bens.get(url(order)).json()}
    assert (answer.json()["order"]["status"], answer.json()["order"]["tickets"]) == ("paid", tickets)
    assert list(Ticket.objects.order_by("pk").values_list("holder_name", flat=True)) == ["Ben", "Bea"]
    assert Letter.objects.values_list("to", "kind").get() == ("ben@example.org", "receipt")
    assert_counters_equal_rows(order.event)


def test_order_knows_for_whom_it_is_and_that_the_rules_are_accepted(bens: Client, order: Order):
    pay(bens, order, holders=[" Ada ", "Bea"], email="office@example.org")

    order.refresh_from_db()
    assert (order.holders, order.email, order.terms_accepted_at is not None) == (
        ["Ada", "Bea"],
        "office@example.org",
        True,
    )


def test_names_and_address_are_the_buyers_where_none_are_given(bens: Client, order: Order):
    answer = bens.generic("POST", f"{url(order)}pay/")

    order.refresh_from_db()
    assert (answer.status_code, order.holders, order.email) == (200, ["Ben", "Ben"], "ben@example.org")


def test_names_and_address_given_before_are_kept(bens: Client, order: Order):
    pay(bens, order, holders=["Ada", "Bea"], email="office@example.org", payment={"outcome": "decline"})

    answer = pay(bens, order, **CONFIRM)

    assert (answer.json()["order"]["holders"], answer.json()["order"]["email"]) == (
        ["Ada", "Bea"],
        "office@example.org",
    )
    assert Letter.objects.get().to == "office@example.org"


def test_declined_payment_is_refused_and_the_hold_goes_on(bens: Client, order: Order):
    answer = pay(bens, order, **NAMES, payment={"outcome": "decline"})

    assert (answer.status_code, answer.json()["code"]) == (402, "payment_declined")
    assert bens.get(url(order)).json()["status"] == "held"
    assert (Payment.objects.get().status, Ticket.objects.count(), Letter.objects.count()) == ("rejected", 0, 0)
    assert pay(bens, order, **CONFIRM).json()["status"] == "paid"
    assert_counters_equal_rows(order.event)


@pytest.mark.parametrize("payment", [{"outcome": "abandon"}, {}, None, {"variant": "dummy"}])
def test_payment_that_is_not_made_here_leads_to_our_own_page(
    bens: Client, order: Order, payment: dict[str, str] | None
):
    answer = pay(bens, order, **NAMES, **({} if payment is None else {"payment": payment}))

    assert answer.status_code == 200
    assert answer.json() == {"status": "waiting", "redirect_url": counter(order), "order": bens.get(url(order)).json()}
    assert (Payment.objects.in_progress().count(), Ticket.objects.count()) == (1, 0)
    assert bens.get(answer.json()["redirect_url"].removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_paying_again_goes_on_with_the_open_payment(bens: Client, order: Order):
    pay(bens, order, **NAMES)

    answer = pay(bens, order, holders=["X", "Y"], **CONFIRM)

    assert (answer.json()["status"], answer.json()["order"]["holders"]) == ("paid", ["Ben", "Bea"])
    assert (Payment.objects.count(), Ticket.objects.count()) == (1, 2)


def test_money_that_has_arrived_is_settled_whatever_is_said(bens: Client, payment: Payment):
    Payment.objects.update(status="confirmed", captured_amount=payment.total)

    answer = pay(bens, payment.order, payment={"outcome": "decline"})

    assert (answer.status_code, answer.json()["status"], Ticket.objects.count()) == (200, "paid", 2)


def test_paid_order_is_not_paid_again(bens: Client, order: Order):
    pay(bens, order, **NAMES, **CONFIRM)
    before = traces()

    answer = pay(bens, order, **NAMES, **CONFIRM)

    assert (answer.status_code, answer.json()["code"], traces()) == (409, "order_not_payable", before)


def test_free_order_is_paid_at_once(bens: Client, token: str, ben: User, vip: Tier):
    Tier.objects.update(price=0)
    order = services.hold_tickets(user=ben, token=token, wanted={"vip": 2})

    answer = pay(bens, order, **NAMES)

    assert (answer.status_code, answer.json()["status"], answer.json()["redirect_url"]) == (200, "paid", None)
    assert_counters_equal_rows(order.event)


def test_order_whose_time_is_over_is_not_paid(bens: Client, order: Order):
    end_time(order)
    before = traces()

    answer = pay(bens, order, **NAMES, **CONFIRM)

    assert (answer.status_code, answer.json()["code"], traces()) == (409, "hold_lapsed", before)


@pytest.mark.parametrize("status", ["cancelled", "replaced", "refunded"])
def test_order_that_is_no_more_is_not_paid(bens: Client, order: Order, status: str):
    Order.objects.update(status=status)
    before = traces()

    answer = pay(bens, order, **CONFIRM)

    assert (answer.status_code, answer.json()["code"], traces()) == (409, "order_not_payable", before)


def test_order_of_a_cancelled_event_is_not_paid(bens: Client, order: Order):
    Event.objects.update(status="cancelled")
    before = traces()

    answer = pay(bens, order, **CONFIRM)

    assert (answer.status_code, answer.json()["code"], traces()) == (409, "order_not_payable", before)


WRONG: dict[str, list[object]] = {
    "holders": [
        *([], ["Ben"], ["Ben"] * 3, ["Ben", " "], ["Ben", "B\0a"], ["Ben", "\ud800"], ["Ben", "x" * 151]),
        *(None, "Ben", 7, {}, ["Ben", None], ["Ben", 7], [[], {}]),
    ],
    "email": ["", "nobody", None, 7, [], "\0@example.org", "\ud800@example.org", f"{'x' * 250}@example.org"],
    "payment": [
        *(None, "confirm", [], {"outcome": "steal"}, {"outcome": None}, {"outcome": []}),
        *({"variant": "gold"}, {"variant": "free"}, {"variant": ""}, {"variant": None}, {"variant": "\0"}),
    ],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_what_makes_no_sense_is_refused(bens: Client, order: Order, field: str, value: object):
    before = traces()

    answer = pay(bens, order, **{**NAMES, **CONFIRM, field: value})

    problem = answer.json()
    assert (answer.status_code, problem["code"], list(problem["errors"])) == (400, "invalid", [field])
    assert traces() == before


def test_buyer_without_a_name_gives_one_for_each_ticket(bens: Client, order: Order, ben: User):
    User.objects.filter(pk=ben.pk).update(name="")
    before = traces()

    answer = pay(bens, order, **CONFIRM)

    assert answer.json()["errors"] == {"holders": ["Please give one name for each ticket: 2 in all."]}
    assert traces() == before


def test_card_numbers_go_nowhere(bens: Client, order: Order, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    card = {"card_number": CARD, "cvc": "123"}

    answers = [
        pay(bens, order, **NAMES, **card, payment={**card, "outcome": outcome}) for outcome in ("decline", "nonsense")
    ]

    assert [answer.status_code for answer in answers] == [402, 400]
    assert [CARD in text for text in (caplog.text, str(traces()), *(str(answer.content) for answer in answers))] == [
        False
    ] * 4


@pytest.mark.parametrize("error", [PaymentError("no"), URLError("no way"), TimeoutError()])
def test_provider_that_fails_leaves_the_payment_open(bens: Client, order: Order, monkeypatch, error: Exception):
    def fail(*args: Any, **options: Any) -> None:
        raise error

    with monkeypatch.context() as away:
        away.setattr(PlayMoneyProvider, "get_form", fail)
        answer = pay(bens, order, **NAMES, **CONFIRM)

    assert (answer.status_code, answer.json()["code"]) == (503, "payment_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert (Payment.objects.in_progress().count(), Order.objects.get().status, Ticket.objects.count()) == (1, "held", 0)
    assert pay(bens, order, **CONFIRM).json()["status"] == "paid"


def test_provider_elsewhere_is_where_the_fan_goes_on(bens: Client, order: Order, monkeypatch):
    def redirect(*args: Any, **options: Any) -> None:
        raise RedirectNeeded("https://pay.example.com/session/7")

    monkeypatch.setattr(PlayMoneyProvider, "get_form", redirect)

    answer = pay(bens, order, **NAMES, **CONFIRM)

    assert (answer.status_code, answer.json()["status"]) == (200, "waiting")
    assert answer.json()["redirect_url"] == "https://pay.example.com/session/7"


def test_provider_is_asked_while_no_transaction_is_open(bens: Client, order: Order, monkeypatch):
    """But for the test's own."""
    depths, get_form = [len(connection.savepoint_ids)], PlayMoneyProvider.get_form

    def look(*args: Any, **options: Any) -> Any:
        depths.append(len(connection.savepoint_ids))
        return get_form(*args, **options)

    monkeypatch.setattr(PlayMoneyProvider, "get_form", look)

    assert pay(bens, order, **NAMES, **CONFIRM).status_code == 200
    assert depths == [depths[0]] * 2


def test_money_for_an_event_that_was_cancelled_meanwhile_goes_back(bens: Client, order: Order, monkeypatch):
    get_form = PlayMoneyProvider.get_form

    def cancel(*args: Any, **options: Any) -> Any:
        Event.objects.update(status="cancelled")
        return get_form(*args, **options)

    monkeypatch.setattr(PlayMoneyProvider, "get_form", cancel)

    answer = pay(bens, order, **NAMES, **CONFIRM)

    assert (answer.status_code, answer.json()["code"]) == (409, "order_not_payable")
    assert (Payment.objects.get().refund_due_at is not None, Ticket.objects.count()) == (True, 0)


def test_ending_a_payment_keeps_the_hold(bens: Client, payment: Payment):
    answer = bens.post(f"{url(payment.order)}cancel-payment/")

    assert (answer.status_code, answer.json()) == (200, bens.get(url(payment.order)).json())
    assert (answer.json()["status"], Payment.objects.get().status) == ("held", "cancelled")


def test_ending_no_payment_changes_nothing(bens: Client, order: Order):
    pay(bens, order, **NAMES, **CONFIRM)
    before = traces()

    answer = bens.post(f"{url(order)}cancel-payment/")

    assert (answer.status_code, answer.json()["status"], traces()) == (200, "paid", before)
