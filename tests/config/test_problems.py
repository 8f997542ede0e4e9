"""How programs are refused, whoever refuses them."""

import pytest
from django.test import Client

from tests.factories import EventFactory, TierFactory

pytestmark = pytest.mark.django_db


def test_an_address_that_is_not_there_is_a_problem(client: Client):
    answer = client.get("/api/v1/nothing/")

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "http://127.0.0.1:8000/api/refusals/#not_found",
        "title": "Not found",
        "status": 404,
        "detail": "Not found.",
        "code": "not_found",
    }


def test_a_method_that_is_not_there_is_a_problem(client: Client):
    event = EventFactory()

    answer = client.post(f"/api/v1/events/{event.slug}/availability/")

    assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/problem+json")
    assert answer.json()["code"] == "method_not_allowed"


def test_a_page_that_is_not_there_is_a_page(client: Client):
    answer = client.get("/nothing/")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_an_answer_that_one_has_is_not_sent_again(client: Client):
    event = TierFactory().event
    url = f"/api/v1/events/{event.slug}/availability/"
    first = client.get(url)

    again = client.get(url, headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_what_everyone_is_told_asks_nothing_of_whoever_asks(client: Client, ben, django_assert_num_queries):
    event = TierFactory().event
    url = f"/api/v1/events/{event.slug}/availability/"
    client.force_login(ben)
    client.get(url)

    with django_assert_num_queries(1):
        client.get(url)
