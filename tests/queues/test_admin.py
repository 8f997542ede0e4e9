from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organizer, User
from events.models import Event, Tier, Venue
from queues import services
from queues.conditions import CardProgramme
from queues.models import Phase, Queue
from tests.events.test_admin import form_of as event_form_of
from tests.factories import (
    AdmissionFactory,
    EventFactory,
    MembershipFactory,
    QueueFactory,
    TierFactory,
)

pytestmark = pytest.mark.django_db

QUEUES = reverse("admin:queues_queue_changelist")
ADMISSIONS = reverse("admin:queues_admission_changelist")
ASKED = {"_form_submitted": "True"}


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """Ada at her desk."""
    client.force_login(ada)
    return client


def act(desk: Client, queue: Queue, action: str) -> list[str]:
    """Press a button of the queue's page and confirm; returns what the page then says."""
    desk.get(QUEUES)  # where older messages are said
    response = desk.post(f"/admin/queues/queue/{queue.pk}/{action}/", ASKED, follow=True)
    queue.refresh_from_db()
    return [str(message) for message in response.context["messages"]]


def offered(desk: Client, queue: Queue) -> list[str]:
    html = desk.get(f"/admin/queues/queue/{queue.pk}/change/").content.decode()
    names = ("publish", "open_now", "pause", "resume", "close")
    return [name for name in names if f"/admin/queues/queue/{queue.pk}/{name}/" in html]


def form_of(event: Event, **changes: Any) -> dict[str, Any]:
    return {
        "event": event.pk,
        "name": "Presale",
        "slug": "presale",
        "kind": "presale",
        "require_authentication": "on",
        "scheduled_start": "2030-09-01T10:00",
        "max_concurrent_admissions": 200,
        "admission_window_seconds": 600,
        "admission_rate_per_minute": 300,
        "claim_window_seconds": 0,
        "captcha_threshold": "medium",
        "metadata": "{}",
        "access_codes-TOTAL_FORMS": 0,
        "access_codes-INITIAL_FORMS": 0,
        **changes,
    }


def errors_in(response: Any) -> list[str]:
    return [str(error) for errors in response.context["errors"] for error in errors]


def test_organiser_sets_up_the_reference_s_event_and_sale_in_the_admin_alone(desk: Client, organizer: Organizer):
    desk.post(
        "/admin/events/venue/add/",
        {"organizer": organizer.pk, "name": "Madison Square Garden", "city": "New York, NY", "capacity": 20000},
    )
    rows = [
        ("VIP Experience", "vip", 500, 500, "Meet & Greet\r\nEarly entry\r\nExclusive merch\r\nPremium seating"),
        ("Floor (General Admission)", "floor", 150, 5000, ""),
        ("Lower Bowl", "lower-bowl", 100, 8000, ""),
        ("Upper Bowl", "upper-bowl", 60, 6500, ""),
    ]
    names = ("name", "slug", "price", "quantity", "perks")
    tiers = {f"tiers-{n}-{name}": value for n, row in enumerate(rows) for name, value in zip(names, row, strict=True)}
    positions = {f"tiers-{n}-position": n for n in range(4)}
    event_form = {
        "organizer": organizer.pk,
        "venue": Venue.objects.get().pk,
        "name": "Fall Tour 2024 - New York",
        "slug": "concert-2024-fall-tour",
        "time_zone": "America/New_York",
        "doors_at": "2030-11-15T19:00",
        "starts_at": "2030-11-15T20:00",
        "currency": "USD",
        "service_fee_percent": 10,
        "max_tickets_per_order": 4,
        "max_orders_per_customer": 1,
        "require_identification": "on",
        "tickets_non_transferable": "on",
        "require_buyer_attendance": "on",
        "tickets_released_hours_before": 48,
        "transfer_cutoff_hours_before": 24,
        "tiers-TOTAL_FORMS": 4,
        "tiers-INITIAL_FORMS": 0,
    }
    assert desk.post("/admin/events/event/add/", {**event_form, **tiers, **positions}).status_code == 302
    event = Event.objects.get()
    queue_form = form_of(event, name="General Sale", slug="tickets-concert-2024-fall-tour", kind="general")
    assert desk.post("/admin/queues/queue/add/", queue_form).status_code == 302
    queue = Queue.objects.get()

    assert act(desk, queue, "publish") == ["Publish the event first, and give it at least one tier."]
    desk.post(f"/admin/events/event/{event.pk}/publish/", ASKED)
    assert act(desk, queue, "publish") == ["General Sale: Published."]

    event.refresh_from_db()
    assert (event.status, event.starts_at) == ("published", datetime(2030, 11, 16, 1, tzinfo=UTC))
    assert queue.scheduled_start == datetime(2030, 9, 1, 14, tzinfo=UTC)
    assert queue.phase(timezone.now()) == Phase.SCHEDULED
    assert (event.require_identification, event.tickets_non_transferable, event.require_buyer_attendance) == (
        True,
        True,
        True,
    )
    assert list(event.tiers.in_order().values_list("slug", "price", "quantity", "perks")) == [
        ("vip", Decimal(500), 500, ["Meet & Greet", "Early entry", "Exclusive merch", "Premium seating"]),
        ("floor", Decimal(150), 5000, []),
        ("lower-bowl", Decimal(100), 8000, []),
        ("upper-bowl", Decimal(60), 6500, []),
    ]
    assert list(queue.open_tiers().in_order()) == list(event.tiers.in_order())


def test_queue_passes_through_its_phases_by_the_buttons_of_its_page(desk: Client, queue: Queue):
    Queue.objects.filter(pk=queue.pk).update(published_at=None, scheduled_start=timezone.now() + timedelta(days=1))
    steps = [
        (["publish"], "publish", Phase.SCHEDULED),
        (["open_now", "pause", "close"], "open_now", Phase.OPEN),
        (["pause", "close"], "pause", Phase.PAUSED),
        (["resume", "close"], "resume", Phase.OPEN),
        (["pause", "close"], "close", Phase.CLOSED),
    ]
    for buttons, action, phase in steps:
        assert offered(desk, queue) == buttons
        assert len(act(desk, queue, action)) == 1
        assert Queue.objects.select_related("event").get(pk=queue.pk).phase(timezone.now()) == phase
    assert offered(desk, queue) == []


def test_button_asks_before_it_does_anything(desk: Client, queue: Queue):
    waiting = AdmissionFactory(queue=queue)
    question = desk.get(f"/admin/queues/queue/{queue.pk}/close/").content.decode()
    assert "Close this queue for good?" in question
    assert "This cannot be undone." in question
    queue.refresh_from_db()
    waiting.refresh_from_db()
    assert (queue.closed_at, waiting.status) == (None, "waiting")


def test_closing_frees_whoever_waits_and_leaves_whoever_is_inside(desk: Client, queue: Queue):
    waiting, inside = AdmissionFactory(queue=queue), AdmissionFactory(queue=queue, admitted=True)
    assert act(desk, queue, "close") == ["General sale: Closed."]
    assert services.free_next_fans() == (queue.pk, 1)
    waiting.refresh_from_db()
    inside.refresh_from_db()
    assert (waiting.status, inside.status) == ("denied", "admitted")


@pytest.mark.parametrize("action", ["open_now", "pause", "resume"])
def test_button_of_a_closed_queue_is_refused_in_plain_words(desk: Client, queue: Queue, action: str):
    services.close_queue(queue)
    before = Queue.objects.values().get(pk=queue.pk)
    assert act(desk, queue, action) == ["This sale is closed."]
    assert Queue.objects.values().get(pk=queue.pk) == before


@pytest.mark.parametrize("action", ["open_now", "pause", "resume"])
def test_button_of_an_unpublished_queue_is_refused_in_plain_words(desk: Client, queue: Queue, action: str):
    Queue.objects.filter(pk=queue.pk).update(published_at=None, scheduled_start=timezone.now() + timedelta(days=1))
    before = Queue.objects.values().get(pk=queue.pk)
    assert act(desk, queue, action) == ["Publish the queue first: nobody can see it yet."]
    assert Queue.objects.values().get(pk=queue.pk) == before


def test_opening_now_opens_a_later_lobby_too(desk: Client, queue: Queue):
    tomorrow = timezone.now() + timedelta(days=1)
    Queue.objects.filter(pk=queue.pk).update(lobby_opens_at=tomorrow, scheduled_start=tomorrow + timedelta(hours=1))
    assert act(desk, queue, "open_now") == ["General sale: Open."]
    assert queue.lobby_opens_at == queue.scheduled_start


def test_times_are_in_the_zone_of_the_chosen_event(desk: Client, event: Event, floor: Tier):
    Event.objects.filter(pk=event.pk).update(time_zone="Asia/Tokyo")
    form = form_of(event, scheduled_end="2030-09-01T12:30", lobby_opens_at="2030-09-01T09:00")
    assert desk.post("/admin/queues/queue/add/", form).status_code == 302
    queue = Queue.objects.get()
    assert (queue.lobby_opens_at, queue.scheduled_start, queue.scheduled_end) == (
        datetime(2030, 9, 1, 0, tzinfo=UTC),
        datetime(2030, 9, 1, 1, tzinfo=UTC),
        datetime(2030, 9, 1, 3, 30, tzinfo=UTC),
    )
    html = desk.get(f"/admin/queues/queue/{queue.pk}/change/").content.decode()
    assert 'value="2030-09-01T10:00"' in html
    assert "Time in Asia/Tokyo; saved: 2030-09-01 01:00 UTC." in html


def test_form_says_in_plain_words_what_times_cannot_be(desk: Client, event: Event):
    form = form_of(event, scheduled_end="2030-09-01T09:00", lobby_opens_at="2030-09-01T11:00")
    assert errors_in(desk.post("/admin/queues/queue/add/", form)) == [
        "A queue must open before it closes.",
        "The lobby must open before the queue does.",
    ]
    assert Queue.objects.count() == 0


def test_form_offers_sensible_settings(desk: Client):
    form = desk.get("/admin/queues/queue/add/").context["adminform"].form
    names = ("max_concurrent_admissions", "admission_window_seconds", "admission_rate_per_minute")
    assert [form[name].value() for name in names] == [200, 600, 300]


def test_queue_opens_only_tiers_of_its_own_event(desk: Client, organizer: Organizer, event: Event, floor: Tier):
    other = TierFactory(event=EventFactory(organizer=organizer))
    refused = desk.post("/admin/queues/queue/add/", form_of(event, tiers=[other.pk]))
    assert len(errors_in(refused)) == 1
    assert Queue.objects.count() == 0
    assert desk.post("/admin/queues/queue/add/", form_of(event, tiers=[floor.pk])).status_code == 302
    queue = Queue.objects.get()
    assert list(queue.open_tiers()) == [floor]
    shown = desk.get(f"/admin/queues/queue/{queue.pk}/change/").context["adminform"].form.fields["tiers"].queryset
    assert list(shown) == [floor]


def test_form_changes_only_what_was_changed_in_it(desk: Client, queue: Queue, monkeypatch: Any):
    opened = queue.scheduled_start
    form = form_of(
        queue.event, name="Sale", slug=queue.slug, kind=queue.kind, scheduled_start=f"{opened:%Y-%m-%dT%H:%M}"
    )
    save = Queue.save

    def save_after_a_pause(self: Queue, **fields: Any) -> None:
        services.pause_queue(self)
        save(self, **fields)

    monkeypatch.setattr(Queue, "save", save_after_a_pause)
    assert desk.post(f"/admin/queues/queue/{queue.pk}/change/", form).status_code == 302
    queue.refresh_from_db()
    assert (queue.name, queue.is_paused, queue.scheduled_start) == ("Sale", True, opened)


def test_event_of_a_queue_stays(desk: Client, organizer: Organizer, queue: Queue):
    form = form_of(EventFactory(organizer=organizer), slug=queue.slug)
    assert desk.post(f"/admin/queues/queue/{queue.pk}/change/", form).status_code == 302
    event = queue.event
    queue.refresh_from_db()
    assert queue.event == event


def test_queue_with_fans_is_not_deleted(desk: Client, queue: Queue):
    AdmissionFactory(queue=queue)
    response = desk.post(f"/admin/queues/queue/{queue.pk}/delete/", {"post": "yes"}, follow=True)
    said = [str(message) for message in response.context["messages"]]
    assert said == ["“General sale” cannot be deleted: it has admissions."]
    assert Queue.objects.count() == 1


def test_queue_that_nobody_joined_is_deleted(desk: Client, queue: Queue):
    assert desk.post(f"/admin/queues/queue/{queue.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Queue.objects.count() == 0


def test_list_counts_who_waits_and_who_is_inside(desk: Client, queue: Queue):
    AdmissionFactory.create_batch(3, queue=queue)
    AdmissionFactory.create_batch(2, queue=queue, admitted=True)
    AdmissionFactory(queue=queue, status="left")
    shown = desk.get(QUEUES).context["cl"].result_list[0]
    assert (shown.waiting_count, shown.admitted_count) == (3, 2)
    html = desk.get(QUEUES).content.decode()
    assert "Open" in html
    assert f"({queue.scheduled_start:%H:%M} UTC)" in html


@pytest.mark.parametrize(("address", "queries"), [(QUEUES, 6), (ADMISSIONS, 5)])
def test_list_asks_the_database_as_often_for_three_rows_as_for_one(
    desk: Client, queue: Queue, address: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries
):
    AdmissionFactory(queue=queue)
    desk.get(address)
    for _ in range(2):
        with django_assert_num_queries(queries):
            assert desk.get(address).status_code == 200
        for _ in range(2):
            AdmissionFactory(queue=QueueFactory(event=EventFactory(organizer=queue.event.organizer)))


def test_admissions_are_found_by_e_mail_and_status(desk: Client, queue: Queue, ben: User):
    AdmissionFactory(queue=queue, user=ben)
    AdmissionFactory.create_batch(2, queue=queue, admitted=True)
    assert list(desk.get(ADMISSIONS, {"q": "ben@"}).context["cl"].result_list.values_list("user", flat=True)) == [
        ben.pk
    ]
    assert desk.get(ADMISSIONS, {"status__exact": "admitted"}).context["cl"].result_count == 2


def test_admission_is_read_only(desk: Client, queue: Queue):
    row = AdmissionFactory(queue=queue)
    page = f"/admin/queues/admission/{row.pk}/change/"
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"status": "admitted"}).status_code == 403
    assert desk.post(f"/admin/queues/admission/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.get("/admin/queues/admission/add/").status_code == 403
    row.refresh_from_db()
    assert row.status == "waiting"


def test_form_of_one_house_does_not_take_rows_of_another(client: Client, event: Event, queue: Queue):
    stranger = MembershipFactory()
    client.force_login(stranger.user)
    own = EventFactory(organizer=stranger.organizer)
    refused = client.post("/admin/queues/queue/add/", form_of(event))
    assert len(errors_in(refused)) == 1
    tier = queue.open_tiers().first()
    assert tier is not None
    assert len(errors_in(client.post("/admin/queues/queue/add/", form_of(own, tiers=[tier.pk])))) == 1
    assert list(Queue.objects.all()) == [queue]
    offered = client.get("/admin/queues/queue/add/").context["adminform"].form.fields
    assert list(offered["event"].queryset) == [own]
    assert list(offered["tiers"].queryset) == []


def without_account(event: Event, **changes: Any) -> dict[str, Any]:
    asked = form_of(event, **changes)
    del asked["require_authentication"]
    return asked


def test_queue_may_be_joined_without_an_account_where_nothing_asks_for_one(desk: Client, event: Event):
    assert desk.post("/admin/queues/queue/add/", without_account(event)).status_code == 302
    assert Queue.objects.get().require_authentication is False


def test_queue_asks_for_an_account_where_something_asks_for_one(desk: Client, event: Event):
    card = CardProgramme.objects.create(name="Gold", slug="gold")
    forms = [
        without_account(event, require_access_code="on"),
        without_account(event, guests="example.org"),
        without_account(event, eligible_cards=[card.pk]),
    ]
    found = [errors_in(desk.post("/admin/queues/queue/add/", form)) for form in forms]
    Event.objects.update(require_identification=True)
    found.append(errors_in(desk.post("/admin/queues/queue/add/", without_account(event))))

    only_an_account = "Only an account can show that: let this queue ask for one, or leave this empty."
    assert found == [
        ["A code is used by an account: let this queue ask for both, or for neither."],
        [only_an_account],
        [only_an_account],
        ["The event asks who its fans are: they need an account."],
    ]
    assert Queue.objects.count() == 0


def test_event_does_not_ask_for_identities_while_a_queue_asks_for_no_account(desk: Client, queue: Queue):
    Queue.objects.update(require_authentication=False)
    page = f"/admin/events/event/{queue.event.pk}/change/"
    form = event_form_of(queue.event, require_identification="on")

    refused = errors_in(desk.post(page, form))
    is_asked = Event.objects.get().require_identification
    Queue.objects.update(require_authentication=True)

    assert refused == ["A queue of this event can be joined without an account. Let it ask for one first."]
    assert (is_asked, desk.post(page, form).status_code) == (False, 302)
    assert Event.objects.get().require_identification is True


def test_lists_show_a_visitor_without_an_account(desk: Client, queue: Queue):
    row = AdmissionFactory(queue=queue, user=None, visitor=uuid4())

    for page in (ADMISSIONS, QUEUES, f"/admin/queues/admission/{row.pk}/change/"):
        assert desk.get(page).status_code == 200
