import json
import time

import pytest
import redis
from django.test import Client
from django.utils import timezone

from events import availability, services
from events.availability import TierAvailability
from events.models import Event, Tier
from tests.factories import EventFactory

pytestmark = pytest.mark.django_db


def left(event: Event) -> dict[str, int]:
    return {tier.tier: tier.available for tier in availability.read(event).tiers}


def set_reserved(tier: Tier, number: int) -> None:
    """Change the stock behind the services' back, so that nobody says that it has changed."""
    Tier.objects.filter(pk=tier.pk).update(reserved_count=number)


def key(event: Event) -> str:
    return f"availability:{event.pk}"


def test_availability_tells_each_tier_in_the_order_of_the_page(event: Event, floor: Tier, vip: Tier):
    set_reserved(floor, 96)
    set_reserved(vip, 5)

    assert availability.read(event).tiers == [TierAvailability("vip", 0, "gone"), TierAvailability("floor", 4, "few")]


def test_availability_is_kept_for_ten_seconds(event: Event, floor: Tier, redis_client: redis.Redis):
    assert left(event) == {"floor": 100}
    set_reserved(floor, 40)

    assert left(event) == {"floor": 100}
    assert 9_000 < redis_client.pttl(key(event)) <= 10_000


def test_availability_is_read_anew_when_what_was_kept_has_run_out(event: Event, floor: Tier, redis_client: redis.Redis):
    left(event)
    set_reserved(floor, 40)
    redis_client.pexpire(key(event), 1)
    time.sleep(0.01)

    assert left(event) == {"floor": 60}


def test_availability_is_kept_for_a_second_at_most_after_a_change(
    event: Event, floor: Tier, redis_client: redis.Redis, django_capture_on_commit_callbacks
):
    left(event)

    with django_capture_on_commit_callbacks(execute=True):
        services.hold_stock({floor: 1})

    assert 0 < redis_client.pttl(key(event)) <= 1_000


def test_change_that_is_rolled_back_is_not_noted(event: Event, floor: Tier, redis_client: redis.Redis):
    left(event)

    services.hold_stock({floor: 1})

    assert redis_client.pttl(key(event)) > 1_000


@pytest.mark.parametrize("times", [1, 3])
def test_further_changes_never_lengthen_what_is_kept(event: Event, redis_client: redis.Redis, times: int, floor: Tier):
    left(event)
    availability.mark_changed(event.pk)
    redis_client.pexpire(key(event), 300)

    for _ in range(times):
        availability.mark_changed(event.pk)

    assert 0 < redis_client.pttl(key(event)) <= 300


def test_reader_who_read_before_a_change_keeps_it_for_a_second_only(
    event: Event, floor: Tier, redis_client: redis.Redis
):
    old = availability.count(event, now=timezone.now())
    set_reserved(floor, 40)
    availability.mark_changed(event.pk)

    availability._keep(event.pk, old)

    assert 0 < redis_client.pttl(key(event)) <= 1_000


def test_change_is_remembered_as_long_as_a_reader_may_be_late(event: Event, redis_client: redis.Redis):
    availability.mark_changed(event.pk)

    assert 9_000 < redis_client.pttl(f"{key(event)}:changed") <= 10_000


def test_change_of_one_event_leaves_others_alone(event: Event, floor: Tier, redis_client: redis.Redis):
    other = EventFactory()
    availability.read(other)

    availability.mark_changed(event.pk)

    assert redis_client.pttl(key(other)) > 1_000


@pytest.mark.usefixtures("dead_redis")
def test_availability_comes_from_the_database_without_redis(event: Event, floor: Tier, caplog):
    assert left(event) == {"floor": 100}
    set_reserved(floor, 40)

    assert left(event) == {"floor": 60}
    assert "not read from Redis" in caplog.text


@pytest.mark.usefixtures("dead_redis")
def test_stock_moves_without_redis(event: Event, floor: Tier, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        services.hold_stock({floor: 1})

    assert left(event) == {"floor": 99}


@pytest.mark.parametrize(
    ("available", "level"),
    [(0, "gone"), (1, "few"), (5, "few"), (6, "some"), (25, "some"), (26, "plenty"), (100, "plenty")],
)
def test_level_says_in_one_word_how_much_is_left(available: int, level: str):
    assert availability.level_of(available, 100) == level


def test_api_tells_what_is_left(client: Client, event: Event, floor: Tier):
    answer = client.get(f"/api/v1/events/{event.slug}/availability/")

    told = json.loads(answer.content)
    assert told == {"tiers": [{"tier": "floor", "available": 100, "level": "plenty"}], "as_of": told["as_of"]}
    assert (answer.status_code, answer["Cache-Control"]) == (200, "public, max-age=1")


def test_api_does_not_tell_about_a_draft(client: Client):
    draft = EventFactory(status=Event.Status.DRAFT)

    assert client.get(f"/api/v1/events/{draft.slug}/availability/").status_code == 404
