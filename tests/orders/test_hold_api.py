"""Holding tickets, as programs do."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event, Tier
from orders.models import Order, Payment
from queues import admittance
from queues.models import Admission, Queue
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory, AllowanceFactory
from tests.orders.conftest import traces
from tests.orders.purchases import JSON, ORDERS, in_utc, url
from tests.pages import form_to
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A program that Ben has signed in."""
    client.force_login(ben)
    return client


def hold(client: Client, token: str, **wanted: Any) -> Any:
    """Ask for tickets: tier's short name -> number."""
    lines = [{"tier": tier, "quantity": quantity} for tier, quantity in wanted.items()]
    return client.post(ORDERS, {"admittance_token": token, "lines": lines}, JSON)


def test_hold_answers_with_the_order(bens: Client, token: str, queue: Queue, admission: Admission):
    answer = hold(bens, token, floor=2, vip=1)

    order = Order.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "code": order.code,
        "status": "held",
        "event": "fall-tour",
        "queue": "fall-tour-sale",
        "currency": "USD",
        "lines": [
            {"tier": "vip", "name": "VIP", "quantity": 1, "price": "499.99", "service_fee": "50.00"},
            {"tier": "floor", "name": "Floor", "quantity": 2, "price": "150.00", "service_fee": "15.00"},
        ],
        "subtotal": "799.99",
        "service_fee": "80.00",
        "total": "879.99",
        "hold_ends_at": in_utc(admission.window_ends_at) if admission.window_ends_at else None,
        "holders": [],
        "email": "ben@example.org",
        "created_at": in_utc(order.created_at),
        "paid_at": None,
        "tickets": [],
    }
    assert bens.get(url(order)).json() == answer.json()
    assert_counters_equal_rows(queue.event)


def test_choosing_again_ends_the_hold_before(bens: Client, order: Order, token: str, event: Event):
    answer = hold(bens, token, vip=1)

    assert (answer.status_code, answer.json()["status"]) == (201, "held")
    assert bens.get(url(order)).json()["status"] == "replaced"
    assert_counters_equal_rows(event)


def test_choosing_the_same_again_changes_nothing(bens: Client, order: Order, token: str):
    before = traces()

    answer = hold(bens, token, floor=2)

    assert (answer.status_code, answer.json()["code"], traces()) == (201, order.code, before)


def change(row: Any, **fields: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**fields)


def end_turn(queue: Queue) -> None:
    queue.admissions.update(window_ends_at=timezone.now())


def use_up_orders(queue: Queue) -> None:
    fan = Admission.objects.get().user
    AllowanceFactory(user=fan, event=queue.event, order_count=1, order_limit=1, ticket_count=1, ticket_limit=4)


def use_up_tickets(queue: Queue) -> None:
    change(queue.event, max_orders_per_customer=2)
    fan = Admission.objects.get().user
    AllowanceFactory(user=fan, event=queue.event, order_count=1, order_limit=3, ticket_count=7, ticket_limit=12)


REFUSALS: list[tuple[tuple[int, str], dict[str, int], Callable[[Queue], object]]] = [
    ((400, "nothing_chosen"), {}, lambda queue: None),
    ((404, "tier_not_found"), {"balcony": 1}, lambda queue: None),
    ((404, "tier_not_found"), {"floor": 1}, lambda queue: change(queue.event, status="cancelled")),
    ((409, "tier_not_released"), {"vip": 1}, lambda queue: Tier.objects.update(release_at="2999-01-01T00:00Z")),
    ((409, "order_too_large"), {"floor": 5}, lambda queue: None),
    ((409, "order_too_large"), {"floor": 32_767}, lambda queue: None),
    ((409, "order_limit_reached"), {"floor": 1}, use_up_orders),
    ((409, "ticket_limit_reached"), {"floor": 2}, use_up_tickets),
    ((403, "email_not_verified"), {"floor": 1}, lambda queue: User.objects.update(email_verified_at=None)),
    ((403, "identity_not_verified"), {"floor": 1}, lambda queue: change(queue.event, require_identification=True)),
    ((409, "sold_out"), {"vip": 1}, lambda queue: Tier.objects.update(sold_count=5, quantity=5)),
    ((409, "sold_out"), {"vip": 2}, lambda queue: Tier.objects.update(sold_count=4, quantity=5)),
    ((409, "sold_out"), {"floor": 1}, lambda queue: change(queue, allocation=0)),
    ((409, "sold_out"), {"floor": 2}, lambda queue: change(queue, allocation=1)),
    ((409, "admittance_expired"), {"floor": 1}, end_turn),
    ((403, "admittance_invalid"), {"floor": 1}, lambda queue: queue.admissions.update(status="waiting")),
]


@pytest.mark.usefixtures("admission")
@pytest.mark.parametrize(("refusal", "wanted", "arrange"), REFUSALS)
def test_hold_that_cannot_be_is_refused(
    bens: Client, queue: Queue, refusal: tuple[int, str], wanted: dict[str, int], arrange: Callable[[Queue], object]
):
    token = admittance.token_for(queue.admissions.get())
    arrange(queue)
    before = traces()

    answer = hold(bens, token, **wanted)

    assert (answer.status_code, answer.json()["code"], answer.headers["X-Refusal"]) == (*refusal, refusal[1])
    assert traces() == before


def test_refusal_says_how_many_are_left(bens: Client, token: str, vip: Tier):
    change(vip, sold_count=3)

    answer = hold(bens, token, vip=3)

    assert answer.json() == {
        "type": "http://127.0.0.1:8000/api/refusals/#sold_out",
        "title": "Sold out",
        "status": 409,
        "detail": "Not enough tickets available: 2 tickets are left of VIP.",
        "code": "sold_out",
        "available": 2,
        "tier": "vip",
    }


def test_token_of_another_fan_is_none(client: Client, token: str, cleo: User):
    client.force_login(cleo)
    before = traces()

    answers = [hold(client, token, floor=1), hold(client, "forged", floor=1), hold(client, f"{token}x", floor=1)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "admittance_invalid")] * 3
    assert traces() == before


def test_hold_that_is_being_paid_is_not_replaced(bens: Client, payment: Payment, token: str):
    before = traces()

    answers = [hold(bens, token, vip=1), bens.delete(url(payment.order))]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "payment_in_progress")] * 2
    assert traces() == before


ONE = {"tier": "floor", "quantity": 1}


WRONG_NUMBERS: list[object] = [0, -1, 1.5, "1", "x", True, None, [1], {}, 32_768, 10**30, -(10**30), 1e308]
WRONG_TIERS: list[object] = ["", "fl\0oor", "\ud800", "x" * 61, 7, True, None, []]
WRONG_LINES: list[object] = [
    *(None, "floor", {"tier": "floor"}, [1], [None], [{}], [ONE, ONE], [ONE] * 101),
    *([{"tier": "floor", "quantity": wrong}] for wrong in WRONG_NUMBERS),
    *([{"tier": wrong, "quantity": 1}] for wrong in WRONG_TIERS),
]


@pytest.mark.parametrize("lines", WRONG_LINES)
def test_lines_that_make_no_sense_are_refused(bens: Client, token: str, lines: object):
    before = traces()

    answer = bens.post(ORDERS, {"admittance_token": token, "lines": lines}, JSON)

    problem = answer.json()
    assert (answer.status_code, problem["code"], list(problem["errors"])) == (400, "invalid", ["lines"])
    assert traces() == before


@pytest.mark.parametrize("token", [None, "", "\0", "\ud800", "x" * 501, 7, True, [], {}])
def test_tokens_that_make_no_sense_are_refused(bens: Client, token: object):
    answer = bens.post(ORDERS, {"admittance_token": token, "lines": [ONE]}, JSON)

    problem = answer.json()
    assert (answer.status_code, problem["code"], list(problem["errors"])) == (400, "invalid", ["admittance_token"])


WRONG_BODIES = [
    *(("", "invalid"), ("[]", "invalid"), ("null", "invalid"), ("7", "invalid")),
    *(("{", "malformed"), ("\xff", "malformed"), ('{"lines": NaN}', "malformed")),
    *(("[" * 100_000, "malformed"), ('{"lines":' + "[" * 5000 + "]" * 5000 + "}", "malformed")),
    ('{"lines": [{"quantity": 1' + "0" * 5000 + "}]}", "malformed"),
]


@pytest.mark.parametrize(("body", "code"), WRONG_BODIES, ids=lambda text: text[:24])
def test_bodies_that_make_no_sense_are_refused(bens: Client, token: str, body: str, code: str):
    answer = bens.post(ORDERS, body.encode("latin-1"), JSON)

    assert (answer.status_code, answer.json()["code"], Order.objects.count()) == (400, code, 0)


def test_what_nobody_asked_for_is_ignored(bens: Client, token: str):
    body = {"admittance_token": token, "lines": [{**ONE, "price": "0.01"}], "total": 1, "status": "paid"}

    answer = bens.post(ORDERS, body, JSON)

    assert (answer.status_code, answer.json()["total"], answer.json()["status"]) == (201, "165.00", "held")


def test_hold_costs_no_more_statements_than_that_of_the_page(bens: Client, queue: Queue, token: str, cleo: User):
    page = f"/queues/{queue.slug}/"
    form = form_to(bens.get(page), f"{page}hold/")
    with counted_statements() as by_page:
        assert bens.post(form.action, {**form.fields, "tier-floor": "2"}).status_code == 302
    other = AdmissionFactory(queue=queue, user=cleo, admitted=True)
    bens.force_login(cleo)

    with counted_statements() as by_program:
        assert hold(bens, admittance.token_for(other), floor=2).status_code == 201

    assert len(by_program) <= len(by_page)
