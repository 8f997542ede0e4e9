"""Several want the last ticket."""

from collections import Counter

import pytest
from django.db import transaction

from events import services as event_services
from events.models import Event, Tier
from events.services import SoldOut
from orders import services
from orders.models import Order
from queues.models import Queue
from tests.bookkeeping import assert_counters_equal_rows, oversold
from tests.races.conftest import turn_at
from tests.racing import meeting, race

FANS = 6


def test_last_ticket_goes_to_one(queue: Queue, vip: Tier, event: Event):
    Tier.objects.filter(pk=vip.pk).update(quantity=1)
    turns = [turn_at(queue) for _ in range(FANS)]

    outcomes = race(lambda n: services.hold_tickets(user=turns[n][0], token=turns[n][1], wanted={"vip": 1}), FANS)

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 1, SoldOut: FANS - 1}
    assert {str(outcome) for outcome in outcomes if isinstance(outcome, SoldOut)} == {
        "Sold out: no tickets are left of VIP."
    }
    assert_counters_equal_rows(event)


@pytest.mark.parametrize("wanted", [{"vip": 2}, {"vip": 1, "floor": 1}])
def test_few_tickets_go_to_as_many_as_they_reach_for(queue: Queue, event: Event, wanted: dict[str, int]):
    Tier.objects.update(quantity=5)
    turns = [turn_at(queue) for _ in range(FANS)]

    outcomes = race(lambda n: services.hold_tickets(user=turns[n][0], token=turns[n][1], wanted=wanted), FANS)

    held = [outcome for outcome in outcomes if isinstance(outcome, Order)]
    assert len(held) == 5 // wanted["vip"]
    assert {type(outcome) for outcome in outcomes if outcome not in held} <= {SoldOut, event_services.NotEnoughTickets}
    assert_counters_equal_rows(event)


def test_without_the_guard_the_last_ticket_goes_to_two(queue: Queue, vip: Tier, event: Event, monkeypatch):
    """The negative control: read how many are left, and then write what was worked out."""
    Tier.objects.filter(pk=vip.pk).update(quantity=1)
    read = meeting(lambda pk: Tier.objects.get(pk=pk), 2)

    def read_then_write(given_back: dict[Tier, int], taken: dict[Tier, int]) -> None:
        for tier, quantity in taken.items():
            seen = read(tier.pk)
            event_services.check_stock(seen, quantity)
            Tier.objects.filter(pk=tier.pk).update(reserved_count=seen.reserved_count + quantity)

    monkeypatch.setattr(event_services, "swap_stock", read_then_write)
    turns = [turn_at(queue) for _ in range(2)]

    outcomes = race(lambda n: services.hold_tickets(user=turns[n][0], token=turns[n][1], wanted={"vip": 1}), 2)

    assert [type(outcome) for outcome in outcomes] == [Order, Order]
    assert oversold(event) == ["VIP"]
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)


def test_fans_who_take_the_same_tiers_in_opposite_order_do_not_block_each_other(queue: Queue, event: Event):
    turns = [turn_at(queue) for _ in range(4)]
    wanted = [{"vip": 1, "floor": 1}, {"floor": 1, "vip": 1}]

    outcomes = race(
        lambda n: services.hold_tickets(user=turns[n][0], token=turns[n][1], wanted=wanted[n % 2]), len(turns)
    )

    assert [type(outcome) for outcome in outcomes] == [Order] * 4
    assert_counters_equal_rows(event)


def test_without_an_order_of_tiers_they_would(queue: Queue, floor: Tier, vip: Tier, event: Event, monkeypatch):
    """The negative control: one takes the tiers the other way round, and both have their first before their second."""
    unordered = [[floor, vip], [vip, floor]]
    first_taken = meeting(lambda: None, 2)

    @transaction.atomic
    def take(number: int) -> str:
        for tier in unordered[number]:
            event_services.hold_stock({tier: 1})
            first_taken()
        return "taken"

    outcomes = race(take, 2)

    assert sorted(str(type(outcome).__name__) for outcome in outcomes) == ["OperationalError", "str"]
