"""Money that comes late against the next fan's hold, and against the own next one."""

import inspect
from collections import Counter
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from events import services as event_services
from events.models import Event, Tier
from events.services import SoldOut
from orders import services
from orders.models import Order, Payment
from queues import services as queue_services
from queues.models import Queue
from queues.refusals import OrderLimitReached
from tests.bookkeeping import assert_counters_equal_rows, oversold
from tests.factories import QueueFactory
from tests.races.conftest import turn_at, without_stock_check
from tests.races.test_limits import unguarded
from tests.racing import Run, meeting, race, uncommitted, wait_until_somebody_waits


def holding(queue: Queue, user: User | None = None) -> partial:
    """Return the act of a fan, somebody new unless named, who holds the last ticket."""
    fan, token = turn_at(queue, user)
    return partial(services.hold_tickets, user=fan, token=token, wanted={"vip": 1})


@pytest.fixture
def late(queue: Queue, event: Event, vip: Tier, ben: User) -> Payment:
    """Ben's money for the last ticket, which arrives after his hold has lapsed and before it is settled."""
    Tier.objects.filter(pk=vip.pk).update(quantity=1)
    order = holding(queue, ben)()
    payment = services.start_payment(order, holders=["Ben"], email="")
    Order.objects.filter(pk=order.pk).update(hold_ends_at=timezone.now())
    services.expire_order(order)
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    payment.refresh_from_db()
    return payment


def fate(payment: Payment) -> tuple[str, int, str]:
    """Return the status of the order, how many tickets it has, and why its money goes back."""
    payment.refresh_from_db()
    order = Order.objects.get(pk=payment.order_id)
    return order.status, order.tickets.count(), payment.refund_reason


BOUGHT, TOO_LATE = ("paid", 1, ""), ("lapsed", 0, "SoldOut")


@pytest.mark.parametrize("attempt", range(3))
def test_last_ticket_goes_to_late_money_or_to_the_next_fan(late: Payment, queue: Queue, event: Event, attempt: int):
    acts = [partial(services.settle_payment, late), holding(queue)]

    settled, held = race(lambda n: acts[n](), 2)

    assert settled is None
    assert (fate(late), type(held)) in [(BOUGHT, SoldOut), (TOO_LATE, Order)]
    assert_counters_equal_rows(event)


def test_next_fan_waits_for_late_money_that_is_being_settled(late: Payment, queue: Queue, event: Event):
    with uncommitted(partial(inspect.unwrap(services.settle_payment), late)):
        hold = Run(holding(queue))
        wait_until_somebody_waits()

    assert (fate(late), type(hold.outcome())) == (BOUGHT, SoldOut)
    assert_counters_equal_rows(event)


def test_late_money_waits_for_the_next_fan_s_hold_and_goes_back(late: Payment, queue: Queue, event: Event):
    with uncommitted(holding(queue)):
        settling = Run(partial(services.settle_payment, late))
        wait_until_somebody_waits()

    assert (settling.outcome(), fate(late)) == (None, TOO_LATE)
    assert_counters_equal_rows(event)


def test_without_the_guard_late_money_and_the_next_fan_share_the_last_ticket(
    late: Payment, queue: Queue, event: Event, monkeypatch
):
    """The negative control: read how many are left, and then write what was worked out; the constraint is out, too."""
    read = meeting(lambda pk: Tier.objects.get(pk=pk), 2)

    def read_then_write(quantities: dict[Tier, int]) -> None:
        for tier, quantity in quantities.items():
            seen = read(tier.pk)
            event_services.check_stock(seen, quantity)
            Tier.objects.filter(pk=tier.pk).update(reserved_count=seen.reserved_count + quantity)

    monkeypatch.setattr(event_services, "hold_stock", read_then_write)
    acts = [partial(services.settle_payment, late), holding(queue)]

    with without_stock_check():
        outcomes = race(lambda n: acts[n](), 2)
        seen = fate(late), oversold(event)

    assert [type(outcome) for outcome in outcomes] == [type(None), Order]
    assert seen == (BOUGHT, ["VIP"])


# The same fan, who may have one order


@pytest.mark.parametrize("attempt", range(3))
def test_late_money_and_the_own_next_hold_pass_no_limit(late: Payment, ben: User, event: Event, attempt: int):
    Tier.objects.update(quantity=5)
    acts = [partial(services.settle_payment, late), holding(QueueFactory(event=event), ben)]

    settled, held = race(lambda n: acts[n](), 2)

    assert settled is None
    assert (fate(late), type(held)) in [
        (BOUGHT, OrderLimitReached),
        (("lapsed", 0, "OrderLimitReached"), Order),
    ]
    assert_counters_equal_rows(event)


def test_without_the_gate_late_money_and_the_own_next_hold_pass_the_limit(
    late: Payment, ben: User, event: Event, monkeypatch
):
    """The negative control: both have read what the fan has before either writes."""
    Tier.objects.update(quantity=5)
    monkeypatch.setattr(queue_services, "open_allowance", lambda user, event: None)
    monkeypatch.setattr(queue_services, "add_to_allowance", unguarded(2))
    acts = [partial(services.settle_payment, late), holding(QueueFactory(event=event), ben)]

    outcomes = race(lambda n: acts[n](), 2)

    assert [type(outcome) for outcome in outcomes] == [type(None), Order]
    assert Counter(Order.objects.values_list("status", flat=True)) == {"paid": 1, "held": 1}
    with pytest.raises(AssertionError):
        assert_counters_equal_rows(event)
