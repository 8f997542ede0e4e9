"""Whatever moves two tiers takes the one with the lowest number first; so nobody waits for each other for ever."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction
from django.db.utils import OperationalError
from django.utils import timezone

from events import services as event_services
from events.models import Event, Tier
from orders import services
from orders.models import Order, Payment
from queues import admittance
from queues.models import Queue
from tests.bookkeeping import assert_counters_equal_rows
from tests.races.conftest import turn_at
from tests.racing import Run, race, uncommitted, wait_until_somebody_waits

BOTH = {"vip": 1, "floor": 1}


def settle(order: Order) -> Callable:
    payment = services.start_payment(order, holders=["Ben", "Bea"], email="ben@example.org")
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    return partial(services.settle_payment, payment)


def expire(order: Order) -> Callable:
    Order.objects.filter(pk=order.pk).update(hold_ends_at=timezone.now())
    return partial(services.expire_order, order)


def settle_late(order: Order) -> Callable:
    settling = settle(order)
    # The money comes when the hold is over.
    Payment.objects.update(status="waiting")
    expire(order)()
    Payment.objects.update(status="confirmed")
    return settling


def choose_again(order: Order) -> Callable:
    """Take one more of each."""
    token = admittance.token_for(order.admission)
    return partial(services.hold_tickets, user=order.buyer, token=token, wanted={"vip": 2, "floor": 2})


def choose_instead(order: Order) -> Callable:
    """Give one of the one back, and take one more of the other."""
    choose_again(order)()
    token = admittance.token_for(order.admission)
    return partial(services.hold_tickets, user=order.buyer, token=token, wanted={"vip": 3, "floor": 1})


ACTS: dict[str, Callable] = {
    "settle": settle,
    "settle late": settle_late,
    "expire": expire,
    "choose again": choose_again,
    "choose instead": choose_instead,
    "give back": lambda order: partial(services.release_order, order),
    "leave": lambda order: partial(services.leave_line, order.admission),
}


@pytest.fixture
def order(queue: Queue) -> Order:
    """A hold of both tiers. On pages and in lines the one with the higher number comes first."""
    fan, token = turn_at(queue)
    held = services.hold_tickets(user=fan, token=token, wanted=BOTH)
    order = Order.objects.with_lines().select_related("admission", "buyer", "event").get(pk=held.pk)
    assert [tier.slug for tier in order.quantities()] == ["vip", "floor"]
    return order


def is_free(tier: Tier) -> bool:
    try:
        with transaction.atomic():
            return Tier.objects.filter(pk=tier.pk).select_for_update(nowait=True, no_key=True).exists()
    except OperationalError:
        return False


def is_second_free_while_first_is_taken(act: Callable) -> bool:
    """Run `act` while somebody else has the first tier; return whether it has let the second alone until then."""
    first, second = Tier.objects.order_by("pk")
    with uncommitted(partial(event_services.hold_stock, {first: 1})):
        run = Run(act)
        wait_until_somebody_waits()
        free = is_free(second)
    assert not isinstance(run.outcome(), Exception)
    return free


@pytest.mark.parametrize("prepare", ACTS.values(), ids=ACTS)
def test_act_takes_the_lowest_tier_first(order: Order, prepare: Callable):
    assert is_second_free_while_first_is_taken(prepare(order))


def test_hold_takes_the_lowest_tier_first(queue: Queue):
    fan, token = turn_at(queue)

    assert is_second_free_while_first_is_taken(partial(services.hold_tickets, user=fan, token=token, wanted=BOTH))


@pytest.mark.parametrize("prepare", [settle, expire], ids=["settle", "expire"])
def test_without_the_order_an_act_has_the_second_tier_while_it_waits_for_the_first(
    order: Order, prepare: Callable, monkeypatch
):
    """The negative control: in the order of the page."""
    monkeypatch.setattr(event_services, "_in_order", lambda quantities: list(quantities.items()))

    assert not is_second_free_while_first_is_taken(prepare(order))


def test_choosing_settling_and_expiring_of_both_tiers_do_not_block_each_other(queue: Queue, event: Event):
    Tier.objects.update(quantity=100)
    acts = []
    for prepare in (settle, expire, choose_again, settle, expire, choose_again):
        fan, token = turn_at(queue)
        held = services.hold_tickets(user=fan, token=token, wanted=BOTH)
        acts.append(prepare(Order.objects.select_related("admission", "buyer", "event").get(pk=held.pk)))

    outcomes = race(lambda n: acts[n](), len(acts))

    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), Order] * 2
    assert_counters_equal_rows(event)
