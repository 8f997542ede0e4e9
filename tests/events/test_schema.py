"""What an event's page tells other sites and search engines."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from events.models import Event, Tier
from queues.conditions import CardProgramme, Guest
from queues.models import Queue
from tests.factories import TierFactory

pytestmark = pytest.mark.django_db

ADDRESS = "http://127.0.0.1:8000/events/fall-tour/"
# Eight in the evening in New York, in summer time.
EVENING = datetime(2027, 7, 2, 0, 0, tzinfo=UTC)


def page_of(event: Event, client: Client) -> str:
    return client.get(f"/events/{event.slug}/").content.decode()


def described(html: str) -> dict:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def open_graph(html: str) -> dict[str, str]:
    return {name: unescape(text) for name, text in re.findall(r'<meta property="og:(\w+)" content="(.*?)">', html)}


@pytest.fixture
def concert(event: Event) -> Event:
    name = "Fall Tour </script><b>&"
    times = {"starts_at": EVENING, "doors_at": EVENING - timedelta(hours=1), "time_zone": "America/New_York"}
    Event.objects.update(name=name, description="Loud.", image="events/tour.jpg", **times)
    TierFactory(event=event, name="Floor", slug="floor", price=Decimal(150))
    TierFactory(event=event, name="Box", slug="box", price=Decimal("99.99"), quantity=3, sold_count=3, position=1)
    return Event.objects.get()


def test_event_is_described_in_the_words_of_schema_org(concert: Event, client: Client):
    offer = {"@type": "Offer", "priceCurrency": "USD", "url": ADDRESS}

    assert described(page_of(concert, client)) == {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": "Fall Tour </script><b>&",
        "url": ADDRESS,
        "description": "Loud.",
        "image": "http://127.0.0.1:8000/media/events/tour.jpg",
        "startDate": "2027-07-01T20:00:00-04:00",
        "doorTime": "2027-07-01T19:00:00-04:00",
        "eventStatus": "https://schema.org/EventScheduled",
        "location": {"@type": "Place", "name": "Madison Square Garden", "address": "New York, NY"},
        "organizer": {"@type": "Organization", "name": "Ada Concerts"},
        "offers": [
            {**offer, "name": "Floor", "price": "165.00", "availability": "https://schema.org/InStock"},
            {**offer, "name": "Box", "price": "109.99", "availability": "https://schema.org/SoldOut"},
        ],
    }


def test_cancelled_event_is_described_as_such(concert: Event, client: Client):
    Event.objects.update(status=Event.Status.CANCELLED)

    assert described(page_of(concert, client))["eventStatus"] == "https://schema.org/EventCancelled"


def test_event_is_shown_where_its_link_is_shared(concert: Event, client: Client):
    html = page_of(concert, client)

    assert open_graph(html) == {
        "type": "website",
        "title": "Fall Tour </script><b>&",
        "url": ADDRESS,
        "description": "Thursday, July 1, 2027, Madison Square Garden, New York, NY",
        "image": "http://127.0.0.1:8000/media/events/tour.jpg",
    }
    assert f'<link rel="canonical" href="{ADDRESS}">' in html


AUDIENCES = [
    "You need a valid presale code to access this sale.",
    "This sale is for holders of certain cards.",
    "This sale is for invited guests.",
]


@pytest.mark.parametrize("opens_in", [timedelta(hours=-1), timedelta(hours=1)])
def test_event_page_says_whom_a_sale_is_for(queue: Queue, floor: Tier, client: Client, opens_in: timedelta):
    Queue.objects.update(scheduled_start=timezone.now() + opens_in)

    def told() -> list[str]:
        html = page_of(queue.event, client)
        return [sentence for sentence in AUDIENCES if sentence in html]

    steps = [told()]
    Queue.objects.update(require_access_code=True)
    steps.append(told())
    queue.eligible_cards.add(CardProgramme.objects.create(name="American Express", slug="amex"))
    steps.append(told())
    Guest.objects.create(queue=queue, address="club.example")
    steps.append(told())

    assert steps == [AUDIENCES[:number] for number in range(4)]
