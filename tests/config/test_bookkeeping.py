"""The books of a sale: each fault that can be planted in the rows is found, and the report fails for it."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from config import bookkeeping
from config.bookkeeping import CounterDifference
from config.crowd import report
from config.crowd.plans import MISBEHAVIOUR
from config.crowd.tally import Row, Tally
from events.models import Tier
from orders import services
from orders.models import Order
from queues.admittance import token_for
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory

ENDED = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = [
    *("fans", "joined", "refused", "admitted", "completed", "expired", "left", "parallel_buys_tried", "late_payments"),
    *("tickets_sold", "oversold", "order_inversions", "limit_breaches", "paid_without_ticket", "errors_5xx"),
    *("join_p95_ms", "board_p95_ms", "hold_p95_ms", "pay_p95_ms", "seconds"),
]


@pytest.fixture
def sold(queue: Queue, ben: User, token: str) -> Order:
    """Ben's two tickets, bought as everyone buys."""
    order = services.hold_tickets(user=ben, token=token, wanted={"floor": 2})
    payment = services.start_payment(order, holders=["Ben", "Bo"], email=ben.email)
    services.submit_payment(payment, {"outcome": "confirm"})
    services.settle_payment(payment)
    order.refresh_from_db()
    return order


def plant(statement: str, *parameters: Any, without: str = "") -> None:
    """Change rows behind the services' back; `without` drops a constraint until the test ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if without:
            cursor.execute(without)
        cursor.execute(statement, parameters)
        assert cursor.rowcount > 0


WITHOUT_STOCK_LIMIT = "ALTER TABLE events_tier DROP CONSTRAINT tier_never_oversold"


def faults() -> dict[str, Any]:
    return {
        "oversold": bookkeeping.count_oversold(),
        "limit_breaches": bookkeeping.count_limit_breaches(),
        "paid_without_ticket": bookkeeping.count_paid_without_ticket(),
        "counter_differences": bookkeeping.counter_differences(),
    }


NO_FAULTS = {"oversold": 0, "limit_breaches": 0, "paid_without_ticket": 0, "counter_differences": []}


def test_books_of_a_sound_sale_show_no_fault(sold: Order, queue: Queue):
    held = AdmissionFactory(queue=queue, admitted=True)
    services.hold_tickets(user=held.user, token=token_for(held), wanted={"vip": 4})
    assert faults() == NO_FAULTS
    figures = bookkeeping.figures()
    assert {name: figures[name] for name in ("joined", "admitted", "completed", "tickets_sold", "late_payments")} == {
        "joined": 2,
        "admitted": 2,
        "completed": 1,
        "tickets_sold": 2,
        "late_payments": 0,
    }
    assert bookkeeping.count_unfinished() == 2
    assert bookkeeping.progress(queue.event.slug) == bookkeeping.Progress(
        waiting=0, inside=1, holding=1, sold=2, stock=105
    )


def test_books_find_a_tier_that_is_oversold(sold: Order, floor: Tier):
    plant("UPDATE events_tier SET quantity = 1 WHERE id = %s", floor.pk, without=WITHOUT_STOCK_LIMIT)
    assert faults() == {**NO_FAULTS, "oversold": 1}


def test_books_count_held_tickets_as_taken(queue: Queue, ben: User, token: str, vip: Tier):
    services.hold_tickets(user=ben, token=token, wanted={"vip": 4})
    plant("UPDATE events_tier SET quantity = 1 WHERE id = %s", vip.pk, without=WITHOUT_STOCK_LIMIT)
    assert faults() == {**NO_FAULTS, "oversold": 3}


def test_books_find_a_paid_order_without_its_ticket(sold: Order):
    plant("UPDATE orders_ticket SET status = 'void' WHERE id = (SELECT min(id) FROM orders_ticket)")
    assert faults() == {
        **NO_FAULTS,
        "paid_without_ticket": 1,
        "counter_differences": [CounterDifference("tier.sold_count", "floor", 2, 1)],
    }


@pytest.mark.parametrize(
    "change", ["settled_at = NULL", "refund_due_at = now()"], ids=["nobody settled it", "nobody sent it back"]
)
def test_books_find_money_that_is_neither_tickets_nor_back(sold: Order, change: str):
    plant(f"UPDATE orders_payment SET {change}")
    assert faults() == {**NO_FAULTS, "paid_without_ticket": 1}


def test_books_find_an_order_and_a_fan_above_the_limits(sold: Order):
    plant("UPDATE events_event SET max_tickets_per_order = 1")
    assert faults() == {**NO_FAULTS, "limit_breaches": 2}


def test_books_find_a_fan_with_one_order_too_many(sold: Order, queue: Queue, floor: Tier):
    second = AdmissionFactory(queue=queue, admitted=True)
    services.hold_tickets(user=second.user, token=token_for(second), wanted={"floor": 1})
    plant("UPDATE orders_order SET buyer_id = %s WHERE status = 'held'", sold.buyer_id)
    found = faults()
    assert found["limit_breaches"] == 1
    assert {difference.what for difference in found["counter_differences"]} == {
        "allowance.order_count",
        "allowance.ticket_count",
    }


def test_books_find_a_fan_who_stands_twice_in_a_line(queue: Queue, ben: User):
    AdmissionFactory(queue=queue, user=ben)
    plant(
        "INSERT INTO queues_admission (queue_id, user_id, public_id, status, has_hold, order_code, reason)"
        " VALUES (%s, %s, gen_random_uuid(), 'waiting', false, '', '')",
        queue.pk,
        ben.pk,
        without="DROP INDEX fan_stands_once_in_a_queue",
    )
    assert faults() == {**NO_FAULTS, "limit_breaches": 1}


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("events_tier SET sold_count = 3 WHERE slug = 'floor'", ("tier.sold_count", "floor", 3, 2)),
        ("events_tier SET reserved_count = 1 WHERE slug = 'vip'", ("tier.reserved_count", "vip", 1, 0)),
        ("queues_allowance SET ticket_count = 1", ("allowance.ticket_count", "ben@example.org", 1, 2)),
        ("queues_allowance SET order_count = 0", ("allowance.order_count", "ben@example.org", 0, 1)),
    ],
)
def test_books_find_a_counter_that_differs_from_the_rows(sold: Order, change: str, difference: tuple):
    plant(f"UPDATE {change}")
    assert faults() == {**NO_FAULTS, "counter_differences": [CounterDifference(*difference)]}


@pytest.mark.parametrize(("allocation", "is_counted"), [(None, False), (10, True)])
def test_books_find_a_queue_that_counts_other_tickets_than_it_has(
    sold: Order, allocation: int | None, is_counted: bool
):
    held = AdmissionFactory(queue=sold.queue, admitted=True)
    services.hold_tickets(user=held.user, token=token_for(held), wanted={"vip": 3})
    services.change_allocation(sold.queue, allocation)
    sound = faults()
    plant("UPDATE queues_queue SET allocated_count = 4")
    difference = CounterDifference("queue.allocated_count", "fall-tour-sale", 4, 5)
    assert (sound, faults()) == (NO_FAULTS, {**NO_FAULTS, "counter_differences": [difference] if is_counted else []})


def test_books_find_a_fan_marked_as_holding_who_holds_nothing(admission: Admission):
    plant("UPDATE queues_admission SET has_hold = true")
    difference = CounterDifference("admission.has_hold", "ben@example.org", 1, 0)
    assert faults() == {**NO_FAULTS, "counter_differences": [difference]}


def test_books_find_a_fan_without_an_allowance(sold: Order):
    plant("DELETE FROM queues_allowance")
    assert [dataclasses.astuple(difference) for difference in bookkeeping.counter_differences()] == [
        ("allowance.order_count", "ben@example.org", 0, 1),
        ("allowance.ticket_count", "ben@example.org", 0, 2),
    ]


def test_books_count_money_that_came_after_its_hold(sold: Order):
    plant("UPDATE orders_order SET hold_ends_at = now() - interval '1 minute'")
    assert bookkeeping.figures()["late_payments"] == 1


def test_books_say_who_stood_in_line_until_when(queue: Queue, ben: User, cleo: User):
    waiting = AdmissionFactory(queue=queue, user=ben)
    left = AdmissionFactory(queue=queue, user=cleo, status=Admission.Status.LEFT, ended_at=ENDED)
    admitted = AdmissionFactory(queue=queue, admitted=True)
    assert bookkeeping.admissions() == [
        Row(ben.email, waiting.joined_at, None, None),
        Row(cleo.email, left.joined_at, None, ENDED),
        Row(admitted.user.email, admitted.joined_at, admitted.admitted_at, None),
    ]


# The report


FINE = {
    "fans": 50,
    "late_payments": 1,
    **dict.fromkeys(("oversold", "order_inversions", "limit_breaches", "paid_without_ticket", "errors_5xx"), 0),
}
ALL_HAPPENED = dict.fromkeys(map(str, MISBEHAVIOUR), 1)


def test_report_of_a_sound_rehearsal_has_no_failures():
    assert report.failures(FINE, ALL_HAPPENED, unsold=[]) == []
    assert report.failures({**FINE, "fans": 49, "late_payments": 0}, dict.fromkeys(ALL_HAPPENED, 0), unsold=[]) == []


@pytest.mark.parametrize("name", report.MUST_BE_ZERO)
def test_report_fails_for_each_broken_promise(name: str):
    assert report.failures({**FINE, name: 2}, ALL_HAPPENED, unsold=[]) == [f"{name} is 2"]


def test_report_fails_for_counters_unsold_tiers_and_tame_crowds():
    assert report.failures({**FINE, "counter_differences": [{}]}, ALL_HAPPENED, unsold=["vip"]) == [
        "1 counters differ from the rows",
        "tier vip has fewer tickets than wanted and is not sold out",
    ]
    assert report.failures({**FINE, "late_payments": 0}, {**ALL_HAPPENED, "leaves the line": 0}, unsold=[]) == [
        "nobody leaves the line: the crowd did not do its work",
        "no payment came late by the rows",
    ]


def test_report_ends_with_its_figures_as_json(sold: Order):
    made = report.make(Tally(), fans=12, seconds=1.5, unsold=[])
    figures = json.loads(made.text().splitlines()[-1])
    assert list(figures) == KEYS
    assert (figures["fans"], figures["tickets_sold"], figures["completed"], figures["seconds"]) == (12, 2, 1, 1.5)


def test_report_names_counters_that_differ(sold: Order):
    plant("UPDATE events_tier SET sold_count = 3 WHERE slug = 'floor'")
    made = report.make(Tally(), fans=12, seconds=1.5, unsold=[])
    assert made.figures["counter_differences"] == [
        {"what": "tier.sold_count", "whose": "floor", "counter": 3, "rows": 2}
    ]
    assert made.failures == ["1 counters differ from the rows"]
