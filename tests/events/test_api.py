"""The events as programs are told of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from events.models import Event, Tier
from queues.models import Queue
from tests.factories import AccessCodeFactory, EventFactory, QueueFactory, TierFactory, VenueFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

EVENTS = "/api/v1/events/"
FALL_TOUR = f"{EVENTS}fall-tour/"
SHOW = datetime(2100, 5, 10, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def ask(client: Client, address: str = EVENTS, **asked: Any) -> dict[str, Any]:
    answer = client.get(address, asked)
    assert answer.status_code == 200
    return dict(answer.json())


def slugs(page: dict[str, Any]) -> list[str]:
    return [event["slug"] for event in page["results"]]


def refusal(client: Client, address: str = EVENTS, **asked: Any) -> tuple[int, str, Any]:
    answer = client.get(address, asked)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"], answer.json().get("errors")


@pytest.fixture
def fall_tour(event: Event, floor: Tier, vip: Tier) -> Event:
    Event.objects.update(starts_at=SHOW, doors_at=SHOW - timedelta(hours=1), time_zone="America/New_York")
    event.refresh_from_db()
    return event


CARD = {
    "slug": "fall-tour",
    "name": "Fall Tour",
    "starts_at": "2100-05-10T20:00:00Z",
    "doors_at": "2100-05-10T19:00:00Z",
    "time_zone": "America/New_York",
    "venue": {"name": "Madison Square Garden", "city": "New York, NY"},
    "sale_phase": "upcoming",
    "currency": "USD",
    "lowest_price": "165.00",
    "image": None,
    "url": "http://127.0.0.1:8000/events/fall-tour/",
}


# The list


def test_list_tells_of_each_event_what_the_page_shows(client: Client, fall_tour: Event):
    assert ask(client) == {"next": None, "previous": None, "results": [CARD]}


def test_list_tells_the_phase_of_the_sale_and_no_price_that_there_is_not(client: Client):
    QueueFactory(event=EventFactory(starts_at=SHOW))
    event = EventFactory(starts_at=SHOW + DAY, status=Event.Status.CANCELLED)
    Event.objects.filter(pk=event.pk).update(image="events/poster.png")

    told = [{name: card[name] for name in ("sale_phase", "lowest_price", "image")} for card in ask(client)["results"]]

    assert told == [
        {"sale_phase": "general", "lowest_price": None, "image": None},
        {"sale_phase": "cancelled", "lowest_price": None, "image": "http://127.0.0.1:8000/media/events/poster.png"},
    ]


def test_list_is_what_the_page_lists_in_its_order(client: Client):
    now = timezone.now()
    for slug, days in {"later": 9, "sooner": 2, "over": -1}.items():
        EventFactory(slug=slug, starts_at=now + days * DAY)
    EventFactory(slug="draft", status=Event.Status.DRAFT)
    EventFactory(slug="off", status=Event.Status.CANCELLED, starts_at=now + 5 * DAY)

    on_the_page = [event.slug for event in client.get("/").context["page"]]

    assert slugs(ask(client)) == on_the_page == ["sooner", "off", "later"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "tour"}, ["fall-tour", "winter-tour"]),
        ({"q": "TOUR garden"}, ["fall-tour"]),
        ({"q": "nothing"}, []),
        ({"q": ""}, ["fall-tour", "winter-tour", "opera"]),
        ({"city": "bonn"}, ["winter-tour", "opera"]),
        ({"after": "2100-05-11"}, ["winter-tour", "opera"]),
        ({"before": "2100-05-10"}, ["fall-tour"]),
        ({"after": "2100-05-11", "before": "2100-05-11"}, ["winter-tour"]),
        ({"after": "2100-05-12", "before": "2100-05-10"}, []),
        ({"q": "tour", "city": "Bonn", "after": "2100-05-10", "before": "2100-05-12"}, ["winter-tour"]),
        ({"after": "", "before": ""}, ["fall-tour", "winter-tour", "opera"]),
        ({"colour": "red"}, ["fall-tour", "winter-tour", "opera"]),
    ],
)
def test_list_is_searched(client: Client, asked: dict[str, str], found: list[str]):
    bonn = VenueFactory(name="Hall", city="Bonn")
    EventFactory(slug="fall-tour", name="Fall Tour", starts_at=SHOW, venue=VenueFactory(name="Garden"))
    EventFactory(slug="winter-tour", name="Winter Tour", starts_at=SHOW + DAY, venue=bonn)
    EventFactory(slug="opera", name="Opera", starts_at=SHOW + 2 * DAY, venue=bonn)

    assert slugs(ask(client, **asked)) == found


WRONG_DATE = ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]


@pytest.mark.parametrize(
    ("asked", "errors"),
    [
        ({"after": "soon"}, {"after": WRONG_DATE}),
        ({"after": "soon", "before": "2100-99-99", "q": "tour"}, {"after": WRONG_DATE, "before": WRONG_DATE}),
        ({"q": "x" * 101}, {"q": ["Ensure this field has no more than 100 characters."]}),
        ({"city": "\0"}, {"city": ["Null characters are not allowed."]}),
    ],
)
def test_search_that_makes_no_sense_is_refused(client: Client, asked: dict[str, str], errors: dict[str, list[str]]):
    EventFactory()

    assert refusal(client, **asked) == (400, "invalid", errors)


def test_list_takes_as_many_statements_for_three_events_as_for_one(client: Client):
    numbers = []
    for more in (1, 2):
        for queue in QueueFactory.create_batch(more):
            TierFactory(event=queue.event)
        with counted_statements() as sent:
            ask(client)
        numbers.append(len(sent))

    assert numbers == [2, 2]


# One event


TIERS: list[dict[str, Any]] = [
    {
        "tier": "vip",
        "name": "VIP",
        "description": "With a lounge.",
        "perks": [],
        "price": "499.99",
        "service_fee": "50.00",
        "price_with_fee": "549.99",
        "release_at": None,
        "available": 0,
        "level": "gone",
    },
    {
        "tier": "floor",
        "name": "Floor",
        "description": "",
        "perks": ["Near the stage"],
        "price": "150.00",
        "service_fee": "15.00",
        "price_with_fee": "165.00",
        "release_at": "2100-05-01T20:00:00Z",
        "available": 4,
        "level": "few",
    },
]
QUEUES: list[dict[str, Any]] = [
    {
        "slug": "fans",
        "name": "Fans first",
        "kind": "presale",
        "phase": "scheduled",
        "starts_at": "2100-04-10T20:00:00Z",
        "ends_at": "2100-04-20T20:00:00Z",
    },
    {
        "slug": "all",
        "name": "General sale",
        "kind": "general",
        "phase": "scheduled",
        "starts_at": "2100-04-30T20:00:00Z",
        "ends_at": None,
    },
]


def test_event_is_told_with_its_rules_tiers_and_queues(client: Client, fall_tour: Event, floor: Tier, vip: Tier):
    Event.objects.update(description="Two hours.", tickets_non_transferable=True, max_orders_per_customer=2)
    Tier.objects.filter(pk=floor.pk).update(release_at=SHOW - 9 * DAY, perks=["Near the stage"], reserved_count=96)
    Tier.objects.filter(pk=vip.pk).update(description="With a lounge.", sold_count=5)
    opens, closes = SHOW - 30 * DAY, SHOW - 20 * DAY
    QueueFactory(
        event=fall_tour, slug="fans", name="Fans first", kind="presale", scheduled_start=opens, scheduled_end=closes
    )
    QueueFactory(event=fall_tour, slug="all", name="General sale", scheduled_start=SHOW - 10 * DAY)

    assert ask(client, FALL_TOUR) == {
        **CARD,
        "organizer": "Ada Concerts",
        "description": "Two hours.",
        "is_cancelled": False,
        "max_tickets_per_order": 4,
        "max_orders_per_customer": 2,
        "require_identification": False,
        "tickets_non_transferable": True,
        "require_buyer_attendance": False,
        "tickets_released_at": "2100-05-08T20:00:00Z",
        "tiers": TIERS,
        "queues": QUEUES,
    }


def test_prices_are_those_of_the_page(client: Client, fall_tour: Event):
    page = client.get("/events/fall-tour/").context["offers"]

    told = ask(client, FALL_TOUR)["tiers"]

    assert [Decimal(tier["price_with_fee"]) for tier in told] == [offer.price_with_fee for offer in page]


@pytest.mark.parametrize(
    ("currency", "amount", "told"),
    [
        ("JPY", Decimal(1000), ["1000.00", "100.00", "1100.00", "1100.00"]),
        ("USD", Decimal("9999999.99"), ["9999999.99", "9999999.99", "19999999.98", "19999999.98"]),
        ("USD", Decimal(0), ["0.00", "0.00", "0.00", "0.00"]),
    ],
)
def test_every_amount_has_two_places(client: Client, event: Event, currency: str, amount: Decimal, told: list[str]):
    Event.objects.update(currency=currency, service_fee_percent=100 if amount > 1000 else 10)
    TierFactory(event=event, price=amount)

    shown, listed = ask(client, FALL_TOUR), ask(client)["results"][0]

    prices = [shown["tiers"][0][name] for name in ("price", "service_fee", "price_with_fee")]
    assert [*prices, shown["lowest_price"]] == told
    assert listed["lowest_price"] == told[-1]


def test_cancelled_event_is_told_as_such(client: Client, fall_tour: Event, queue: Queue):
    Event.objects.update(status=Event.Status.CANCELLED)

    told = ask(client, FALL_TOUR)

    assert (told["is_cancelled"], told["sale_phase"], told["queues"][0]["phase"]) == (True, "cancelled", "closed")


@pytest.mark.parametrize("path", ["", "availability/"])
def test_draft_is_not_there(client: Client, path: str):
    EventFactory(slug="draft", status=Event.Status.DRAFT)
    answers = [refusal(client, f"{EVENTS}{slug}/{path}") for slug in ("draft", "nothing")]

    assert answers == [(404, "not_found", None)] * 2


def test_queue_that_is_not_published_is_not_told_of(client: Client, queue: Queue):
    QueueFactory(event=queue.event, slug="secret", published_at=None)

    assert [shown["slug"] for shown in ask(client, FALL_TOUR)["queues"]] == [queue.slug]


def test_nothing_private_is_told(client: Client, fall_tour: Event, queue: Queue, ada, ben):
    AccessCodeFactory(queue=queue, code="HUSH-HUSH")
    Queue.objects.update(metadata={"note": "HUSH-HUSH"})
    queue.guests.create(address=ben.email)
    told = "".join(client.get(address).content.decode() for address in (EVENTS, FALL_TOUR))

    assert [words for words in ("HUSH-HUSH", ada.email, ben.email, "capacity", "count") if words in told] == []


@pytest.mark.parametrize("status", [Event.Status.PUBLISHED, Event.Status.CANCELLED])
def test_event_takes_as_many_statements_for_three_rows_as_for_one(client: Client, event: Event, status: str):
    Event.objects.update(status=status)
    numbers = []
    for more in (1, 2):
        TierFactory.create_batch(more, event=event)
        QueueFactory.create_batch(more, event=event)
        with counted_statements() as sent:
            ask(client, FALL_TOUR)
        numbers.append(len(sent))

    # What is left is asked from the database once and then kept.
    assert numbers == [4, 3]


def test_event_that_one_has_is_not_sent_again_until_it_changes(client: Client, fall_tour: Event, ben):
    client.force_login(ben)
    first = client.get(FALL_TOUR)
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(FALL_TOUR, headers=known)
    Event.objects.update(name="Fall Tour II")
    changed = client.get(FALL_TOUR, headers=known)

    assert (first.status_code, first.headers["Cache-Control"], "Set-Cookie" in first) == (
        200,
        "public, max-age=1",
        False,
    )
    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, changed.json()["name"]) == (200, "Fall Tour II")


@pytest.mark.parametrize("address", [EVENTS, FALL_TOUR])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_events_are_only_read(client: Client, event: Event, address: str, method: str):
    assert getattr(client, method)(address).status_code == 405


@pytest.mark.usefixtures("dead_redis")
def test_events_are_told_without_redis(client: Client, fall_tour: Event):
    assert (ask(client)["results"], ask(client, FALL_TOUR)["name"]) == ([CARD], "Fall Tour")
