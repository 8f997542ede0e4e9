"""A queue's allocation: a ceiling that is counted with every act, and set while the sale runs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refusal
from events.models import Event, Tier
from events.services import SoldOut
from orders import services
from orders.models import Order, Payment
from queues import services as queue_services
from queues.admittance import token_for
from queues.models import Queue
from queues.refusals import AllocationBelowUsed, NoneLeftInQueue, TooFewLeftInQueue
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory, QueueFactory
from tests.orders.conftest import traces
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db


def limit(queue: Queue, allocation: int | None) -> None:
    services.change_allocation(queue, allocation)
    queue.refresh_from_db()


def ceiling(queue: Queue) -> tuple[int | None, int]:
    return Queue.objects.values_list("allocation", "allocated_count").get(pk=queue.pk)


def hold(queue: Queue, **wanted: int) -> Order:
    """Hold tickets for somebody new."""
    turn = AdmissionFactory(queue=queue, admitted=True)
    return services.hold_tickets(user=turn.user, token=token_for(turn), wanted=wanted)


def begin_payment(order: Order) -> Payment:
    return services.start_payment(order, holders=["Somebody"] * order.ticket_count(), email="")


def settle(payment: Payment) -> None:
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    payment.refresh_from_db()
    services.settle_payment(payment)


def lapse(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(hold_ends_at=timezone.now())
    services.expire_order(order)


def test_tickets_are_counted_while_they_are_held_and_when_they_are_sold(queue: Queue, event: Event):
    limit(queue, 10)
    first, second = hold(queue, floor=2, vip=1), hold(queue, floor=4)
    held = ceiling(queue)
    settle(begin_payment(first))
    sold = ceiling(queue)
    services.release_order(second)

    assert (held, sold, ceiling(queue)) == ((10, 7), (10, 7), (10, 3))
    assert_counters_equal_rows(event)


def give_back(order: Order) -> None:
    services.release_order(order)


def leave(order: Order) -> None:
    services.leave_line(order.admission)


@pytest.mark.parametrize("end", [give_back, leave, lapse])
def test_hold_that_ends_gives_its_tickets_back_to_the_queue(queue: Queue, event: Event, end: Callable[[Order], None]):
    limit(queue, 3)
    order = hold(queue, floor=2, vip=1)

    end(order)

    assert ceiling(queue) == (3, 0)
    assert_counters_equal_rows(event)


@pytest.mark.parametrize(("wanted", "count"), [({"floor": 1}, 1), ({"vip": 3}, 3), ({"floor": 4}, 4)])
def test_choosing_again_counts_the_new_choice_only(
    queue: Queue, token: str, ben: User, wanted: dict[str, int], count: int
):
    limit(queue, 4)
    services.hold_tickets(user=ben, token=token, wanted={"floor": 3})

    services.hold_tickets(user=ben, token=token, wanted=wanted)

    assert ceiling(queue) == (4, count)
    assert_counters_equal_rows(queue.event)


def refused(user: User, token: str, **wanted: int) -> tuple[type[Refusal], str, dict[str, Any]]:
    """Try to hold; return the refusal, having seen that it left no trace."""
    before = traces(), list(Queue.objects.values())
    with pytest.raises(Refusal) as refusal:
        services.hold_tickets(user=user, token=token, wanted=wanted)
    assert (traces(), list(Queue.objects.values())) == before
    return type(refusal.value), str(refusal.value), refusal.value.facts


NONE_LEFT = (NoneLeftInQueue, "Sold out: no tickets are left in this sale.", {"available": 0})
ONE_LEFT = (TooFewLeftInQueue, "Not enough tickets available: 1 ticket is left in this sale.", {"available": 1})


REFUSALS = pytest.mark.parametrize(("allocation", "refusal"), [(4, NONE_LEFT), (5, ONE_LEFT)])


@REFUSALS
def test_hold_above_the_allocation_is_refused(queue: Queue, token: str, ben: User, allocation: int, refusal: tuple):
    limit(queue, allocation)
    hold(queue, floor=4)

    assert refused(ben, token, floor=1, vip=1) == refusal
    assert_counters_equal_rows(queue.event)


@pytest.fixture
def impolite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the polite look out."""
    monkeypatch.setattr(queue_services, "check_allocation", lambda queue, tickets: None)


@REFUSALS
@pytest.mark.usefixtures("impolite")
def test_count_refuses_what_the_polite_look_has_not_seen(
    queue: Queue, token: str, ben: User, allocation: int, refusal: tuple
):
    limit(queue, allocation)
    hold(queue, floor=4)

    assert refused(ben, token, floor=2) == refusal


def test_choosing_more_again_than_the_allocation_keeps_what_is_held(queue: Queue, token: str, ben: User):
    limit(queue, 4)
    hold(queue, floor=1)
    services.hold_tickets(user=ben, token=token, wanted={"floor": 3})

    assert refused(ben, token, floor=4) == NONE_LEFT


def test_database_keeps_the_ceiling_whatever_the_service_does(queue: Queue):
    limit(queue, 4)

    with pytest.raises(IntegrityError, match="queue_never_over_its_allocation"), transaction.atomic():
        Queue.objects.update(allocated_count=5)


def test_tickets_are_not_kept_for_an_allocation(queue: Queue, vip: Tier, token: str, ben: User):
    """It is a ceiling: what another queue sells is gone here, too."""
    limit(queue, 5)
    Tier.objects.filter(pk=vip.pk).update(quantity=4)
    hold(QueueFactory(event=queue.event), vip=4)

    assert refused(ben, token, vip=1)[0] is SoldOut
    assert ceiling(queue) == (5, 0)


def test_what_is_left_of_an_allocation_at_the_end_is_free_for_the_other_queues(queue: Queue, vip: Tier, event: Event):
    presale = QueueFactory(event=event)
    presale.tiers.add(vip)
    limit(presale, 5)
    hold(presale, vip=1)
    Queue.objects.filter(pk=presale.pk).update(scheduled_end=timezone.now())

    hold(queue, vip=4)

    vip.refresh_from_db()
    assert (vip.available, ceiling(presale)) == (0, (5, 1))
    assert_counters_equal_rows(event)


def test_fan_who_is_inside_at_the_end_may_still_buy_of_the_allocation(queue: Queue, event: Event):
    limit(queue, 2)
    order = hold(queue, floor=2)
    Queue.objects.update(scheduled_end=timezone.now())

    settle(begin_payment(order))

    assert (Order.objects.get().status, ceiling(queue)) == ("paid", (2, 2))
    assert_counters_equal_rows(event)


def test_late_money_is_counted_again(queue: Queue, event: Event):
    limit(queue, 2)
    order = hold(queue, floor=2)
    payment = begin_payment(order)
    lapse(order)
    in_between = ceiling(queue)

    settle(payment)

    assert (in_between, ceiling(queue), Order.objects.get().status) == ((2, 0), (2, 2), "paid")
    assert_counters_equal_rows(event)


def test_late_money_that_finds_the_allocation_used_up_goes_back(queue: Queue, event: Event):
    limit(queue, 3)
    order = hold(queue, floor=2)
    payment = begin_payment(order)
    lapse(order)
    hold(queue, floor=2)

    settle(payment)

    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.refund_reason, order.status, ceiling(queue)) == ("TooFewLeftInQueue", "lapsed", (3, 2))
    assert_counters_equal_rows(event)


@pytest.mark.parametrize(("allocation", "statements"), [(None, 7), (10, 8)])
def test_allocation_costs_a_hold_one_statement_and_nothing_without(
    queue: Queue, token: str, ben: User, allocation: int | None, statements: int
):
    limit(queue, allocation)

    with counted_statements() as sent:
        services.hold_tickets(user=ben, token=token, wanted={"floor": 2})

    assert len(sent) == statements


def test_queue_is_counted_right_before_the_tiers_and_last(queue: Queue, token: str, ben: User):
    limit(queue, 10)

    with counted_statements() as sent:
        services.hold_tickets(user=ben, token=token, wanted={"floor": 2, "vip": 1})

    assert [statement.split(" SET ")[0] for statement in sent[-3:]] == [
        'UPDATE "queues_queue"',
        'UPDATE "events_tier"',
        'UPDATE "events_tier"',
    ]


# Setting it while the sale runs


def test_allocation_set_in_a_running_sale_counts_what_is_used(queue: Queue, event: Event):
    settle(begin_payment(hold(queue, floor=2)))
    hold(queue, floor=1, vip=2)
    lapse(hold(queue, floor=4))
    hold(QueueFactory(event=event), floor=4)

    limit(queue, 5)

    assert ceiling(queue) == (5, 5)
    assert_counters_equal_rows(event)


@pytest.mark.parametrize("before", [None, 9])
def test_allocation_cannot_be_lower_than_what_is_used(queue: Queue, before: int | None):
    limit(queue, before)
    hold(queue, floor=3)
    kept = ceiling(queue)

    with pytest.raises(AllocationBelowUsed) as refusal:
        services.change_allocation(queue, 2)

    assert (refusal.value.facts, ceiling(queue)) == ({"lowest": 3}, kept)
    assert str(refusal.value) == "It cannot be lower than 3: so many tickets are reserved or sold in this queue."


def test_allocation_that_is_lifted_is_counted_no_more_and_set_again_counts_anew(queue: Queue, event: Event):
    limit(queue, 5)
    order = hold(queue, floor=3)
    limit(queue, None)
    lifted = ceiling(queue)
    hold(queue, floor=4)
    services.release_order(order)

    limit(queue, 4)

    assert (lifted, ceiling(queue)) == ((None, 0), (4, 4))
    assert_counters_equal_rows(event)


def test_setting_an_allocation_mends_a_counter_that_is_wrong(queue: Queue, event: Event):
    limit(queue, 5)
    hold(queue, floor=3)
    Queue.objects.update(allocated_count=1)

    limit(queue, 5)

    assert_counters_equal_rows(event)
