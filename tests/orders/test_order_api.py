"""Looking at orders and giving holds back, as programs do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event
from orders import services
from orders.models import Order, Payment
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory, EventFactory, LineFactory, OrderFactory, QueueFactory, TicketFactory
from tests.orders.conftest import traces
from tests.orders.purchases import JSON, ORDERS, end_time, in_utc, url
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db
NO_SUCH_ORDER = {
    "type": "http://127.0.0.1:8000/api/refusals/#order_not_found",
    "title": "Order not found",
    "status": 404,
    "detail": "There is no such order.",
    "code": "order_not_found",
}


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A program that Ben has signed in."""
    client.force_login(ben)
    return client


def bought(order: Order) -> list[str]:
    """Pay for a hold; returns the ids of its tickets."""
    payment = services.start_payment(order, holders=["Ben", "Bea"], email="ben@example.org")
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    services.settle_payment(payment)
    return [str(ticket.public_id) for ticket in order.tickets.order_by("pk")]


def test_paid_order_names_its_tickets_and_when_it_was_paid(bens: Client, order: Order):
    before = bens.get(url(order)).json()

    tickets = bought(order)

    order.refresh_from_db()
    assert bens.get(url(order)).json() == before | {
        "status": "paid",
        "hold_ends_at": in_utc(order.hold_ends_at),
        "holders": ["Ben", "Bea"],
        "paid_at": in_utc(order.paid_at) if order.paid_at else None,
        "tickets": tickets,
    }
    assert len(tickets) == 2


def test_giving_back_ends_the_hold(bens: Client, order: Order, event: Event):
    answer = bens.delete(url(order))

    assert (answer.status_code, answer.content) == (204, b"")
    assert bens.get(url(order)).json()["status"] == "cancelled"
    assert_counters_equal_rows(event)


def test_giving_back_twice_is_refused(bens: Client, order: Order):
    bens.delete(url(order))
    before = traces()

    answer = bens.delete(url(order))

    assert (answer.status_code, answer.json()["code"], traces()) == (409, "order_not_held", before)


@pytest.mark.parametrize(
    ("status", "code"), [("lapsed", "hold_lapsed"), ("paid", "order_not_held"), ("refunded", "order_not_held")]
)
def test_giving_back_what_is_not_held_says_what_it_is(bens: Client, order: Order, status: str, code: str):
    Order.objects.update(status=status, paid_at=timezone.now())
    before = traces()

    answer = bens.delete(url(order))

    assert (answer.status_code, answer.json()["code"], traces()) == (409, code, before)


@pytest.mark.parametrize(("seconds", "status"), [(-1, "lapsed"), (0, "lapsed"), (60, "held")])
def test_hold_has_lapsed_when_its_time_is_over_whatever_the_sweep_does(
    bens: Client, order: Order, seconds: int, status: str
):
    end_time(order, at=timezone.now() + timedelta(seconds=seconds))

    listed = bens.get(f"{ORDERS}?status={status}").json()["results"]

    assert bens.get(url(order)).json()["status"] == status
    assert [(one["code"], one["status"]) for one in listed] == [(order.code, status)]
    assert Order.objects.get().status == "held"


def test_hold_whose_money_has_arrived_has_not_lapsed(bens: Client, payment: Payment):
    end_time(payment.order)
    Payment.objects.update(status="confirmed", captured_amount=payment.total)

    assert bens.get(url(payment.order)).json()["status"] == "held"


def test_order_that_has_not_changed_is_not_sent_again(bens: Client, order: Order):
    first = bens.get(url(order))
    same = bens.get(url(order), headers={"If-None-Match": first.headers["ETag"]})
    end_time(order)
    new = bens.get(url(order), headers={"If-None-Match": first.headers["ETag"]})

    assert (same.status_code, same.content) == (304, b"")
    assert (new.status_code, new.headers["Cache-Control"]) == (200, "private, no-cache")


@pytest.mark.parametrize(
    ("method", "act"), [("get", ""), ("delete", ""), ("post", "pay/"), ("post", "cancel-payment/")]
)
def test_order_of_another_fan_is_as_one_that_never_was(
    client: Client, payment: Payment, cleo: User, method: str, act: str
):
    client.force_login(cleo)
    before = traces()
    asked = {"data": {"holders": 7}, "content_type": JSON} if act == "pay/" else {}

    answers = [getattr(client, method)(f"{ORDERS}{code}/{act}", **asked) for code in (payment.order.code, "AAAAAAAA")]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, NO_SUCH_ORDER)] * 2
    assert traces() == before


ADDRESSES = [
    ("get", ""),
    ("post", ""),
    ("get", "X/"),
    ("delete", "X/"),
    ("post", "X/pay/"),
    ("post", "X/cancel-payment/"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_stranger_signs_in_first(client: Client, method: str, path: str):
    answer = getattr(client, method)(f"{ORDERS}{path}")

    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


def test_browser_needs_the_token_against_forgery(order: Order, ben: User):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ben)
    before = traces()

    answers = [browser.delete(url(order)), browser.post(ORDERS, {}, JSON), browser.post(f"{url(order)}pay/", {}, JSON)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "csrf_failed")] * 3
    assert traces() == before


def some_order(fan: User, event: Event, **fields: Any) -> Order:
    """Return an order of a queue of its own."""
    turn = AdmissionFactory(queue=QueueFactory(event=event), user=fan, admitted=True)
    return OrderFactory(admission=turn, **fields)


def codes(answer: Any) -> list[str]:
    return [order["code"] for order in answer.json()["results"]]


def test_list_has_the_fans_own_orders_newest_first(bens: Client, ben: User, cleo: User, event: Event):
    own = [some_order(ben, event) for _ in range(3)]
    some_order(cleo, event)

    answer = bens.get(ORDERS)

    assert (list(answer.json()), codes(answer)) == (
        ["next", "previous", "results"],
        [order.code for order in reversed(own)],
    )
    assert answer.json()["results"][0] == bens.get(url(own[2])).json()
    assert "no-store" in answer.headers["Cache-Control"]


def test_list_leads_on_from_page_to_page_and_back(bens: Client, ben: User, event: Event):
    own = [some_order(ben, event).code for _ in range(3)][::-1]

    first = bens.get(f"{ORDERS}?page_size=2")
    some_order(ben, event)
    second = bens.get(first.json()["next"])
    back = bens.get(second.json()["previous"])

    assert (codes(first), codes(second), second.json()["next"]) == (own[:2], own[2:], None)
    assert codes(back) == own[:2]


def test_list_is_narrowed_by_status_and_event(bens: Client, ben: User, event: Event):
    held, ended = some_order(ben, event), some_order(ben, event, status="cancelled")
    elsewhere = some_order(ben, EventFactory(slug="elsewhere"))

    asked = ["status=cancelled", "event=elsewhere", "event=fall-tour", "event=fall-tour&status=held", "event=nowhere"]

    assert [codes(bens.get(f"{ORDERS}?{query}")) for query in asked] == [
        [ended.code],
        [elsewhere.code],
        [ended.code, held.code],
        [held.code],
        [],
    ]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("status=happy", 400, "invalid"),
        ("event=%00", 400, "invalid"),
        ("cursor=nonsense", 404, "not_found"),
        # The library's own, which are not sealed: p=nonsense, p=%00, p=1000000000000000000000000000000
        ("cursor=cD1ub25zZW5zZQ%3D%3D", 404, "not_found"),
        ("cursor=cD0lMDA%3D", 404, "not_found"),
        ("cursor=cD0xMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw", 404, "not_found"),
        ("page_size=x", 200, None),
        ("page_size=100000000000000000000", 200, None),
    ],
)
def test_questions_that_make_no_sense_are_no_failure(bens: Client, order: Order, query: str, status: int, code: str):
    answer = bens.get(f"{ORDERS}?{query}")

    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_list_takes_as_many_statements_for_three_orders_as_for_one(bens: Client, ben: User, order: Order, event: Event):
    bought(order)
    numbers = []
    for more in (0, 2):
        for _ in range(more):
            paid = some_order(ben, event, status="paid", paid_at=timezone.now())
            LineFactory(order=paid)
            TicketFactory(order=paid)
        with counted_statements() as sent:
            assert bens.get(ORDERS).status_code == 200
        numbers.append(len(sent))

    # The account; orders, their lines, their tickets.
    assert numbers == [4, 4]
