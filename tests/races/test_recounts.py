"""Recounting while the sale goes on: what is just being held or paid is neither lost nor counted twice."""

from collections.abc import Callable
from functools import partial
from inspect import unwrap
from typing import cast

import pytest
from django.db.models import F
from payments import PaymentStatus

from events.models import Event, Tier, TierQuerySet
from orders import services
from orders.models import Order, Payment
from orders.services import recounts
from queues.models import Admission, AdmissionQuerySet, Allowance, Queue, QueueQuerySet
from tests.bookkeeping import assert_counters_equal_rows
from tests.races.conftest import turn_at
from tests.racing import Run, race, uncommitted

Act = Callable[[], object]


@pytest.fixture
def hold(queue: Queue) -> Act:
    """What holds two tickets on the floor."""
    user, token = turn_at(queue)
    return partial(services.hold_tickets, user=user, token=token, wanted={"floor": 2})


@pytest.fixture
def settle(hold: Act) -> Act:
    """What turns a hold of two into tickets, without a commit of its own."""
    services.start_payment(cast(Order, hold()), holders=["Ben", "Bea"], email="ben@example.org")
    Payment.objects.update(status=PaymentStatus.CONFIRMED, captured_amount=F("total"))
    act = cast("Callable[[Payment], None]", unwrap(services.settle_payment))
    return partial(act, Payment.objects.get())


def recount_while(act: Act, event: Event) -> object:
    """Recount an event while `act` has written everything and not yet committed."""
    with uncommitted(act):
        recounting = Run(partial(services.recount_stock, event))
        recounting.join(0.5)
    return recounting.outcome()


def test_hold_that_is_just_committing_is_counted(hold: Act, event: Event, floor: Tier):
    Tier.objects.filter(pk=floor.pk).update(reserved_count=9)
    recount_while(hold, event)
    assert_counters_equal_rows(event)


def test_without_the_lock_of_the_tier_a_hold_is_lost(hold: Act, event: Event, floor: Tier, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(TierQuerySet, "lock", lambda tiers: tiers)
    Tier.objects.filter(pk=floor.pk).update(reserved_count=9)
    recount_while(hold, event)
    assert [(row.what, row.counter, row.rows) for row in services.find_differences(event)] == [("reserved", 0, 2)]


def test_order_that_is_just_being_paid_is_counted_once(settle: Act, event: Event, floor: Tier):
    Tier.objects.filter(pk=floor.pk).update(sold_count=5)
    recount_while(settle, event)
    assert_counters_equal_rows(event)


def test_without_the_lock_of_the_tier_a_sale_is_lost(settle: Act, event: Event, floor: Tier, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(TierQuerySet, "lock", lambda tiers: tiers)
    Tier.objects.filter(pk=floor.pk).update(sold_count=5)
    recount_while(settle, event)
    assert [(row.what, row.counter, row.rows) for row in services.find_differences(event)] == [
        ("reserved", 2, 0),
        ("sold", 0, 2),
    ]


def test_fan_who_is_just_choosing_again_is_counted(queue: Queue, event: Event):
    recount_while(choosing_again(queue), event)
    assert_counters_equal_rows(event)


def test_without_the_gate_what_a_fan_just_chose_is_lost(queue: Queue, event: Event, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(recounts.queue_services, "open_allowances", lambda event, fans: [])
    recount_while(choosing_again(queue), event)
    assert [(row.what, row.counter, row.rows) for row in services.find_differences(event)] == [("tickets", 1, 4)]


def choosing_again(queue: Queue) -> Act:
    """What takes four tickets instead of one, for a fan whose count is wrong by three."""
    user, token = turn_at(queue)
    services.hold_tickets(user=user, token=token, wanted={"floor": 1})
    Allowance.objects.update(ticket_count=4)
    return partial(choose_and_count, user, token)


def choose_and_count(user: object, token: str) -> None:
    Allowance.objects.update(ticket_count=1)
    services.hold_tickets(user=user, token=token, wanted={"floor": 4})  # type: ignore[arg-type]


@pytest.fixture
def limited(queue: Queue) -> Queue:
    """A queue whose counter is wrong."""
    Queue.objects.update(allocation=50, allocated_count=9)
    return queue


def test_hold_of_a_limited_queue_that_is_just_committing_is_counted(limited: Queue, hold: Act, event: Event):
    recount_while(hold, event)
    assert_counters_equal_rows(event)


def test_without_the_lock_of_the_queue_a_hold_is_lost(limited: Queue, hold: Act, event: Event, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(QueueQuerySet, "lock", lambda queues: queues)
    recount_while(hold, event)
    assert [(row.what, row.counter, row.rows) for row in services.find_differences(event)] == [("allocated", 0, 2)]


def giving_back_after_a_wrong_mark(queue: Queue) -> Act:
    """What gives a hold back of a turn that says it had none, and mends that."""
    user, token = turn_at(queue)
    order = services.hold_tickets(user=user, token=token, wanted={"floor": 1})
    Admission.objects.update(has_hold=False)
    return partial(services.release_order, Order.objects.select_related("buyer", "event").get(pk=order.pk))


def test_hold_that_is_just_given_back_is_not_marked_again(queue: Queue, event: Event):
    recount_while(giving_back_after_a_wrong_mark(queue), event)
    assert_counters_equal_rows(event)


def test_without_the_locks_a_turn_is_marked_that_holds_nothing(queue: Queue, event: Event, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(recounts.queue_services, "open_allowances", lambda event, fans: [])
    monkeypatch.setattr(AdmissionQuerySet, "lock", lambda turns: turns)
    recount_while(giving_back_after_a_wrong_mark(queue), event)
    assert [(row.what, row.counter, row.rows) for row in services.find_differences(event)] == [("holding", 1, 0)]


def test_recount_in_the_middle_of_a_crowd_leaves_sound_books(queue: Queue, event: Event, floor: Tier):
    turns = [turn_at(queue) for _ in range(6)]
    Tier.objects.filter(pk=floor.pk).update(sold_count=5, reserved_count=3)

    def act(number: int) -> object:
        if number >= len(turns):
            return services.recount_stock(event)
        user, token = turns[number]
        return services.hold_tickets(user=user, token=token, wanted={"floor": 2})

    outcomes = race(act, len(turns) + 2)

    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert_counters_equal_rows(event)
