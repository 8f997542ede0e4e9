"""The list of events and the page of one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event, Tier
from queues import sales
from queues.models import Queue
from tests.factories import AdmissionFactory, EventFactory, QueueFactory, TierFactory, VenueFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def listed(client: Client, **asked: str) -> list[str]:
    answer = client.get("/", asked)
    assert answer.status_code == 200
    return [event.slug for event in answer.context["page"]]


def named(*slugs: str, **fields: object) -> list[Event]:
    return [EventFactory(slug=slug, name=slug.title(), **fields) for slug in slugs]


def test_list_shows_what_is_to_come_soonest_first(client: Client):
    now = timezone.now()
    for slug, days in {"later": 9, "sooner": 2, "over": -1}.items():
        named(slug, starts_at=now + days * DAY)
    named("draft", status=Event.Status.DRAFT)
    named("off", status=Event.Status.CANCELLED, starts_at=now + 5 * DAY)

    assert listed(client) == ["sooner", "off", "later"]


def test_list_is_searched_by_name_venue_and_city(client: Client):
    garden = VenueFactory(name="Garden", city="New York")
    named("fall-tour", venue=garden)
    named("winter-tour", venue=VenueFactory(name="Hall", city="Bonn"))

    found = [listed(client, q=text) for text in ("tour", "TOUR garden", "bonn", "nothing", "")]

    assert found == [["fall-tour", "winter-tour"], ["fall-tour"], ["winter-tour"], [], ["fall-tour", "winter-tour"]]
    assert listed(client, city="york") == ["fall-tour"]


def test_list_is_searched_by_date(client: Client):
    for slug, day in {"first": 10, "second": 11}.items():
        named(slug, starts_at=datetime(2100, 5, day, 20, tzinfo=UTC))

    assert listed(client, after="2100-05-11") == ["second"]
    assert listed(client, before="2100-05-10") == ["first"]
    assert listed(client, after="2100-05-10", before="2100-05-11") == ["first", "second"]


@pytest.mark.parametrize(
    "asked",
    [{"after": "soon"}, {"before": "2100-99-99"}, {"page": "x"}, {"page": "99"}, {"q": "\x00"}, {"q": "x" * 101}],
)
def test_search_that_makes_no_sense_is_left_out(client: Client, asked: dict[str, str]):
    named("only")

    assert listed(client, **asked) == ["only"]


def test_list_comes_in_pages(client: Client):
    EventFactory.create_batch(25)

    assert [len(listed(client)), len(listed(client, page="2"))] == [24, 1]


def test_list_takes_as_many_statements_for_three_events_as_for_one(client: Client):
    numbers = []
    for more in (1, 2):
        for queue in QueueFactory.create_batch(more):
            TierFactory(event=queue.event)
        with counted_statements() as sent:
            assert client.get("/").status_code == 200
        numbers.append(len(sent))

    assert numbers[0] == numbers[1] <= 4


def test_list_tells_the_phase_of_each_sale(client: Client):
    QueueFactory(event=EventFactory(slug="on-sale"))
    EventFactory(slug="upcoming", starts_at=timezone.now() + 60 * DAY)

    cards = client.get("/").context["cards"]

    assert [(card.event.slug, card.sale_phase) for card in cards] == [
        ("on-sale", sales.SalePhase.GENERAL),
        ("upcoming", sales.SalePhase.UPCOMING),
    ]


def test_page_of_an_event_shows_rules_tiers_and_the_way_in(client: Client, queue: Queue, floor: Tier):
    answer = client.get(f"/events/{queue.event.slug}/")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert f"/queues/{queue.slug}/" in page
    for text in ("Fall Tour", "Madison Square Garden", "Floor", "VIP", "$165.00", "$549.99", "Maximum 4 tickets"):
        assert text in page


def test_page_of_an_event_tells_who_lacks_a_verified_identity(client: Client, queue: Queue, ben: User):
    Event.objects.update(require_identification=True)
    address = f"/events/{queue.event.slug}/"
    link = f'href="/account/identity/?next={address}"'

    def is_asked() -> bool:
        return link in client.get(address).content.decode()

    found = [is_asked()]
    client.force_login(ben)
    found.append(is_asked())
    User.objects.filter(pk=ben.pk).update(identity_verified_at=timezone.now())
    found.append(is_asked())

    assert found == [False, True, False]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("require_identification", "Valid photo ID required at venue"),
        ("require_identification", "Your identity must be verified before you join the line"),
        ("tickets_non_transferable", "Tickets are non-transferable"),
        ("require_buyer_attendance", "Purchaser must be present at entry"),
    ],
)
def test_page_of_an_event_tells_its_rules(client: Client, queue: Queue, rule: str, sentence: str):
    address = f"/events/{queue.event.slug}/"
    without = client.get(address).content.decode()
    Event.objects.update(**{rule: True})

    assert (sentence in without, sentence in client.get(address).content.decode()) == (False, True)


def test_page_of_an_event_knows_where_the_fan_stands(client: Client, queue: Queue, ben: User):
    standing = AdmissionFactory(queue=queue, user=ben)
    address = f"/events/{queue.event.slug}/"

    stranger = client.get(address).context["standing"]
    client.force_login(ben)

    assert (stranger, client.get(address).context["standing"]) == (None, standing)


@pytest.mark.parametrize("status", [Event.Status.PUBLISHED, Event.Status.CANCELLED])
def test_page_of_an_event_takes_as_many_statements_for_three_rows_as_for_one(client: Client, status: str):
    event = EventFactory(status=status)
    numbers = []
    for more in (1, 2):
        TierFactory.create_batch(more, event=event)
        QueueFactory.create_batch(more, event=event)
        with counted_statements() as sent:
            assert client.get(f"/events/{event.slug}/").status_code == 200
        numbers.append(len(sent))

    # What is left is asked from the database once and then kept.
    assert numbers[1] <= numbers[0] <= 5


@pytest.mark.usefixtures("dead_redis")
def test_pages_are_shown_without_redis(client: Client, queue: Queue, ben: User):
    client.force_login(ben)

    answers = [client.get(path) for path in ("/", f"/events/{queue.event.slug}/", f"/queues/{queue.slug}/")]

    assert [answer.status_code for answer in answers] == [200] * 3


def test_page_of_a_draft_does_not_exist(client: Client):
    draft = EventFactory(status=Event.Status.DRAFT)

    assert client.get(f"/events/{draft.slug}/").status_code == 404


@pytest.mark.parametrize("path", ["/", "/events/{slug}/", "/events/{slug}.ics", "/api/v1/events/{slug}/availability/"])
def test_pages_are_only_read(client: Client, event: Event, path: str):
    assert client.post(path.format(slug=event.slug)).status_code == 405


def test_sign_in_leads_back_to_the_page_it_was_asked_from(client: Client, event: Event):
    def ways_in(path: str) -> list[str]:
        return re.findall(r'href="(/account/login/[^"]*)"', client.get(path).content.decode())

    page = f"/events/{event.slug}/?from=poster"
    assert ways_in(page)[0] == f"/account/login/?next=/events/{event.slug}/%3Ffrom%3Dposter"
    assert ways_in("/account/signup/")[0] == "/account/login/"
