"""Two holds that would pass the limit together."""

from collections import Counter

import pytest

from accounts.models import User
from events.models import Event, Tier
from orders import services
from orders.models import Order
from orders.services import holds
from queues import services as queue_services
from queues.models import Admission, Allowance, Queue
from queues.refusals import OrderLimitReached, TicketLimitReached
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AllowanceFactory, QueueFactory
from tests.races.conftest import turn_at, without_index
from tests.racing import meeting, race


def unguarded(parties: int):
    """Return the gate as it must not be: all read what the fan has before any writes what was worked out."""
    read = meeting(lambda user, event: Allowance.objects.get(user=user, event=event), parties)

    def add(user: User, queue: Queue, *, tickets: int) -> None:
        seen = read(user, queue.event)
        queue_services.check_allowance(seen.order_count, seen.ticket_count, tickets=tickets, queue=queue)
        Allowance.objects.filter(pk=seen.pk).update(
            order_count=seen.order_count + 1, ticket_count=seen.ticket_count + tickets, order_limit=99, ticket_limit=99
        )

    return add


def two_queues(event: Event, user: User) -> list[str]:
    """Give a fan a turn in two queues of an event; return both tokens."""
    return [turn_at(QueueFactory(event=event), user)[1] for _ in range(2)]


def test_two_queues_of_one_event_pass_no_order_limit(event: Event, queue: Queue, ben: User):
    tokens = two_queues(event, ben)

    outcomes = race(lambda n: services.hold_tickets(user=ben, token=tokens[n], wanted={"floor": 1}), 2)

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 1, OrderLimitReached: 1}
    assert Allowance.objects.values_list("order_count", "ticket_count").get() == (1, 1)
    assert_counters_equal_rows(event)


def test_two_queues_of_one_event_pass_no_ticket_limit(event: Event, queue: Queue, ben: User):
    Event.objects.update(max_orders_per_customer=3, max_tickets_per_order=4)
    AllowanceFactory(user=ben, event=event, order_count=1, ticket_count=7, order_limit=3, ticket_limit=12)
    tokens = two_queues(event, ben)

    outcomes = race(lambda n: services.hold_tickets(user=ben, token=tokens[n], wanted={"floor": 3}), 2)

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 1, TicketLimitReached: 1}
    assert Allowance.objects.values_list("order_count", "ticket_count").get() == (2, 10)


def test_without_the_gate_two_queues_pass_the_limit(event: Event, queue: Queue, ben: User, monkeypatch):
    """The negative control."""
    AllowanceFactory(user=ben, event=event)
    monkeypatch.setattr(queue_services, "add_to_allowance", unguarded(2))
    tokens = two_queues(event, ben)

    outcomes = race(lambda n: services.hold_tickets(user=ben, token=tokens[n], wanted={"floor": 1}), 2)

    assert [type(outcome) for outcome in outcomes] == [Order, Order]
    assert (Order.objects.held().count(), Allowance.objects.get().order_count) == (2, 1)
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)


@pytest.mark.parametrize("orders_allowed", [1, 3])
def test_two_tabs_of_one_turn_hold_once(event: Event, queue: Queue, ben: User, orders_allowed: int):
    """The tab that comes second has chosen again: its choice is the one that counts."""
    Event.objects.update(max_orders_per_customer=orders_allowed)
    _, token = turn_at(queue, ben)
    choices = [{"floor": 1}, {"vip": 2}, {"floor": 2}, {"vip": 1, "floor": 1}, {"vip": 1}, {"floor": 3}]

    outcomes = race(lambda n: services.hold_tickets(user=ben, token=token, wanted=choices[n]), len(choices))

    held = Order.objects.held().get()
    assert [type(outcome) for outcome in outcomes] == [Order] * len(choices)
    assert Counter(Order.objects.values_list("status", flat=True)) == {"held": 1, "replaced": len(choices) - 1}
    assert Admission.objects.get().order_code == held.code
    assert_counters_equal_rows(event)


def test_two_tabs_with_the_same_choice_get_the_same_order(event: Event, queue: Queue, ben: User):
    _, token = turn_at(queue, ben)

    outcomes = race(lambda _: services.hold_tickets(user=ben, token=token, wanted={"floor": 2}), 4)

    assert set(outcomes) == {Order.objects.get()}
    assert_counters_equal_rows(event)


def test_without_its_keepers_two_tabs_of_one_turn_hold_twice(event: Event, queue: Queue, ben: User, monkeypatch):
    """The negative control: without the gate, the compared order code and the unique row."""
    AllowanceFactory(user=ben, event=event)
    monkeypatch.setattr(queue_services, "add_to_allowance", unguarded(2))
    write = holds._write_order

    def write_without_comparing(admission: Admission, tiers: dict[Tier, int]) -> Order:
        # The lock of the row is kept, so that what is read now is still there when it is compared.
        admission.order_code = Admission.objects.lock().get(pk=admission.pk).order_code
        return write(admission, tiers)

    monkeypatch.setattr(holds, "_write_order", write_without_comparing)
    _, token = turn_at(queue, ben)

    with without_index("admission_has_one_hold", "orders_order"):
        outcomes = race(lambda _: services.hold_tickets(user=ben, token=token, wanted={"floor": 1}), 2)
        held = Order.objects.held().count()

    assert ([type(outcome) for outcome in outcomes], held) == ([Order, Order], 2)
