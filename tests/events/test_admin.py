from datetime import UTC, datetime
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organizer, User
from events import services
from events.admin import EventAdmin
from events.models import Event, Tier, Venue
from queues.models import Queue
from tests.factories import EventFactory, OrderFactory, TierFactory, VenueFactory

pytestmark = pytest.mark.django_db

EVENTS = reverse("admin:events_event_changelist")


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """Ada at her desk."""
    client.force_login(ada)
    return client


def page_of(row: Any, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def tier_fields(tiers: list[dict], *, initial: int = 0) -> dict[str, Any]:
    fields: dict[str, Any] = {"tiers-TOTAL_FORMS": len(tiers), "tiers-INITIAL_FORMS": initial}
    for number, tier in enumerate(tiers):
        fields.update({f"tiers-{number}-{name}": value for name, value in tier.items()})
    return fields


def form_of(event: Event, **changes: Any) -> dict[str, Any]:
    """Return what the browser would send for the unchanged form of an event, with `changes`."""
    zone = event.zone
    fields = {
        "organizer": event.organizer_id,
        "name": event.name,
        "slug": event.slug,
        "venue": event.venue_id,
        "description": event.description,
        "time_zone": event.time_zone,
        "doors_at": f"{event.doors_at.astimezone(zone):%Y-%m-%dT%H:%M}",
        "starts_at": f"{event.starts_at.astimezone(zone):%Y-%m-%dT%H:%M}",
        "currency": event.currency,
        "service_fee_percent": event.service_fee_percent,
        "max_tickets_per_order": event.max_tickets_per_order,
        "max_orders_per_customer": event.max_orders_per_customer,
        "tickets_released_hours_before": 48,
        "transfer_cutoff_hours_before": 24,
        "returns_enabled": "on",
    }
    tiers = [form_of_tier(tier) for tier in event.tiers.in_order()]
    return {**fields, **tier_fields(tiers, initial=len(tiers)), **changes}


def form_of_tier(tier: Tier) -> dict[str, Any]:
    return {
        "id": tier.pk,
        "event": tier.event_id,
        "name": tier.name,
        "slug": tier.slug,
        "price": tier.price,
        "quantity": tier.quantity,
        "description": tier.description,
        "perks": "\n".join(tier.perks),
        "release_at": "",
        "position": tier.position,
    }


def errors_in(response: Any) -> list[str]:
    """Return every error that the form and its tiers show."""
    shown = [*response.context["errors"]]
    return [str(error) for errors in shown for error in (errors if isinstance(errors, list) else [errors])]


def messages_in(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_times_are_entered_and_shown_in_the_event_s_zone_across_a_change_of_summer_time(desk: Client, event: Event):
    Event.objects.filter(pk=event.pk).update(time_zone="America/New_York")
    event.refresh_from_db()
    for evening, utc in [("2026-10-31T20:00", 0), ("2026-11-01T20:00", 1)]:
        desk.post(page_of(event), form_of(event, doors_at=evening, starts_at=evening))
        event.refresh_from_db()
        assert event.starts_at.astimezone(UTC).hour == utc
        html = desk.get(page_of(event)).content.decode()
        assert f'value="{evening}"' in html
        assert f"Time in America/New_York; saved: {event.starts_at:%Y-%m-%d %H:%M} UTC." in html
    assert event.starts_at == datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def test_new_event_s_time_zone_has_to_be_chosen(desk: Client, event: Event):
    page = desk.get(reverse("admin:events_event_add"))
    refused = desk.post(reverse("admin:events_event_add"), form_of(event, slug="another", time_zone=""))

    assert page.context["adminform"].form["time_zone"].subwidgets[0].data["value"] == ""
    assert page.context["adminform"].form["doors_at"].help_text == "Time at the place of the event, in its time zone."
    assert refused.context["adminform"].form.errors == {"time_zone": ["This field is required."]}
    assert list(Event.objects.all()) == [event]


def test_new_tier_without_a_short_name_gets_one_of_its_name(desk: Client, event: Event):
    new = {"name": "Floor (General Admission)", "slug": "", "price": 150, "quantity": 5, "position": 0}
    nameless = {**new, "name": "上層"}

    refused = desk.post(page_of(event), form_of(event, **tier_fields([nameless])))
    assert errors_in(refused) == ["Please give a short name of letters and digits."]
    assert not event.tiers.exists()

    assert desk.post(page_of(event), form_of(event, **tier_fields([new]))).status_code == 302
    assert [tier.slug for tier in event.tiers.all()] == ["floor-general-admission"]


def test_time_that_no_clock_shows_is_refused(desk: Client, event: Event):
    before = Event.objects.values().get(pk=event.pk)
    gap = "2027-03-14T02:30"
    form = form_of(event, time_zone="America/New_York", doors_at=gap, starts_at=gap)
    assert "couldn’t be interpreted in time zone America/New_York" in errors_in(desk.post(page_of(event), form))[0]
    assert Event.objects.values().get(pk=event.pk) == before


def test_doors_after_the_start_are_refused_in_plain_words(desk: Client, event: Event):
    before = Event.objects.values().get(pk=event.pk)
    form = form_of(event, doors_at="2030-01-01T21:00", starts_at="2030-01-01T20:00")
    assert errors_in(desk.post(page_of(event), form)) == ["The doors must open before the show starts."]
    assert Event.objects.values().get(pk=event.pk) == before


def test_venue_of_another_organizer_is_refused(client: Client, admin_user: User, event: Event):
    client.force_login(admin_user)
    form = form_of(event, venue=VenueFactory().pk)
    assert errors_in(client.post(page_of(event), form)) == ["This venue belongs to another organizer."]
    event.refresh_from_db()
    assert event.venue.organizer == event.organizer


def test_form_changes_only_what_was_changed_in_it(desk: Client, event: Event, floor: Tier, monkeypatch: Any):
    form = form_of(event, name="Fall Tour, moved", **{"tiers-0-description": "Standing"})
    save_model = EventAdmin.save_model

    def save_while_the_sale_goes_on(*args: Any, **kwargs: Any) -> None:
        Event.objects.filter(pk=event.pk).update(status="cancelled", description="Sorry")
        Tier.objects.filter(pk=floor.pk).update(sold_count=7, reserved_count=2)
        save_model(*args, **kwargs)

    monkeypatch.setattr(EventAdmin, "save_model", save_while_the_sale_goes_on)
    assert desk.post(page_of(event), form).status_code == 302
    event.refresh_from_db()
    floor.refresh_from_db()
    assert (event.name, event.status, event.description) == ("Fall Tour, moved", "cancelled", "Sorry")
    assert (floor.description, floor.sold_count, floor.reserved_count) == ("Standing", 7, 2)


def test_quantity_goes_down_to_the_floor_and_not_beneath(desk: Client, event: Event, floor: Tier):
    Tier.objects.filter(pk=floor.pk).update(sold_count=30, reserved_count=5, set_aside_count=2)
    sentence = "The quantity cannot be lower than 37: so many are sold, reserved or set aside."
    refused = desk.post(page_of(event), form_of(event, **{"tiers-0-quantity": 36, "tiers-0-price": "1.00"}))
    assert errors_in(refused) == [sentence]
    floor.refresh_from_db()
    assert (floor.quantity, floor.price) == (100, Decimal(150))
    assert desk.post(page_of(event), form_of(event, **{"tiers-0-quantity": 37})).status_code == 302
    floor.refresh_from_db()
    assert floor.quantity == 37


@pytest.mark.django_db(transaction=True)
def test_quantity_that_sales_overtake_while_it_is_saved_is_refused_beside_the_field(
    desk: Client, event: Event, floor: Tier, monkeypatch: Any
):
    change_quantity = services.change_quantity

    def sell() -> None:
        Tier.objects.filter(pk=floor.pk).update(sold_count=60)
        connection.close()

    def change_after_a_sale(tier: Tier, quantity: int) -> None:
        sale = Thread(target=sell)
        sale.start()
        sale.join()
        change_quantity(tier, quantity)

    monkeypatch.setattr(services, "change_quantity", change_after_a_sale)
    refused = desk.post(page_of(event), form_of(event, name="Not this one", **{"tiers-0-quantity": 50}))
    assert errors_in(refused) == ["The quantity cannot be lower than 60: so many are sold, reserved or set aside."]
    event.refresh_from_db()
    floor.refresh_from_db()
    assert (event.name, floor.quantity, floor.sold_count) == ("Fall Tour", 100, 60)


def test_counters_and_status_are_shown_and_cannot_be_sent(desk: Client, event: Event, floor: Tier):
    Tier.objects.filter(pk=floor.pk).update(sold_count=3, reserved_count=2)
    html = desk.get(page_of(event)).content.decode()
    assert "3 sold, 2 reserved, 0 returned, 0 set aside, 95 left" in html
    forged = {"status": "draft", "tiers-0-sold_count": 0, "tiers-0-reserved_count": 0}
    assert desk.post(page_of(event), form_of(event, **forged)).status_code == 302
    event.refresh_from_db()
    floor.refresh_from_db()
    assert (event.status, floor.sold_count, floor.reserved_count) == ("published", 3, 2)


def test_tiers_beyond_the_venue_s_capacity_are_a_warning(desk: Client, event: Event, floor: Tier):
    Venue.objects.filter(pk=event.venue_id).update(capacity=100)
    assert len(messages_in(desk.post(page_of(event), form_of(event), follow=True))) == 1
    response = desk.post(page_of(event), form_of(event, **{"tiers-0-quantity": 101}), follow=True)
    assert "The tiers have 101 tickets, more than the 100 people the venue holds." in messages_in(response)
    floor.refresh_from_db()
    assert floor.quantity == 101


def test_perks_are_entered_one_a_line(desk: Client, event: Event, floor: Tier):
    desk.post(page_of(event), form_of(event, **{"tiers-0-perks": "Meet & Greet\r\n\r\n  Early entry \r\n"}))
    floor.refresh_from_db()
    assert floor.perks == ["Meet & Greet", "Early entry"]


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [("publish", "draft", "published"), ("cancel", "published", "cancelled")],
)
def test_action_asks_first_and_then_does_what_it_says(desk: Client, event: Event, action: str, before: str, after: str):
    Event.objects.filter(pk=event.pk).update(status=before)
    address = f"/admin/events/event/{event.pk}/{action}/"
    assert address in desk.get(page_of(event)).content.decode()
    assert "?" in desk.get(address).content.decode()
    event.refresh_from_db()
    assert event.status == before
    response = desk.post(address, {"_form_submitted": "True"}, follow=True)
    assert len(messages_in(response)) == 1
    event.refresh_from_db()
    assert event.status == after
    assert address not in response.content.decode()


def test_cancelled_event_is_not_published_again(desk: Client, event: Event):
    Event.objects.filter(pk=event.pk).update(status="cancelled")
    response = desk.post(f"/admin/events/event/{event.pk}/publish/", {"_form_submitted": "True"}, follow=True)
    assert messages_in(response) == ["The event is cancelled, and stays so."]
    event.refresh_from_db()
    assert event.status == "cancelled"


def test_event_with_a_queue_is_not_deleted(desk: Client, event: Event, queue: Queue):
    response = desk.post(page_of(event, "delete"), {"post": "yes"}, follow=True)
    assert messages_in(response) == ["“Fall Tour” cannot be deleted: it has queues."]
    assert Event.objects.filter(pk=event.pk).exists()


def test_event_with_sales_says_what_it_has(desk: Client, event: Event, queue: Queue):
    OrderFactory(admission__queue=queue)
    response = desk.get(page_of(event, "delete"), follow=True)
    assert messages_in(response) == ["“Fall Tour” cannot be deleted: it has queues and orders."]


def test_event_without_sales_is_deleted_with_its_tiers(desk: Client, event: Event, floor: Tier):
    assert desk.post(page_of(event, "delete"), {"post": "yes"}).status_code == 302
    assert (Event.objects.count(), Tier.objects.count()) == (0, 0)


def test_tier_that_a_queue_names_is_not_deleted(desk: Client, event: Event, queue: Queue, floor: Tier, vip: Tier):
    queue.tiers.add(vip)
    response = desk.post(page_of(event), form_of(event, **{"tiers-0-DELETE": "on"}))
    assert "“VIP” cannot be deleted: it has queues." in errors_in(response)
    assert list(queue.open_tiers()) == [vip]
    # The other one is nobody's.
    assert desk.post(page_of(event), form_of(event, **{"tiers-1-DELETE": "on"})).status_code == 302
    assert list(event.tiers.all()) == [vip]


def test_list_shows_times_in_the_event_s_zone_and_in_utc(desk: Client, event: Event):
    Event.objects.filter(pk=event.pk).update(
        doors_at=datetime(2026, 11, 14, 0, tzinfo=UTC),
        starts_at=datetime(2026, 11, 14, 1, tzinfo=UTC),
        time_zone="America/New_York",
    )
    assert "Fri, Nov 13, 8:00 PM EST (01:00 UTC)" in desk.get(EVENTS).content.decode()


def test_list_asks_the_database_as_often_for_three_events_as_for_one(
    desk: Client, event: Event, organizer: Organizer, django_assert_num_queries: DjangoAssertNumQueries
):
    desk.get(EVENTS)
    for _ in range(2):
        # Session and user; organizers; the count and the page; the filter's venues.
        with django_assert_num_queries(6):
            assert desk.get(EVENTS).status_code == 200
        TierFactory.create_batch(2, event=EventFactory(organizer=organizer))
        EventFactory(organizer=organizer)
