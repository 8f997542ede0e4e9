"""The last ticket of an allocation, and an allocation that is set while others hold and give back."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Q

from accounts.models import User
from events.models import Event
from orders import services
from orders.models import Order
from orders.services import holds
from queues import locks, refusals
from queues import services as queue_services
from queues.models import Allowance, Queue, QueueQuerySet
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import UserFactory
from tests.races.conftest import turn_at
from tests.racing import Gate, Run, meeting, race, uncommitted, wait_until_somebody_waits

FANS = 6


@pytest.fixture
def limited(queue: Queue) -> Queue:
    """A queue that has one ticket to give."""
    services.change_allocation(queue, 1)
    queue.refresh_from_db()
    return queue


def holder(queue: Queue, **wanted: int) -> partial:
    """Return the act of somebody new who holds tickets."""
    fan, token = turn_at(queue)
    return partial(services.hold_tickets, user=fan, token=token, wanted=wanted)


def ceiling() -> tuple[int | None, int]:
    return Queue.objects.values_list("allocation", "allocated_count").get()


def test_last_ticket_of_an_allocation_goes_to_one(limited: Queue, event: Event):
    acts = [holder(limited, floor=1) for _ in range(FANS)]

    outcomes = race(lambda n: acts[n](), FANS)

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 1, refusals.NoneLeftInQueue: FANS - 1}
    assert ceiling() == (1, 1)
    assert_counters_equal_rows(event)


def test_without_the_guard_the_last_ticket_of_an_allocation_goes_to_two(limited: Queue, event: Event, monkeypatch):
    """The negative control: read how many are left, and then write what was worked out."""
    read = meeting(lambda pk: Queue.objects.get(pk=pk), 2)

    def read_then_write(queue: Queue, *, given_back: int, taken: int) -> None:
        seen = read(queue.pk)
        queue_services.check_allocation(seen, taken)
        Queue.objects.filter(pk=queue.pk).update(allocated_count=seen.allocated_count + taken)

    monkeypatch.setattr(queue_services, "swap_allocation", read_then_write)
    acts = [holder(limited, floor=1) for _ in range(2)]

    outcomes = race(lambda n: acts[n](), 2)

    assert [type(outcome) for outcome in outcomes] == [Order, Order]
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)


def test_fans_of_a_limited_and_of_a_free_queue_do_not_block_each_other(queue: Queue, event: Event):
    services.change_allocation(queue, 100)
    acts = [holder(queue, floor=1, vip=1), holder(queue, vip=1, floor=1), holder(queue, floor=2), holder(queue, vip=1)]

    outcomes = race(lambda n: acts[n](), len(acts))

    assert [type(outcome) for outcome in outcomes] == [Order] * 4
    assert_counters_equal_rows(event)


# Setting an allocation while tickets are being held


def set_during_a_hold(queue: Queue) -> object:
    """Set an allocation while a hold is not yet committed; returns what became of the setting."""
    with uncommitted(holder(queue, floor=2)):
        setting = Run(partial(services.change_allocation, queue, 10))
        setting.join(0.3)
    return setting.outcome()


def test_allocation_waits_for_a_hold_that_is_not_yet_committed_and_counts_it(queue: Queue, event: Event):
    assert set_during_a_hold(queue) is None
    assert ceiling() == (10, 2)
    assert_counters_equal_rows(event)


def test_without_the_lock_a_hold_under_way_is_not_counted(queue: Queue, event: Event, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(locks, "shut_gates", lambda event_id: None)

    assert set_during_a_hold(queue) is None
    assert ceiling() == (10, 0)
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)


def hold_around_a_setting(queue: Queue, allocation: int | None, monkeypatch: pytest.MonkeyPatch) -> object:
    """Set the allocation after a hold has read the one before; returns what became of the hold."""
    gate, choose = Gate(), holds._choose_tiers

    def stopping(*read: Any) -> Any:
        if not gate.reached.is_set():
            gate.stop_here()
        return choose(*read)

    monkeypatch.setattr(holds, "_choose_tiers", stopping)
    run = Run(holder(queue, floor=1))
    gate.wait_until_reached()
    services.change_allocation(queue, allocation)
    gate.opened.set()
    return run.outcome()


def test_hold_that_had_read_no_allocation_is_counted_all_the_same(queue: Queue, event: Event, monkeypatch):
    assert isinstance(hold_around_a_setting(queue, 10, monkeypatch), Order)
    assert ceiling() == (10, 1)
    assert_counters_equal_rows(event)


def test_without_the_second_look_it_is_not_counted(queue: Queue, event: Event, monkeypatch):
    """The negative control: whatever the queue has become, it passes for one without an allocation."""
    monkeypatch.setattr(QueueQuerySet, "without_allocation", lambda queues: queues.filter(~Q(pk=None)))

    assert isinstance(hold_around_a_setting(queue, 10, monkeypatch), Order)
    assert ceiling() == (10, 0)
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)


def test_hold_that_had_read_an_allocation_needs_none_once_it_is_lifted(limited: Queue, event: Event, monkeypatch):
    assert isinstance(hold_around_a_setting(limited, None, monkeypatch), Order)
    assert ceiling() == (None, 0)
    assert_counters_equal_rows(event)


def give_back_during_a_setting(queue: Queue) -> object:
    """Give a hold back after its tickets have been counted, and before the count is committed."""
    order = holder(queue, floor=2)()
    order = Order.objects.select_related("buyer", "event").get(pk=order.pk)
    with uncommitted(partial(services.change_allocation, queue, 10)):
        giving = Run(partial(services.release_order, order))
        giving.join(0.3)
    return giving.outcome()


def test_hold_given_back_while_an_allocation_is_set_is_not_counted(queue: Queue, event: Event):
    assert give_back_during_a_setting(queue) is None
    assert ceiling() == (10, 0)
    assert_counters_equal_rows(event)


def test_without_the_lock_what_was_given_back_stays_counted(queue: Queue, event: Event, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(locks, "shut_gates", lambda event_id: None)

    assert give_back_during_a_setting(queue) is None
    assert ceiling() == (10, 2)
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)


def open_first_allowance_during_a_setting(queue: Queue) -> object:
    """Let a fan without an allowance come to the gate while it is shut; returns what became of a second tab's row."""
    fan = UserFactory()
    with uncommitted(partial(services.change_allocation, queue, 10)):
        opening = Run(transaction.atomic(partial(queue_services.open_allowance, fan, queue.event)))
        wait_until_somebody_waits()
        second = Run(transaction.atomic(partial(make_row, fan, queue.event)))
        outcome = second.outcome()
    assert isinstance(opening.outcome(), Allowance)
    return outcome


def make_row(fan: User, event: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 200")
    Allowance.objects.create(user=fan, event=event)


def test_gates_are_passed_before_a_first_row_is_made(queue: Queue):
    """Whoever made it and then waited at the gates would hold up the fan's other tab, for whom the gates wait."""
    assert open_first_allowance_during_a_setting(queue) is None


def test_without_the_lock_a_first_row_is_made_outside_the_gates(queue: Queue, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(locks, "share_gates", lambda event_id: None)

    assert isinstance(open_first_allowance_during_a_setting(queue), OperationalError)


def test_setting_during_a_rush_loses_no_ticket(queue: Queue, event: Event):
    acts = [holder(queue, floor=2) for _ in range(FANS)]
    settings = [partial(services.change_allocation, queue, allocation) for allocation in (40, None, 30)]
    everything = [*acts, *settings]

    outcomes = race(lambda n: everything[n](), len(everything))

    assert Counter(type(outcome) for outcome in outcomes) == {Order: FANS, type(None): len(settings)}
    services.change_allocation(queue, 40)
    assert ceiling() == (40, 2 * FANS)
    assert_counters_equal_rows(event)
