"""The pages of a list, as the list of events comes in them."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from accounts import vault
from events.models import Event
from tests.events.test_api import EVENTS, SHOW, ask, refusal, slugs
from tests.factories import EventFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def walk(client: Client, address: str, way: str) -> list[list[str]]:
    pages = [ask(client, address)]
    while pages[-1][way]:
        pages.append(ask(client, pages[-1][way]))
    return [slugs(page) for page in pages]


@pytest.mark.parametrize("minutes", [0, 1], ids=["all_at_one_time", "one_after_the_other"])
def test_list_is_paged_there_and_back(client: Client, minutes: int):
    for number in range(5):
        EventFactory(slug=f"e{number}", starts_at=SHOW + number * timedelta(minutes=minutes))
    first = ask(client, page_size=2)
    last = ask(client, ask(client, first["next"])["next"])

    there = [["e0", "e1"], ["e2", "e3"], ["e4"]]
    assert walk(client, f"{EVENTS}?page_size=2", "next") == there
    assert (slugs(last), last["next"], first["previous"]) == (["e4"], None, None)
    assert walk(client, last["previous"], "previous") == [["e2", "e3"], ["e0", "e1"]]
    assert slugs(ask(client, ask(client, last["previous"])["next"])) == ["e4"]


def test_event_added_meanwhile_shifts_nothing(client: Client):
    """The library's own cursor counts rows among those that begin at the same time, and shows one of them twice."""
    for slug, minutes in {"a": 0, "b": 1, "c": 1, "d": 1, "e": 2}.items():
        EventFactory(slug=slug, starts_at=SHOW + timedelta(minutes=minutes))
    first = ask(client, page_size=2)
    for seconds in (-60, 30, 60):
        EventFactory(slug=f"new{seconds}", starts_at=SHOW + timedelta(seconds=seconds))

    assert slugs(first) == ["a", "b"]
    assert walk(client, first["next"], "next") == [["c", "d"], ["new60", "e"]]


def test_event_taken_away_meanwhile_shifts_nothing(client: Client):
    for number in range(4):
        EventFactory(slug=f"e{number}", starts_at=SHOW)
    first = ask(client, page_size=2)
    Event.objects.filter(slug__in=["e0", "e1"]).update(status=Event.Status.DRAFT)

    assert slugs(ask(client, first["next"])) == ["e2", "e3"]


def test_pages_keep_what_was_searched_for(client: Client):
    for number in range(3):
        EventFactory(slug=f"e{number}", name="Tour" if number != 1 else "Opera", starts_at=SHOW + number * DAY)

    assert walk(client, f"{EVENTS}?page_size=1&q=tour", "next") == [["e0"], ["e2"]]


@pytest.mark.parametrize(("page_size", "number"), [("", 50), ("x", 50), ("0", 50), ("-1", 50), ("3", 3), ("1000", 51)])
def test_size_of_a_page_is_chosen_within_bounds(client: Client, page_size: str, number: int):
    EventFactory.create_batch(51)

    assert len(ask(client, page_size=page_size)["results"]) == number


@pytest.mark.parametrize("cursor", ["", "x", "\0", "é" * 9, "cD0yMDI2LTAxLTAx", "cj0xJnA9bm9uZQ==", "gAAAAA" * 20])
def test_cursor_that_is_none_of_ours_leads_nowhere(client: Client, cursor: str):
    EventFactory()

    assert refusal(client, cursor=cursor) == (404, "not_found", None)


def test_cursor_of_another_list_leads_nowhere(client: Client):
    EventFactory()
    cursor = vault.seal(json.dumps([["-created_at", "-pk"], "ahead", ["2100-05-10T20:00:00+00:00", "1"]]))

    assert refusal(client, cursor=cursor) == (404, "not_found", None)


def test_cursor_that_was_changed_leads_nowhere(client: Client):
    EventFactory.create_batch(2, starts_at=SHOW)
    following = str(ask(client, page_size=1)["next"])

    assert refusal(client, following.replace("cursor=gA", "cursor=hA")) == (404, "not_found", None)
    assert len(slugs(ask(client, following))) == 1
