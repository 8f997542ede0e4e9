"""The books of a sale: each fault that can be planted in the rows is found, and the report fails for it."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from config import bookkeeping
from config.bookkeeping import CounterDifference
from config.crowd import report
from config.crowd.plans import MISBEHAVIOUR, Kind
from config.crowd.tally import WAYS, Join, Row, Tally
from config.crowd.way import Via
from events.models import Tier
from orders import services
from orders.models import Order
from queues.admittance import token_for
from queues.models import AccessCode, AccessCodeUse, Admission, Queue
from tests.factories import AdmissionFactory, QueueFactory

ENDED = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = [
    "via",
    *("fans", "joined", "refused", "admitted", "completed", "expired", "left", "parallel_buys_tried", "late_payments"),
    *("tickets_sold", "oversold", "order_inversions", "limit_breaches", "paid_without_ticket", "errors_5xx"),
    *("join_p95_ms", "board_p95_ms", "hold_p95_ms", "pay_p95_ms"),
    *("answers_304", "answers_repeated", "answers_differing", "seconds", "came", "misbehaviour"),
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


def test_books_find_a_code_that_let_in_too_many(queue: Queue, ben: User, cleo: User):
    code = AccessCode.objects.create(queue=queue, code="FALL", max_uses=1, use_count=1)
    for fan in (ben, cleo):
        AccessCodeUse.objects.create(code=code, queue=queue, user=fan)
    difference = CounterDifference("code.use_count", code.code, 1, 2)
    assert faults() == {**NO_FAULTS, "limit_breaches": 1, "counter_differences": [difference]}


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
        Row(ben.email, queue.slug, waiting.joined_at, None, None),
        Row(cleo.email, queue.slug, left.joined_at, None, ENDED),
        Row(admitted.user.email, queue.slug, admitted.joined_at, admitted.admitted_at, None),
    ]


# The report


FINE: dict[str, Any] = {
    "via": "pages",
    "fans": 50,
    "answers_304": 0,
    "answers_repeated": 0,
    "answers_differing": 0,
    "late_payments": 1,
    **dict.fromkeys(("oversold", "order_inversions", "limit_breaches", "paid_without_ticket", "errors_5xx"), 0),
    "came": dict.fromkeys(WAYS, 1),
    "misbehaviour": dict.fromkeys(map(str, MISBEHAVIOUR), 1),
}
TAME = {"late_payments": 0, "came": dict.fromkeys(WAYS, 0), "misbehaviour": dict.fromkeys(map(str, MISBEHAVIOUR), 0)}


def test_report_of_a_sound_rehearsal_has_no_failures():
    assert report.failures(FINE, unsold=[]) == []


def test_report_asks_for_every_misbehaviour_from_fifty_fans_on():
    assert report.failures({**FINE, **TAME, "fans": 49}, unsold=[]) == []
    assert len(report.failures({**FINE, **TAME}, unsold=[])) == len(MISBEHAVIOUR) + len(WAYS) + 1


@pytest.mark.parametrize("name", report.MUST_BE_ZERO)
def test_report_fails_for_each_broken_promise(name: str):
    assert report.failures({**FINE, name: 2}, unsold=[]) == [f"{name} is 2"]
    assert report.failures({**FINE, name: 2, "fans": 20}, unsold=[]) == [f"{name} is 2"]


@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_report_fails_where_a_kind_of_misbehaviour_did_not_happen(kind: Kind):
    tame = {**FINE["misbehaviour"], str(kind): 0}
    told = [f"nobody {kind}: the crowd did not do its work"]
    assert report.failures({**FINE, "misbehaviour": tame}, unsold=[]) == told


@pytest.mark.parametrize("way", WAYS)
def test_report_fails_where_nobody_came_in_one_of_the_ways(way: str):
    figures = {**FINE, "came": {**FINE["came"], way: 0}}
    assert report.failures(figures, unsold=[]) == [f"nobody came to the sale as {way}"]


def test_report_fails_for_counters_unsold_tiers_and_no_late_money():
    assert report.failures({**FINE, "counter_differences": [{}], "late_payments": 0}, unsold=["vip"]) == [
        "1 counters differ from the rows",
        "tier vip has fewer tickets than wanted and is not sold out",
        "no payment came late by the rows",
    ]


def test_report_counts_an_inversion_inside_a_queue_and_not_between_two(queue: Queue, ben: User, cleo: User):
    beside = QueueFactory(event=queue.event)
    early = AdmissionFactory(queue=queue, user=ben, admitted=True)
    late = AdmissionFactory(queue=beside, user=cleo, admitted=True)
    joined = timezone.now().timestamp()
    plant("UPDATE queues_admission SET joined_at = to_timestamp(%s) WHERE id = %s", joined, early.pk)
    plant("UPDATE queues_admission SET joined_at = to_timestamp(%s) WHERE id = %s", joined + 5, late.pk)
    plant("UPDATE queues_admission SET admitted_at = to_timestamp(%s) WHERE id = %s", joined + 20, early.pk)
    plant("UPDATE queues_admission SET admitted_at = to_timestamp(%s) WHERE id = %s", joined + 10, late.pk)
    tally = Tally()
    tally.joins = [Join(ben.email, queue.slug, joined - 1, joined + 1)]
    tally.joins += [Join(cleo.email, slug, joined + 4, joined + 6) for slug in (queue.slug, beside.slug)]

    assert report.make(tally, fans=20, seconds=1.5, unsold=[]).figures["order_inversions"] == 0
    plant("UPDATE queues_admission SET queue_id = %s WHERE id = %s", queue.pk, late.pk)
    overtaken = report.make(tally, fans=20, seconds=1.5, unsold=[])
    assert overtaken.failures == ["order_inversions is 1"]


@pytest.mark.django_db
def test_report_counts_5xx_answers_and_both_ways_to_buy_in_parallel():
    tally = Tally(errors=["GET /: 500 "])
    tally.happened.update([Kind.BUYS_TWICE, Kind.BUYS_IN_TWO_QUEUES, Kind.BUYS_IN_TWO_QUEUES])
    made = report.make(tally, fans=20, seconds=1.5, unsold=[])
    assert (made.figures["errors_5xx"], made.figures["parallel_buys_tried"]) == (1, 3)
    assert made.failures == ["errors_5xx is 1"]


def test_report_of_programs_asks_for_what_good_ones_do():
    programs = {**FINE, "via": "api", "answers_304": 7, "answers_repeated": 3}
    assert report.failures(programs, unsold=[]) == []
    assert report.failures({**programs, "answers_304": 0, "answers_repeated": 0}, unsold=[]) == [
        "no program was told that nothing has changed",
        "no program asked again with the same key",
    ]


def test_report_says_how_the_crowd_came(db: None):
    made = report.make(Tally(via=Via.API, unchanged=7, repeated=3, differing=1), fans=20, seconds=1.5, unsold=[])
    told = ("via", "answers_304", "answers_repeated", "answers_differing")
    assert [made.figures[name] for name in told] == ["api", 7, 3, 1]
    assert made.failures == ["answers_differing is 1"]


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


def test_visitors_without_an_account_are_in_the_books_and_no_fault(queue: Queue):
    visitors = [uuid4(), uuid4()]
    for visitor in visitors:
        AdmissionFactory(queue=queue, user=None, visitor=visitor)

    assert [row.email for row in bookkeeping.admissions()] == [str(visitor) for visitor in visitors]
    assert faults() == NO_FAULTS
