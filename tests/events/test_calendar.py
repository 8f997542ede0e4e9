from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from icalendar import Calendar

from events import calendar
from events.models import Event
from events.templatetags.times import day_in, instant_in, time_in, zone_in
from tests.factories import EventFactory

BERLIN = ZoneInfo("Europe/Berlin")
# The clocks of Berlin go from 2:00 to 3:00 on 28 March 2027, and from 3:00 back to 2:00 on 31 October.
SPRING = datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
AUTUMN = datetime(2027, 10, 31, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.django_db
def test_calendar_file_holds_the_event():
    event = EventFactory(
        name="Fall Tour; New York, 2027",
        slug="fall-tour",
        starts_at=SPRING + timedelta(hours=18),
        doors_at=SPRING + timedelta(hours=17),
        time_zone="Europe/Berlin",
    )
    now = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)

    (entry,) = Calendar.from_ical(calendar.entry_for(event, url="https://example.org/e", now=now)).walk("VEVENT")

    assert {name: entry.decoded(name) for name in ("dtstart", "dtend", "dtstamp")} == {
        "dtstart": event.starts_at,
        "dtend": event.starts_at + timedelta(hours=3),
        "dtstamp": now,
    }
    assert {name: str(entry[name]) for name in ("uid", "summary", "location", "description", "url")} == {
        "uid": "event-fall-tour@fairline",
        "summary": "Fall Tour; New York, 2027",
        "location": "Madison Square Garden, New York, NY",
        "description": "Doors: 20:00",
        "url": "https://example.org/e",
    }


@pytest.mark.django_db
def test_calendar_file_is_to_be_had_without_an_account(client: Client, event: Event):
    answer = client.get(f"/events/{event.slug}.ics")

    (entry,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert str(entry["url"]) == f"http://testserver/events/{event.slug}/"
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="fall-tour.ics"'


@pytest.mark.django_db
def test_calendar_file_of_a_cancelled_event_takes_the_entry_back(client: Client, event: Event):
    def status_and_uid() -> tuple[str, str]:
        (entry,) = Calendar.from_ical(client.get(f"/events/{event.slug}.ics").content).walk("VEVENT")
        return str(entry.get("status", "")), str(entry["uid"])

    before = status_and_uid()
    Event.objects.update(status=Event.Status.CANCELLED)

    assert (before, status_and_uid()) == (("", "event-fall-tour@fairline"), ("CANCELLED", "event-fall-tour@fairline"))


@pytest.mark.django_db
def test_calendar_file_of_a_draft_is_not_to_be_had(client: Client):
    EventFactory(slug="secret", status=Event.Status.DRAFT)

    assert client.get("/events/secret.ics").status_code == 404


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (SPRING - SECOND * 60, "Sun, Mar 28, 1:59 AM CET"),
        (SPRING, "Sun, Mar 28, 3:00 AM CEST"),
        (AUTUMN - SECOND * 60, "Sun, Oct 31, 2:59 AM CEST"),
        (AUTUMN, "Sun, Oct 31, 2:00 AM CET"),
    ],
)
def test_times_are_those_of_the_events_place_over_a_change_of_summer_time(instant: datetime, shown: str):
    assert instant_in(instant, BERLIN) == shown


@pytest.mark.parametrize(("instant", "name"), [(AUTUMN - SECOND, "CEST"), (AUTUMN, "CET"), (SPRING, "CEST")])
def test_zone_has_its_name_also_in_the_hour_that_comes_twice(instant: datetime, name: str):
    assert zone_in(instant, BERLIN) == name


def test_day_and_time_are_those_of_the_events_place():
    instant = datetime(2027, 3, 27, 23, 30, tzinfo=UTC)

    assert (day_in(instant, BERLIN), time_in(instant, BERLIN)) == ("Sunday, March 28, 2027", "12:30 AM")
    new_york = ZoneInfo("America/New_York")
    assert (day_in(instant, new_york), time_in(instant, new_york)) == ("Saturday, March 27, 2027", "7:30 PM")


def test_tickets_are_released_so_many_hours_before_over_a_change_of_summer_time():
    event = EventFactory.build(
        starts_at=SPRING + timedelta(hours=18), tickets_released_hours_before=48, time_zone="Europe/Berlin"
    )

    # 9 p.m. in summer time; 48 hours before it is 8 p.m. in winter time.
    assert instant_in(event.starts_at, event.zone) == "Sun, Mar 28, 9:00 PM CEST"
    assert instant_in(event.tickets_released_at, event.zone) == "Fri, Mar 26, 8:00 PM CET"
