from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from events import services
from events.models import Event, Tier
from tests.factories import EventFactory, TierFactory, VenueFactory

pytestmark = pytest.mark.django_db


def assert_constraint(row: models.Model, name: str, **changes: object) -> None:
    """Assert that the database itself refuses `changes`, by the constraint `name`."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    with pytest.raises(IntegrityError, match=f'"{name}"'), transaction.atomic():
        rows.update(**changes)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("tier_never_oversold", {"sold_count": 5, "reserved_count": 5, "set_aside_count": 1}),
        ("tier_never_oversold", {"sold_count": 11, "returned_count": 0}),
        ("tier_never_oversold", {"quantity": 4, "reserved_count": 5}),
        ("tier_returns_only_what_was_sold", {"sold_count": 1, "returned_count": 2}),
        ("tier_price_is_not_negative", {"price": Decimal("-0.01")}),
        ("events_tier_reserved_count_check", {"reserved_count": -1}),
    ],
)
def test_tier_is_kept_by_its_constraints(name: str, changes: dict[str, object]):
    assert_constraint(TierFactory(quantity=10), name, **changes)


def test_tier_may_sell_what_was_returned_once_more():
    tier = TierFactory(quantity=10)

    Tier.objects.filter(pk=tier.pk).update(sold_count=10, returned_count=2, reserved_count=1, set_aside_count=1)

    tier.refresh_from_db()
    assert (tier.available, tier.lowest_quantity, tier.is_sold_out) == (0, 12, False)


def test_tier_has_a_short_name_of_its_own_in_an_event(floor: Tier):
    TierFactory(slug="floor")

    with pytest.raises(IntegrityError, match='"tier_has_its_own_short_name_in_an_event"'), transaction.atomic():
        TierFactory(event=floor.event, slug="floor")

    assert Tier.objects.filter(slug="floor").count() == 2


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("event_doors_open_before_it_starts", {"doors_at": datetime(2100, 1, 1, tzinfo=UTC)}),
        ("event_sells_at_least_one_ticket", {"max_tickets_per_order": 0}),
        ("event_allows_at_least_one_order", {"max_orders_per_customer": 0}),
        ("event_fee_is_a_share", {"service_fee_percent": Decimal("100.01")}),
        ("event_fee_is_a_share", {"service_fee_percent": Decimal("-0.01")}),
    ],
)
def test_event_is_kept_by_its_constraints(event: Event, name: str, changes: dict[str, object]):
    assert_constraint(event, name, **changes)


@pytest.mark.parametrize(
    ("numbers", "available", "is_sold_out"),
    [
        ({}, 10, False),
        ({"sold_count": 9}, 1, False),
        ({"sold_count": 10}, 0, True),
        ({"sold_count": 9, "reserved_count": 1}, 0, False),
        ({"sold_count": 9, "set_aside_count": 1}, 0, False),
        ({"sold_count": 10, "returned_count": 1}, 1, False),
    ],
)
def test_tier_is_sold_out_when_all_is_sold_and_not_merely_reserved(
    numbers: dict[str, int], available: int, is_sold_out: bool
):
    tier = TierFactory(quantity=10, **numbers)

    assert (tier.available, tier.is_sold_out) == (available, is_sold_out)
    assert Tier.objects.on_hand().filter(pk=tier.pk).exists() is (available > 0)


def test_tier_is_released_from_its_release_on():
    now = timezone.now()
    tier = TierFactory.build(release_at=now)

    seen = [tier.is_released(now + timedelta(microseconds=step)) for step in (-1, 0, 1)]

    assert (seen, TierFactory.build(release_at=None).is_released(now)) == ([False, True, True], True)


def test_released_tiers_are_those_whose_time_has_come(event: Event):
    now = timezone.now()
    always = TierFactory(event=event)
    past = TierFactory(event=event, release_at=now - timedelta(seconds=1))
    TierFactory(event=event, release_at=now + timedelta(minutes=1))

    assert set(Tier.objects.released()) == {always, past}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("time_zone", "Mars/Olympus", "“Mars/Olympus” is not a time zone such as Europe/Berlin."),
        ("currency", "US$", "“US$” is not a currency code such as USD."),
        ("service_fee_percent", Decimal("100.5"), "Ensure this value is less than or equal to 100."),
        ("max_tickets_per_order", 0, "Ensure this value is greater than or equal to 1."),
    ],
)
def test_event_says_which_field_makes_no_sense(event: Event, field: str, value: object, sentence: str):
    setattr(event, field, value)

    with pytest.raises(ValidationError) as refused:
        event.full_clean()

    assert refused.value.message_dict == {field: [sentence]}


@pytest.mark.parametrize("perks", ["Early entry", [1], ["Early entry", " "], {"a": "b"}])
def test_perks_are_a_list_of_short_texts(floor: Tier, perks: object):
    floor.perks = perks

    with pytest.raises(ValidationError) as refused:
        floor.full_clean()

    assert refused.value.message_dict == {"perks": ["Perks are a list of short texts."]}


def test_event_search_finds_every_word_in_name_venue_or_city():
    garden = VenueFactory(name="Garden", city="New York")
    one = EventFactory(name="Fall Tour", venue=garden)
    two = EventFactory(name="Winter Tour", venue=garden)
    EventFactory(name="Fall Fair", venue__name="Hall", venue__city="Bonn")

    assert set(Event.objects.matching("tour YORK")) == {one, two}
    assert set(Event.objects.matching("fall garden")) == {one}
    assert Event.objects.matching("").count() == 3


def test_draft_is_not_public_and_a_cancelled_event_explains_itself(event: Event):
    cancelled = EventFactory(status=Event.Status.CANCELLED)
    EventFactory(status=Event.Status.DRAFT)

    assert set(Event.objects.published()) == {event, cancelled}


def test_price_range_is_that_of_the_tiers(event: Event, floor: Tier, vip: Tier):
    found = vars(Event.objects.with_price_range().get(pk=event.pk))

    assert (found["lowest_price"], found["highest_price"]) == (Decimal("150.00"), Decimal("499.99"))


def test_publishing_a_draft_makes_it_public():
    draft = EventFactory(status=Event.Status.DRAFT)

    services.publish_event(draft)

    assert Event.objects.published().get() == draft


def test_cancelled_event_is_not_published_again():
    cancelled = EventFactory(status=Event.Status.CANCELLED)

    with pytest.raises(services.EventCancelled):
        services.publish_event(cancelled)

    assert Event.objects.get().status == Event.Status.CANCELLED
