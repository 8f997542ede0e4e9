"""PostgreSQL restarted in mid-sale: pages say "busy" meanwhile, and the sale goes on by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection

from config.embedded import Embedded
from config.stack import Stack
from tests.faults.crowd import PAGE_SECONDS, Fan, MidSale, found, kind_of_answer, reloading, wait_until

pytestmark = pytest.mark.timeout(180)

# More than the web server has threads, so that each has a request and a connection.
AT_ONCE, TIMES = 16, 64


def test_postgres_restarted_makes_pages_busy_and_the_sale_goes_on(sale: MidSale, servers: Embedded, stack: Stack):
    server = servers.processes["PostgreSQL"]
    before = sale.standings()
    to_choose = found(sale.choosing.look(sale.sale.journey), "/hold/")
    to_pay = found(sale.paying.look(sale.counter), "/payment/")
    connection.close()
    with reloading(sale.paying, sale.pages()) as answers:
        server.stop()
        refused = [
            sale.choosing.send(to_choose, **{"tier-floor": "1"}).refusal,
            sale.paying.send(to_pay, outcome="confirm").refusal,
        ]
        away = {kind_of_answer(sale.choosing.browser, path) for path in sale.own_pages()}
        server.start()
        wait_until(lambda: kind_of_answer(sale.choosing.browser, "/") == "shown")

    assert (refused, away) == (["busy", "busy"], {"busy"})
    assert answers.kinds == {"shown", "busy"}
    assert answers.slowest[0] < PAGE_SECONDS
    assert sale.standings() == before
    sale.assert_goes_on()
    stack.check()


def test_postgres_restarted_between_two_requests_makes_nobody_busy(sale: MidSale, servers: Embedded):
    fan = sale.choosing
    assert kinds_of_many_answers(fan, sale.sale.journey) == {"shown"}

    connection.close()
    servers.processes["PostgreSQL"].stop()
    servers.processes["PostgreSQL"].start()
    # A connection of this process's own: no request of the web server has met the restart yet.
    wait_until(can_connect)

    assert kinds_of_many_answers(fan, sale.sale.journey) == {"shown"}
    sale.assert_goes_on()


def kinds_of_many_answers(fan: Fan, path: str) -> set[str]:
    """Ask for a page from many tabs at once, several times each."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return set(pool.map(lambda _: kind_of_answer(fan.browser, path), range(TIMES)))


def can_connect() -> bool:
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True
