"""The same call twice at the same instant, over HTTP."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.test import Client

from events.models import Event
from orders import services
from orders.models import Order, OrderQuerySet, Payment, Ticket
from orders.services import checkout
from queues import services as queue_services
from queues.models import Queue
from tests.bookkeeping import assert_counters_equal_rows
from tests.races.conftest import Turn, turn_at, without_index
from tests.racing import meeting, race

JSON = "application/json"
TWO_ON_THE_FLOOR = [{"tier": "floor", "quantity": 2}]


@pytest.fixture
def turn(queue: Queue) -> Turn:
    return turn_at(queue)


@pytest.fixture
def order(turn: Turn) -> Order:
    fan, token = turn
    return services.hold_tickets(user=fan, token=token, wanted={"floor": 2})


def programs(fan: Any, times: int) -> list[Client]:
    """Return programs that have signed the same fan in, each by a session of its own."""
    clients = [Client() for _ in range(times)]
    for client in clients:
        client.force_login(fan)
    return clients


def paying(order: Order, clients: list[Client], outcome: str, number: int) -> tuple[int, str]:
    body = {"holders": ["Ben", "Bea"], "payment": {"outcome": outcome}}
    answer = clients[number].post(f"/api/v1/orders/{order.code}/pay/", body, JSON)
    return answer.status_code, answer.json().get("code") or answer.json()["status"]


@pytest.mark.parametrize("times", [2, 4])
def test_paying_at_once_pays_once(order: Order, event: Event, times: int):
    outcomes = race(partial(paying, order, programs(order.buyer, times), "confirm"), times)

    # Who comes when all is done finds it done.
    assert set(outcomes) <= {(200, "paid"), (409, "order_not_payable")}
    assert (200, "paid") in outcomes
    assert (Payment.objects.count(), Ticket.objects.count()) == (1, 2)
    assert Order.objects.get().status == "paid"
    assert_counters_equal_rows(event)


def test_opening_a_payment_at_once_opens_one(order: Order):
    outcomes = race(partial(paying, order, programs(order.buyer, 2), "abandon"), 2)

    assert (outcomes, Payment.objects.count()) == ([(200, "waiting")] * 2, 1)


def test_without_the_gate_two_payments_are_opened(order: Order, monkeypatch):
    """The negative control: both have seen that there is none."""
    monkeypatch.setattr(queue_services, "open_allowance", lambda user, event: None)
    monkeypatch.setattr(OrderQuerySet, "lock", lambda self: self)
    monkeypatch.setattr(checkout, "_extend_once", meeting(lambda order: None, 2))
    # Noting names and address would lock the order's row; that keeper is out as well.
    monkeypatch.setattr(OrderQuerySet, "update", lambda self, **values: self.count())

    with without_index("order_is_paid_by_one_payment_at_a_time", "orders_payment"):
        outcomes = race(partial(paying, order, programs(order.buyer, 2), "abandon"), 2)
        opened = Payment.objects.count()

    assert (outcomes, opened) == ([(200, "waiting")] * 2, 2)


@pytest.mark.parametrize("times", [2, 4])
def test_holding_at_once_holds_once(turn: Turn, event: Event, times: int):
    fan, token = turn
    clients = programs(fan, times)

    def hold(number: int) -> tuple[int, str]:
        answer = clients[number].post("/api/v1/orders/", {"admittance_token": token, "lines": TWO_ON_THE_FLOOR}, JSON)
        return answer.status_code, answer.json()["code"]

    outcomes = race(hold, times)

    order = Order.objects.get()
    assert Counter(outcomes) == {(201, order.code): times}
    assert_counters_equal_rows(event)
