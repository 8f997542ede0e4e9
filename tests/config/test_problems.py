"""How programs are refused, whoever refuses them."""

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIClient

from accounts.models import User
from config.problems import answer_exception
from events.models import Event
from tests.api import program_of, refused
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

    assert refused(answer, "method_not_allowed")["status"] == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_draft_is_not_there(api: APIClient):
    draft = EventFactory(status=Event.Status.DRAFT)

    assert refused(api.get(f"/api/v1/events/{draft.slug}/availability/"), "not_found")["status"] == 404


def test_whoever_takes_no_json_is_told_that_there_is_only_that(api: APIClient):
    event = EventFactory()

    answer = api.get(f"/api/v1/events/{event.slug}/availability/", headers={"Accept": "text/html"})

    assert refused(answer, "not_acceptable")["status"] == 406


@pytest.mark.parametrize("path", ["/api/v1/events/", "/api/v1/orders/", "/api/schema/"])
def test_more_fields_than_anybody_sends_are_a_problem(client: Client, ben: User, path: str):
    client.force_login(ben)

    answer = client.get(path + "?" + "&".join(f"field{number}=1" for number in range(1001)))

    assert refused(answer, "malformed")["status"] == 400
    assert answer.headers["X-Refusal"] == "malformed"


def test_what_is_wrong_with_the_whole_has_one_name_whoever_finds_it(ben: User):
    asked = program_of(ben).post("/api/v1/orders/", [], format="json")
    found = answer_exception(ValidationError("None of it."), {})

    assert list(refused(asked, "invalid")["errors"]) == ["non_field_errors"]
    assert found is not None
    assert found.data["errors"] == {"non_field_errors": ["None of it."]}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_busy(api: APIClient, monkeypatch: pytest.MonkeyPatch):
    event = EventFactory()

    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        connection.close()
        answer = api.get(f"/api/v1/events/{event.slug}/availability/")

    assert refused(answer, "busy")["status"] == 503
    assert answer.headers["Retry-After"] == "2"


def fail(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


# The addresses of the next test.
urlpatterns = [path("api/v1/defect/", fail)]
handler500 = "config.middleware.answer_to_failure"


@pytest.mark.urls(__name__)
def test_a_defect_is_a_problem_that_tells_nothing(client: Client):
    client.raise_request_exception = False

    answer = client.get("/api/v1/defect/")

    assert refused(answer, "internal_error") == {
        "type": "http://127.0.0.1:8000/api/refusals/#internal_error",
        "title": "Internal error",
        "status": 500,
        "detail": "A server error occurred.",
        "code": "internal_error",
    }


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


def test_what_is_posted_without_the_last_slash_is_led_on_as_it_is(client: Client):
    answer = client.post("/api/v1/orders", {}, "application/json")

    assert (answer.status_code, answer.headers["Location"]) == (308, "/api/v1/orders/")


def test_methods_that_are_not_there_are_told_where_others_are(client: Client, ben):
    client.force_login(ben)

    answer = client.options("/api/v1/orders/")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


@pytest.mark.parametrize("address", ["/api/", "/api/v1/"])
def test_the_way_into_the_api_is_its_description(client: Client, address: str):
    assert client.get(address).headers["Location"] == "/api/docs/"
