"""A worker that is killed in the middle of something: nothing is half done, and the next one goes on."""

from __future__ import annotations

import os
import signal

import pytest

from config.embedded import Embedded
from config.stack import Stack, processes_of_stack
from orders import services as order_services
from orders.models import Order, Payment, Ticket
from tests.faults.crowd import BOUGHT, MidSale, wait_until
from tests.faults.parking import ADMITTING, ISSUING_TICKETS, parking

pytestmark = pytest.mark.timeout(180)

# Sooner than the statement's own time limit: the database looks after a client by itself.
NOTICED_SECONDS = 6


def kill_worker(stack: Stack) -> None:
    """Kill the worker and its children at once, as the kernel does when memory is short."""
    pid = stack.pids["worker-1"]
    os.killpg(pid, signal.SIGKILL)
    wait_until(lambda: stack.processes["worker-1"].exit_code is not None)
    assert [process for process in processes_of_stack(stack.folder) if os.getpgid(process.pid) == pid] == []


def start_next_worker(stack: Stack) -> None:
    stack.processes["worker-1"].stop()
    stack.processes["worker-1"].start()


def test_worker_killed_while_it_admits_admits_nobody_and_the_next_one_does(
    sale: MidSale, servers: Embedded, stack: Stack
):
    before = sale.standings()
    with parking(servers.database_url, ADMITTING) as place:
        sale.sale.change_queue(max_concurrent_admissions=4)
        pid, name = place.await_somebody()
        assert (name, place.has_line(pid, sale.sale.queue.pk)) == ("fairline worker-1", True)
        assert sale.standings() == before

        kill_worker(stack)
        wait_until(lambda: place.is_gone(pid), NOTICED_SECONDS)
    assert sale.standings() == before

    start_next_worker(stack)
    wait_until(lambda: sale.statuses() == ["admitted", "admitted", "admitted", "admitted", "waiting"])
    assert [place for _, place, _ in sale.standings()] == [place for _, place, _ in before]
    sale.sale.change_queue(max_concurrent_admissions=2)
    last = sale.waiting[0]
    assert last.pay(last.choose(sale.sale)).heading == BOUGHT
    sale.assert_books_agree()


def test_worker_killed_while_it_settles_leaves_no_half_paid_order_and_the_next_one_settles(
    sale: MidSale, servers: Embedded, stack: Stack
):
    payment = Payment.objects.get(order=sale.order)
    with parking(servers.database_url, ISSUING_TICKETS) as place:
        # Paid at the provider's, by a fan who never comes back from there.
        order_services.submit_payment(payment, {"outcome": "confirm"})
        pid, name = place.await_somebody()
        assert (name, books_of(sale.order)) == ("fairline worker-1", (Order.Status.HELD, False, 0))

        kill_worker(stack)
        wait_until(lambda: place.is_gone(pid), NOTICED_SECONDS)
    assert books_of(sale.order) == (Order.Status.HELD, False, 0)

    start_next_worker(stack)
    wait_until(lambda: books_of(sale.order) == (Order.Status.PAID, True, 2))
    wait_until(lambda: sale.statuses() == ["completed", "admitted", "admitted", "waiting", "waiting"])
    sale.assert_books_agree()


def books_of(order: Order) -> tuple[str, bool, int]:
    """Return how an order stands, whether its money is settled, and how many tickets it has."""
    settled = Payment.objects.filter(order=order, settled_at__isnull=False).exists()
    return Order.objects.get(pk=order.pk).status, settled, Ticket.objects.filter(order=order).count()
