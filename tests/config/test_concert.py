from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership, Organizer, User
from config.concert import ACCOUNTS, EVENT_SLUG, FAN, QUEUE_SLUG, RECITAL_SLUG, load_concert
from events.models import Event, Tier, Venue
from queues.conditions import AccessCode, CardPrefix, CardProgramme
from queues.models import Phase, Queue

pytestmark = pytest.mark.django_db

LINES = [
    "organiser: ada@example.com / curtain-rises-at-eight",
    "fan: ben@example.com / front-row-on-friday",
    "superuser: root@example.com / keys-to-the-whole-house",
]
NOW = datetime(2026, 9, 30, 12, 0, tzinfo=UTC)


def run() -> list[str]:
    out = StringIO()
    call_command("load_concert", stdout=out)
    return out.getvalue().splitlines()


def everything() -> dict[str, list[dict]]:
    models: list[type[Model]] = [
        User,
        Membership,
        Organizer,
        Venue,
        Event,
        Tier,
        Queue,
        AccessCode,
        CardProgramme,
        CardPrefix,
    ]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def test_concert_is_the_one_of_the_reference():
    load_concert(now=NOW)
    event = Event.objects.select_related("venue").get(slug=EVENT_SLUG)
    assert (event.name, event.venue.name, event.venue.city, event.venue.capacity) == (
        "Fall Tour 2024 - New York",
        "Madison Square Garden",
        "New York, NY",
        20000,
    )
    assert list(event.tiers.in_order().values_list("name", "slug", "price", "quantity", "description", "perks")) == [
        (
            "VIP Experience",
            "vip",
            Decimal(500),
            500,
            "Premium seating + meet & greet",
            ["Meet & Greet", "Early entry", "Exclusive merch", "Premium seating"],
        ),
        ("Floor (General Admission)", "floor", Decimal(150), 5000, "Standing floor access", []),
        ("Lower Bowl", "lower-bowl", Decimal(100), 8000, "Lower level reserved seating", []),
        ("Upper Bowl", "upper-bowl", Decimal(60), 6500, "Upper level reserved seating", []),
    ]
    assert (event.max_tickets_per_order, event.max_orders_per_customer) == (4, 1)
    assert (event.require_identification, event.tickets_non_transferable, event.require_buyer_attendance) == (
        True,
        True,
        True,
    )


def test_concert_begins_at_eight_in_new_york_on_a_friday_after_the_clocks_have_changed():
    load_concert(now=NOW)
    event = Event.objects.get(slug=EVENT_SLUG)
    # Six weeks on is a Wednesday in November, when New York is five hours behind UTC and not four.
    assert (event.doors_at, event.starts_at) == (
        datetime(2026, 11, 14, 0, 0, tzinfo=UTC),
        datetime(2026, 11, 14, 1, 0, tzinfo=UTC),
    )
    assert event.starts_at.astimezone(event.zone).isoformat() == "2026-11-13T20:00:00-05:00"


def test_concert_is_on_sale_at_once_as_in_the_reference():
    load_concert(now=NOW)
    queue = Queue.objects.select_related("event").get(slug=QUEUE_SLUG)
    assert queue.phase(NOW) == Phase.OPEN
    assert (queue.name, queue.kind, queue.fairness_mode) == (
        "Fall Tour 2024 - New York - General Sale",
        "general",
        "strict",
    )
    assert (queue.max_concurrent_admissions, queue.admission_window_seconds, queue.admission_rate_per_minute) == (
        200,
        600,
        300,
    )
    assert queue.metadata["total_tickets"] == 20000


def test_concert_of_a_demo_with_a_crowd_lets_fewer_in_but_changes_no_sale_that_is_there():
    call_command("load_concert", "--rate=30", stdout=StringIO())
    assert Queue.objects.get(slug=QUEUE_SLUG).admission_rate_per_minute == 30
    call_command("load_concert", stdout=StringIO())
    assert Queue.objects.get(slug=QUEUE_SLUG).admission_rate_per_minute == 30


def test_presales_were_on_the_three_days_before_as_in_the_reference():
    load_concert(now=NOW)
    presales = Queue.objects.filter(kind="presale").select_related("event").in_order()
    assert [
        (queue.slug, queue.scheduled_start, queue.scheduled_end, queue.max_concurrent_admissions) for queue in presales
    ] == [
        (f"presale-artist-{EVENT_SLUG}", hour(27, 10), hour(27, 22), 100),
        (f"presale-venue-{EVENT_SLUG}", hour(28, 10), hour(28, 22), 100),
        (f"presale-card-{EVENT_SLUG}", hour(29, 10), hour(29, 22), 150),
    ]
    assert {queue.phase(NOW) for queue in presales} == {Phase.CLOSED}
    assert [queue.require_access_code for queue in presales] == [True, True, False]
    assert list(AccessCode.objects.order_by("pk").values_list("queue", "code", "max_uses", "description")) == [
        (presales[0].pk, "FALLVIBES2024", 5000, "Artist fan club presale"),
        (presales[1].pk, "MSGVIP2024", 3000, "MSG member presale"),
    ]
    assert [sorted(card.slug for card in queue.eligible_cards.all()) for queue in presales] == [
        [],
        [],
        ["amex", "chase"],
    ]
    assert sorted(CardPrefix.objects.filter(programme__slug="amex").values_list("digits", flat=True)) == ["34", "37"]


def hour(day: int, hour: int) -> datetime:
    return datetime(2026, 9, day, hour, tzinfo=UTC)


def test_event_page_shows_the_open_sale_above_those_that_are_over(client: Client):
    load_concert(now=timezone.now())
    html = client.get(f"/events/{EVENT_SLUG}/").content.decode()
    names = ["General Sale", "Artist Presale", "Venue Presale", "Card Presale"]
    places = [html.index(f"{name}</h2>") for name in names]
    assert places == sorted(places)
    assert html.count("This sale is closed.") == 3


def test_recital_opens_at_ten_in_chicago_two_days_later():
    load_concert(now=NOW)
    queue = Queue.objects.select_related("event__venue").get(event__slug=RECITAL_SLUG)
    assert queue.phase(NOW) == Phase.SCHEDULED
    assert queue.scheduled_start == datetime(2026, 10, 2, 15, 0, tzinfo=UTC)
    assert queue.event.venue.city == "Chicago, IL"
    assert sum(tier.quantity for tier in queue.event.tiers.all()) == queue.event.venue.capacity


def test_accounts_are_printed_and_can_sign_in():
    assert run() == LINES
    rights = {}
    for account in ACCOUNTS:
        user = User.objects.get(email=account.email)
        assert user.check_password(account.password)
        assert user.is_email_verified
        assert user.is_identity_verified == (account is FAN)
        rights[account.part] = (user.is_staff, user.is_superuser, user.memberships.count())
    assert rights == {"organiser": (True, False, 1), "fan": (False, False, 0), "superuser": (True, True, 0)}
    assert Membership.objects.get().role == Membership.Role.OWNER


def test_second_run_changes_nothing_and_prints_the_same():
    run()
    User.objects.filter(email=FAN.email).update(name="Benjamin")
    Event.objects.filter(slug=EVENT_SLUG).update(name="Fall Tour, moved", slug="fall-tour")
    Tier.objects.filter(slug="vip").update(sold_count=3, quantity=400)
    Queue.objects.filter(slug=QUEUE_SLUG).update(paused_at=timezone.now() - timedelta(hours=1))
    Queue.objects.filter(event__slug=RECITAL_SLUG).update(slug="strings")
    Organizer.objects.update(slug="lanterns")
    before = everything()
    assert run() == LINES
    assert everything() == before


def test_load_refuses_outside_a_demo(settings: Settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="runs only with DEMO=1"):
        run()
    assert {name: len(rows) for name, rows in everything().items() if rows} == {}
