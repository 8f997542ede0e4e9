"""What a program sends twice with one `Idempotency-Key` is done once and answered alike, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import KeptAnswer, Letter, User
from orders.models import Order, Payment
from orders.providers import PlayMoneyProvider
from tests.bookkeeping import assert_counters_equal_rows
from tests.orders.conftest import traces
from tests.orders.endpoints import LettersView, PlainView
from tests.statements import counted_statements

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.endpoints")]

LETTERS = "/api/v1/letters/"


@pytest.fixture
def api(ben: User) -> APIClient:
    """Ben's program."""
    client = APIClient()
    client.force_login(ben)
    return client


def post(client: APIClient, url: str = LETTERS, key: str | None = "first try", **data: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(url, data or {"subject": "Hello"}, format="json", headers=headers)


def sent(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """Return what of an answer is the endpoint's."""
    names = ("Content-Type", "Location", "X-Refusal")
    return answer.status_code, answer.content, {n: answer.headers[n] for n in names if n in answer.headers}


def refusal(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_second_answer_is_the_first_one(api: APIClient):
    first, second = post(api), post(api)

    [letter] = Letter.objects.all()
    body = b'{"id":%d,"subject":"Hello"}' % letter.pk
    assert sent(first) == (201, body, {"Content-Type": "application/json", "Location": "/a/"})
    assert sent(second) == sent(first)
    assert ["Idempotent-Replayed" in answer.headers for answer in (first, second)] == [False, True]
    assert second.headers["Idempotent-Replayed"] == "true"


def test_answer_with_a_key_is_that_without(api: APIClient):
    without, with_key = post(api, key=None), post(api)

    assert sent(without)[2] == sent(with_key)[2]
    assert without.json().keys() == with_key.json().keys()


def test_another_body_under_the_same_key_is_refused(api: APIClient):
    post(api)

    assert refusal(post(api, subject="Good bye")) == (422, "idempotency_mismatch")
    assert Letter.objects.count() == 1


def test_another_path_under_the_same_key_is_refused(api: APIClient):
    post(api)

    assert refusal(post(api, "/api/v1/notes/")) == (422, "idempotency_mismatch")
    assert Letter.objects.count() == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "é"])
def test_key_that_cannot_be_kept_is_refused(api: APIClient, key: str):
    assert refusal(post(api, key=key)) == (400, "idempotency_key_invalid")
    assert (Letter.objects.count(), KeptAnswer.objects.count()) == (0, 0)


def test_key_of_a_visitor_is_ignored():
    answers = [post(APIClient()) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert (Letter.objects.count(), KeptAnswer.objects.count()) == (2, 0)


def test_without_a_key_nothing_is_kept_and_no_statement_is_added(api: APIClient):
    with counted_statements() as without:
        post(api, key=None)
    with counted_statements() as with_key:
        post(api)

    assert KeptAnswer.objects.count() == 1
    assert (sum("keptanswer" in sql for sql in without), len(with_key) - len(without)) == (0, 2)


@pytest.mark.parametrize("key", ["first try", None])
def test_body_that_is_too_large_is_refused(api: APIClient, settings: Settings, key: str | None):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    assert refusal(post(api, key=key)) == (413, "request_too_large")
    assert Letter.objects.count() == 0


# Holding.


def hold(api: APIClient, token: str, key: str | None = "first try", **wanted: int) -> Any:
    lines = [{"tier": tier, "quantity": quantity} for tier, quantity in wanted.items()]
    return post(api, "/api/v1/orders/", key, admittance_token=token, lines=lines)


def test_hold_asked_twice_is_one_order(api: APIClient, token: str):
    first, second = hold(api, token, floor=2), hold(api, token, floor=2)

    order = Order.objects.get()
    assert sent(first) == sent(second)
    assert (first.status_code, first.json()["code"]) == (201, order.code)
    assert first.headers["Location"] == f"/api/v1/orders/{order.code}/"
    assert_counters_equal_rows(order.event)


def test_refused_hold_is_not_kept_and_can_be_tried_anew(api: APIClient, token: str, vip: Any):
    type(vip).objects.filter(pk=vip.pk).update(sold_count=5)
    before = traces()
    assert refusal(hold(api, token, vip=1)) == (409, "sold_out")
    assert (traces(), KeptAnswer.objects.count()) == (before, 0)
    type(vip).objects.filter(pk=vip.pk).update(sold_count=4)

    assert hold(api, token, vip=1).status_code == 201


def test_key_costs_a_hold_two_statements_more(api: APIClient, token: str):
    with counted_statements() as with_key:
        hold(api, token, floor=2)
    with counted_statements() as replayed:
        hold(api, token, floor=2)

    kept = [sql for sql in with_key if "keptanswer" in sql]
    assert [sql.split()[0] for sql in kept] == ["INSERT", "UPDATE"]
    # Little stands between the stock, which everybody wants, and the end: the order is read as it is shown.
    stock = max(number for number, sql in enumerate(with_key) if sql.startswith("UPDATE") and "events_tier" in sql)
    assert [sql.split()[0] for sql in with_key[stock + 1 :]] == ["SELECT", "SELECT", "UPDATE"]
    assert [sql.split()[0] for sql in replayed if "keptanswer" in sql] == ["INSERT", "SELECT"]
    assert [sql for sql in replayed if "orders_" in sql or "events_tier" in sql] == []


# Paying.


def pay(api: APIClient, order: Order, outcome: str = "confirm", key: str | None = "first try") -> Any:
    return post(api, f"/api/v1/orders/{order.code}/pay/", key, holders=["Ben", "Bea"], payment={"outcome": outcome})


def test_payment_asked_twice_is_paid_once_and_answered_alike(api: APIClient, order: Order):
    first, second = pay(api, order), pay(api, order)

    assert (first.status_code, first.json()["status"], Payment.objects.count()) == (200, "paid", 1)
    assert sent(second) == sent(first)
    assert_counters_equal_rows(order.event)


def test_without_its_key_a_second_payment_is_refused(api: APIClient, order: Order):
    pay(api, order, key=None)

    assert refusal(pay(api, order, key=None)) == (409, "order_not_payable")


def test_declined_payment_is_an_answer_and_kept(api: APIClient, order: Order):
    first, second = pay(api, order, "decline"), pay(api, order, "decline")

    assert refusal(first) == (402, "payment_declined")
    assert sent(second) == sent(first)
    assert sent(first)[2] == {"Content-Type": "application/problem+json", "X-Refusal": "payment_declined"}
    assert (Payment.objects.get().status, second.headers["Idempotent-Replayed"]) == ("rejected", "true")


def test_new_key_after_a_declined_payment_is_a_new_payment(api: APIClient, order: Order):
    pay(api, order, "decline")

    assert pay(api, order, key="second try").status_code == 200
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["confirmed", "rejected"]


def test_provider_that_is_away_is_not_kept_and_the_same_goes_on_with_the_payment(
    api: APIClient, order: Order, monkeypatch
):
    def fail(*args: object, **kwargs: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as away:
        away.setattr(PlayMoneyProvider, "get_form", fail)
        assert refusal(pay(api, order)) == (503, "payment_unavailable")
    opened = Payment.objects.get()

    answer = pay(api, order)

    assert (answer.status_code, answer.json()["status"]) == (200, "paid")
    assert "Idempotent-Replayed" not in answer.headers
    assert Payment.objects.get() == opened


def test_refused_payment_is_not_kept(api: APIClient, order: Order):
    Order.objects.update(status="cancelled")
    before = traces()

    assert refusal(pay(api, order)) == (409, "order_not_payable")
    assert (traces(), KeptAnswer.objects.count()) == (before, 0)


def test_payment_that_is_being_made_says_when_to_ask_again(api: APIClient, order: Order, monkeypatch):
    answers: list[Any] = []
    get_form = PlayMoneyProvider.get_form

    def ask_again(*args: Any, **kwargs: Any) -> Any:
        answers.append(pay(api, order))
        return get_form(*args, **kwargs)

    monkeypatch.setattr(PlayMoneyProvider, "get_form", ask_again)
    pay(api, order)

    [answer] = answers
    assert (refusal(answer), answer.headers["Retry-After"]) == ((409, "request_in_progress"), "2")


# What the description says of it.


def test_description_tells_of_the_key_and_its_refusals_where_it_is_taken():
    endpoints = [path("api/v1/letters/", LettersView.as_view()), path("api/v1/plain/", PlainView.as_view())]
    paths = SchemaGenerator(patterns=endpoints).get_schema(public=True)["paths"]
    keyed, plain = paths["/api/v1/letters/"]["post"], paths["/api/v1/plain/"]["post"]

    def told(operation: dict) -> tuple[list[str], str]:
        return [parameter["name"] for parameter in operation.get("parameters", [])], str(operation["responses"])

    codes = ("idempotency_key_invalid", "idempotency_mismatch", "request_in_progress")
    assert (told(keyed)[0], [code in told(keyed)[1] for code in codes]) == (["Idempotency-Key"], [True] * 3)
    assert (told(plain)[0], [code in told(plain)[1] for code in codes]) == ([], [False] * 3)
