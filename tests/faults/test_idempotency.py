"""Whoever was doing what an `Idempotency-Key` names is killed: the same request begins anew, or goes on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.idempotency import Answer, RequestInProgress
from accounts.models import KeptAnswer
from config.embedded import Embedded
from config.processes import Process
from config.stack import PROJECT, Stack
from orders.models import Order, Payment
from queues import admittance
from tests.bookkeeping import assert_counters_equal_rows
from tests.faults import asking
from tests.faults.crowd import wait_until
from tests.faults.parking import parking
from tests.journeys.sales import Sale, new_fan, new_sale

pytestmark = pytest.mark.timeout(180)

NOTICED_SECONDS = 6

ANSWERING = "UPDATE ON accounts_keptanswer FOR EACH ROW WHEN (OLD.status IS NULL AND NEW.status IS NOT NULL)"
ASKING_THE_PROVIDER = "UPDATE ON orders_payment FOR EACH ROW WHEN (NEW.status = 'confirmed')"


@pytest.fixture
def sale() -> Sale:
    return new_sale()


@contextmanager
def killed(stack: Stack, servers: Embedded, instant: str, *request: Any) -> Iterator[None]:
    """Let a process ask, and kill it at the named instant; the block looks at what it has left."""
    process = Process(
        "asking",
        [sys.executable, "-m", "tests.faults.asking", *map(str, request)],
        log=stack.folder / "asking.log",
        environment={**stack.environment, "PYTHONPATH": str(PROJECT), "PGAPPNAME": "fairline asking"},
        folder=PROJECT,
    )
    with parking(servers.database_url, instant) as place:
        process.start()
        try:
            pid, name = place.await_somebody()
            assert name == "fairline asking"
        finally:
            assert process.pid
            os.killpg(process.pid, signal.SIGKILL)
            wait_until(lambda: process.exit_code is not None)
        wait_until(lambda: place.is_gone(pid), NOTICED_SECONDS)
    yield


def test_killed_before_the_end_it_leaves_nothing_and_is_begun_anew(sale: Sale, servers: Embedded, stack: Stack):
    fan = new_fan()
    token = admittance.token_for(sale.let_in(fan, claimed_at=timezone.now()))

    with killed(stack, servers, ANSWERING, "hold", fan.pk, token):
        assert (sale.orders(fan), KeptAnswer.objects.for_account(fan.pk).count()) == ([], 0)
        assert sale.counters(sale.floor) == (0, 0)
    answer = asking.hold(str(fan.pk), token)

    [order] = sale.orders(fan)
    assert answer == Answer(201, order.code)
    assert asking.hold(str(fan.pk), token) == Answer(201, order.code, is_replayed=True)
    assert_counters_equal_rows(sale.event)


def test_killed_while_it_asks_the_provider_it_is_gone_on_with_after_the_lease(
    sale: Sale, servers: Embedded, stack: Stack
):
    fan = new_fan()
    order = sale.hold(fan, floor=2)
    kept = KeptAnswer.objects.for_account(fan.pk)

    with killed(stack, servers, ASKING_THE_PROVIDER, "pay", order.pk):
        [payment] = Payment.objects.of(order)
        assert (payment.status, list(kept.values_list("status", flat=True))) == ("waiting", [None])
    with pytest.raises(RequestInProgress):
        asking.pay(str(order.pk))
    kept.update(busy_until=timezone.now() - timedelta(seconds=1))
    answer = asking.pay(str(order.pk))

    assert answer == Answer(200, str(payment.pk))
    assert list(Payment.objects.of(order)) == [payment]
    assert Order.objects.get(pk=order.pk).status == "paid"
    assert asking.pay(str(order.pk)) == Answer(200, str(payment.pk), is_replayed=True)
    assert_counters_equal_rows(sale.event)
