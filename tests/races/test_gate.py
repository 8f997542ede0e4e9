"""The gate: whatever may change what a fan holds takes the fan's allowance before any other row.

Two that take the same rows in another order stop each other for good; and a limit read before the gate may be passed.
"""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction

from events.models import Event, Tier
from orders import services
from orders.models import Order, Payment
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.bookkeeping import assert_counters_equal_rows
from tests.races.conftest import turn_at
from tests.racing import Run, uncommitted, wait_until_somebody_waits

NAMES = ["Ben", "Bea"]


def settle(order: Order) -> Callable:
    payment = services.start_payment(order, holders=NAMES, email="ben@example.org")
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    return partial(services.settle_payment, payment)


def expire(order: Order) -> Callable:
    Order.objects.filter(pk=order.pk).update(hold_ends_at=order.created_at)
    return partial(services.expire_order, order)


def choose_again(order: Order) -> Callable:
    token = admittance.token_for(order.admission)
    return partial(services.hold_tickets, user=order.buyer, token=token, wanted={"vip": 1})


ACTS: dict[str, Callable] = {
    "settle": settle,
    "expire": expire,
    "choose again": choose_again,
    "give back": lambda order: partial(services.release_order, order),
    "leave": lambda order: partial(services.leave_line, order.admission),
    "start payment": lambda order: partial(services.start_payment, order, holders=NAMES, email="ben@example.org"),
}


@pytest.mark.parametrize("prepare", ACTS.values(), ids=ACTS)
def test_gate_is_taken_before_any_other_row(queue: Queue, event: Event, prepare: Callable):
    fan, token = turn_at(queue)
    order = services.hold_tickets(user=fan, token=token, wanted={"floor": 2})
    act = prepare(Order.objects.select_related("admission", "buyer", "event").get(pk=order.pk))

    with uncommitted(partial(queue_services.open_allowance, fan, event)):
        run = Run(act)
        wait_until_somebody_waits()
        with transaction.atomic():
            free = [
                list(rows.select_for_update(nowait=True, no_key=True))
                for rows in (Order.objects.all(), Admission.objects.all(), Tier.objects.all())
            ]

    assert [len(rows) for rows in free] == [1, 1, 2]
    assert not isinstance(run.outcome(), Exception)
    assert_counters_equal_rows(event)
