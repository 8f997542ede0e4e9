"""How stock moves."""

import pytest
from django.db import transaction

from accounts.refusals import Refusal
from events import services
from events.models import Event, Tier
from tests.factories import TierFactory

pytestmark = pytest.mark.django_db

Counts = tuple[int, int, int, int, int]


def counts(tier: Tier) -> Counts:
    """Return quantity, sold, reserved, returned, set aside as the database has them."""
    fields = ("quantity", "sold_count", "reserved_count", "returned_count", "set_aside_count")
    return Tier.objects.values_list(*fields).get(pk=tier.pk)


def tier_with(event: Event, **fields: object) -> Tier:
    return TierFactory(event=event, **fields)


def refusal_of(quantities: dict[Tier, int]) -> tuple[type[Refusal], str, dict]:
    with pytest.raises(Refusal) as refused, transaction.atomic():
        services.hold_stock(quantities)
    return type(refused.value), str(refused.value), refused.value.facts


def test_hold_reserves_tickets_of_each_tier(floor: Tier, vip: Tier):
    services.hold_stock({floor: 2, vip: 1})

    assert (counts(floor), counts(vip)) == ((100, 0, 2, 0, 0), (5, 0, 1, 0, 0))


def test_hold_takes_the_last_ticket(event: Event):
    tier = tier_with(event, quantity=10, sold_count=6, reserved_count=3, set_aside_count=1, returned_count=1)

    services.hold_stock({tier: 1})

    assert counts(tier) == (10, 6, 4, 1, 1)


def test_hold_says_how_many_are_left(event: Event):
    tier = tier_with(event, name="Floor", slug="floor", quantity=5, reserved_count=3)

    assert refusal_of({tier: 3}) == (
        services.NotEnoughTickets,
        "Not enough tickets available: 2 tickets are left of Floor.",
        {"available": 2, "tier": "floor"},
    )
    assert counts(tier) == (5, 0, 3, 0, 0)


def test_hold_says_that_one_is_left(event: Event):
    tier = tier_with(event, name="Floor", slug="floor", quantity=5, sold_count=4)

    assert refusal_of({tier: 2})[1:] == (
        "Not enough tickets available: 1 ticket is left of Floor.",
        {"available": 1, "tier": "floor"},
    )


@pytest.mark.parametrize("taken", [{"sold_count": 5}, {"reserved_count": 5}, {"set_aside_count": 5}])
def test_hold_says_that_none_is_left(event: Event, taken: dict[str, int]):
    tier = tier_with(event, name="Floor", slug="floor", quantity=5, **taken)
    before = counts(tier)

    assert refusal_of({tier: 1}) == (
        services.SoldOut,
        "Sold out: no tickets are left of Floor.",
        {"available": 0, "tier": "floor"},
    )
    assert counts(tier) == before


def test_hold_goes_by_the_database_and_not_by_what_was_read(vip: Tier):
    Tier.objects.filter(pk=vip.pk).update(sold_count=4)
    assert vip.available == 5

    assert refusal_of({vip: 2})[2] == {"available": 1, "tier": "vip"}


def test_hold_of_two_tiers_takes_neither_when_one_is_sold_out(floor: Tier, event: Event):
    gone = tier_with(event, quantity=1, sold_count=1)

    assert refusal_of({floor: 2, gone: 1})[0] is services.SoldOut

    assert (counts(floor), counts(gone)) == ((100, 0, 0, 0, 0), (1, 1, 0, 0, 0))


def test_release_gives_reserved_tickets_back(floor: Tier, vip: Tier):
    services.hold_stock({floor: 3, vip: 2})

    services.release_stock({floor: 3, vip: 1})

    assert (counts(floor), counts(vip)) == ((100, 0, 0, 0, 0), (5, 0, 1, 0, 0))


def test_sale_turns_reserved_tickets_into_sold_ones(floor: Tier):
    services.hold_stock({floor: 3})

    services.sell_stock({floor: 2})

    assert counts(floor) == (100, 2, 1, 0, 0)


def test_take_back_puts_sold_tickets_on_sale_again(event: Event):
    tier = tier_with(event, quantity=5, sold_count=5)

    services.take_back_stock({tier: 2})

    assert counts(tier) == (5, 3, 0, 0, 0)


def test_swap_moves_only_the_difference(floor: Tier, vip: Tier, event: Event):
    other = tier_with(event, quantity=5)
    services.hold_stock({floor: 3, vip: 2})

    services.swap_stock({floor: 3, vip: 2}, {floor: 1, vip: 2, other: 4})

    assert [counts(tier)[2] for tier in (floor, vip, other)] == [1, 2, 4]


def test_swap_takes_more_of_what_one_already_has(event: Event):
    tier = tier_with(event, quantity=4, reserved_count=3)

    services.swap_stock({tier: 3}, {tier: 4})

    assert counts(tier) == (4, 0, 4, 0, 0)


def test_swap_that_finds_too_few_changes_nothing(floor: Tier, vip: Tier):
    services.hold_stock({floor: 3})

    with pytest.raises(services.NotEnoughTickets) as refused, transaction.atomic():
        services.swap_stock({floor: 3}, {vip: 6})

    assert refused.value.facts == {"available": 5, "tier": "vip"}
    assert (counts(floor), counts(vip)) == ((100, 0, 3, 0, 0), (5, 0, 0, 0, 0))


@pytest.mark.parametrize("move", [services.release_stock, services.sell_stock, services.take_back_stock])
def test_stock_that_is_not_there_cannot_move(floor: Tier, vip: Tier, move):
    Tier.objects.update(reserved_count=1, sold_count=1)

    with pytest.raises(services.StockMismatchError), transaction.atomic():
        move({floor: 1, vip: 2})

    assert (counts(floor), counts(vip)) == ((100, 1, 1, 0, 0), (5, 1, 1, 0, 0))


@pytest.mark.parametrize("quantity", [0, -1])
def test_stock_moves_by_at_least_one(floor: Tier, quantity: int):
    with pytest.raises(ValueError, match="at least 1"):
        services.hold_stock({floor: quantity})

    assert counts(floor) == (100, 0, 0, 0, 0)


def test_quantity_may_fall_to_what_is_sold_reserved_or_set_aside(event: Event):
    tier = tier_with(event, quantity=50, sold_count=3, reserved_count=2, set_aside_count=1, returned_count=2)

    services.change_quantity(tier, 6)

    assert counts(tier) == (6, 3, 2, 2, 1)


def test_quantity_beneath_the_floor_is_refused_and_the_floor_named(event: Event):
    tier = tier_with(event, quantity=50, sold_count=3, reserved_count=2, set_aside_count=1, returned_count=2)

    with pytest.raises(services.QuantityBelowFloor) as refused:
        services.change_quantity(tier, 5)

    assert str(refused.value) == "The quantity cannot be lower than 6: so many are sold, reserved or set aside."
    assert refused.value.facts == {"lowest": 6}
    assert counts(tier) == (50, 3, 2, 2, 1)


def test_quantity_may_rise(vip: Tier):
    services.change_quantity(vip, 6)

    assert counts(vip) == (6, 0, 0, 0, 0)
