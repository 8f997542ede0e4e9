"""Redis emptied, and Redis away, in mid-sale: nobody is signed out or loses a place, and the sale goes on."""

from __future__ import annotations

import time

import pytest
import redis

from config.celery import app as celery_app
from config.embedded import Embedded
from config.stack import Stack
from tests.faults.crowd import BOUGHT, PAGE_SECONDS, MidSale, found, kind_of_answer, reloading, wait_until
from tests.faults.parking import ADMITTING, parking

pytestmark = pytest.mark.timeout(180)

AWAY_SECONDS = 3
# Celery tries again after 2 s, then after 4 s, 6 s and so on.
BACK_SECONDS = 40


def test_redis_emptied_in_mid_sale_loses_nothing(sale: MidSale, servers: Embedded, stack: Stack):
    before = sale.standings()
    with redis.Redis.from_url(servers.redis_url) as client, reloading(sale.paying, sale.pages()) as answers:
        wait_until(lambda: "shown" in answers.kinds)
        for _ in range(10):
            client.flushall()
            assert {kind_of_answer(fan.browser, sale.sale.journey) for fan in sale.waiting} == {"shown"}
    assert answers.kinds == {"shown"}
    assert sale.standings() == before

    sale.assert_goes_on()
    stack.check()


def test_redis_away_in_mid_sale_shows_every_page_and_the_sale_goes_on_when_it_is_back(
    sale: MidSale, servers: Embedded, stack: Stack
):
    before = sale.standings()
    with reloading(sale.choosing, [*sale.own_pages(), *sale.read_by_pages()]) as answers:
        stop_redis_while_the_worker_has_a_message(sale, servers, stack)
        began = time.monotonic()
        # Who is in line goes on standing there, who comes is given a place, who pays has tickets.
        assert {kind_of_answer(fan.browser, sale.sale.journey) for fan in sale.waiting} == {"shown"}
        sale.coming.send(found(sale.coming.look(sale.sale.journey), "/join/"))
        assert sale.coming.look(sale.sale.journey).place is not None
        assert sale.paying.pay_at(sale.paying.look(sale.counter)).heading == BOUGHT
        wait_until(lambda: time.monotonic() - began > AWAY_SECONDS)
        away = sale.standings()
    assert answers.kinds == {"shown"}
    assert answers.slowest[0] < PAGE_SECONDS
    # The tick that was under way has let one in; no other begins without Redis.
    assert [status for _, _, status in away] == ["completed", "admitted", "admitted", "waiting", "waiting", "waiting"]
    assert [fan[:2] for fan in away[:5]] == [fan[:2] for fan in before]

    servers.processes["Redis"].start()
    sale.sale.change_queue(max_concurrent_admissions=3)
    wait_until(lambda: sale.statuses()[3:] == ["admitted", "waiting", "waiting"], BACK_SECONDS)
    next_one = sale.waiting[1]
    assert next_one.pay(next_one.choose(sale.sale)).heading == BOUGHT
    sale.assert_books_agree()
    stack.check()


def stop_redis_while_the_worker_has_a_message(sale: MidSale, servers: Embedded, stack: Stack) -> None:
    """Let the worker stand in a tick, with one message taken and waiting for more, then stop Redis."""
    # No beat for a moment, so that the messages are these two and no others.
    stack.processes["beat"].stop()
    with (
        parking(servers.database_url, ADMITTING) as place,
        redis.Redis.from_url(servers.redis_url) as client,
        celery_app.connection_for_write(servers.redis_url) as broker,
    ):
        sale.sale.change_queue(max_concurrent_admissions=3)
        celery_app.send_task("queues.tasks.tick_queue", (sale.sale.queue.pk,), connection=broker)
        place.await_somebody()
        celery_app.send_task("accounts.tasks.send_queued_letters", connection=broker)
        wait_until(lambda: client.llen("celery:celery") == 0)
        servers.processes["Redis"].stop()
    stack.processes["beat"].start()
    sale.sale.change_queue(max_concurrent_admissions=2)
