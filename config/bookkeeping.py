"""The books of a sale, by SQL over its rows: what was sold to whom, and whether anything is wrong with it.

For a rehearsal's report. Reads only; every figure comes from rows, never from a counter, save those that compare both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from config.crowd.tally import Row

FIGURES = """
SELECT
    (SELECT count(*) FROM queues_admission) AS joined,
    (SELECT count(*) FROM queues_admission WHERE admitted_at IS NOT NULL) AS admitted,
    (SELECT count(*) FROM queues_admission WHERE status = 'completed') AS completed,
    (SELECT count(*) FROM queues_admission WHERE status = 'expired') AS expired,
    (SELECT count(*) FROM queues_admission WHERE status = 'left') AS "left",
    (SELECT count(*) FROM queues_admission WHERE status = 'denied') AS denied,
    (SELECT count(*) FROM queues_admission WHERE status = 'waiting') AS waiting,
    (SELECT count(*) FROM orders_payment p JOIN orders_order o ON o.id = p.order_id
      WHERE p.settled_at > o.hold_ends_at) AS late_payments,
    (SELECT count(*) FROM orders_payment WHERE status = 'refunded') AS refunded,
    (SELECT count(*) FROM orders_order) AS orders,
    (SELECT count(*) FROM orders_order WHERE status = 'paid') AS paid_orders,
    (SELECT count(*) FROM orders_order WHERE status = 'lapsed') AS lapsed_orders,
    (SELECT count(*) FROM orders_order WHERE status = 'replaced') AS replaced_orders,
    (SELECT count(*) FROM orders_ticket WHERE status <> 'void') AS tickets_sold
"""

# Tickets in people's hands or held for them, above what there is.
OVERSOLD = """
SELECT coalesce(sum(greatest(0, issued.number + held.number - tier.quantity - tier.returned_count)), 0)
FROM events_tier tier
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM orders_ticket WHERE tier_id = tier.id AND status <> 'void'
) issued
CROSS JOIN LATERAL (
    SELECT coalesce(sum(line.quantity), 0) AS number FROM orders_line line
    JOIN orders_order o ON o.id = line.order_id WHERE line.tier_id = tier.id AND o.status = 'held'
) held
"""

# Orders above the size of one, fans above the number of orders or of tickets, fans twice in one line, fans above the
# uses of a code.
LIMIT_BREACHES = """
WITH sizes AS (
    SELECT o.id, o.event_id, o.buyer_id, greatest(
        (SELECT coalesce(sum(quantity), 0) FROM orders_line WHERE order_id = o.id),
        (SELECT count(*) FROM orders_ticket WHERE order_id = o.id AND status <> 'void')
    ) AS tickets
    FROM orders_order o WHERE o.status IN ('held', 'paid')
)
SELECT
    (SELECT count(*) FROM sizes JOIN events_event event ON event.id = sizes.event_id
      WHERE tickets > event.max_tickets_per_order)
  + (SELECT count(*) FROM (
        SELECT 1 FROM sizes JOIN events_event event ON event.id = sizes.event_id
        GROUP BY event.id, sizes.buyer_id
        HAVING count(*) > event.max_orders_per_customer
            OR sum(tickets) > event.max_orders_per_customer * event.max_tickets_per_order) AS fans)
  + (SELECT count(*) FROM (
        SELECT 1 FROM queues_admission WHERE status IN ('waiting', 'admitted')
        GROUP BY queue_id, user_id, visitor HAVING count(*) > 1) AS doubles)
  + (SELECT coalesce(sum(greatest(0, used.number - code.max_uses)), 0) FROM queues_accesscode code
      CROSS JOIN LATERAL (SELECT count(*) AS number FROM queues_accesscodeuse WHERE code_id = code.id) used)
"""

# Money that is here and is neither tickets nor on its way back done, and paid orders whose tickets are not all there.
PAID_WITHOUT_TICKET = """
SELECT
    (SELECT count(*) FROM orders_payment p JOIN orders_order o ON o.id = p.order_id
      WHERE p.status = 'confirmed'
        AND (o.status <> 'paid' OR p.settled_at IS NULL OR p.refund_due_at IS NOT NULL))
  + (SELECT count(*) FROM orders_order o
      WHERE o.status = 'paid'
        AND (SELECT count(*) FROM orders_ticket WHERE order_id = o.id AND status <> 'void')
         <> (SELECT coalesce(sum(quantity), 0) FROM orders_line WHERE order_id = o.id))
"""

# (what, whose, counter, rows), wherever the two differ.
COUNTERS = """
WITH live AS (
    SELECT o.event_id, o.buyer_id, o.status, line.tier_id, o.id, coalesce(line.quantity, 0) AS quantity
    FROM orders_order o LEFT JOIN orders_line line ON line.order_id = o.id WHERE o.status IN ('held', 'paid')
),
pairs AS (
    SELECT 'tier.sold_count' AS what, tier.slug AS whose, tier.sold_count::bigint AS counter,
        (SELECT count(*) FROM orders_ticket WHERE tier_id = tier.id AND status <> 'void') AS rows
    FROM events_tier tier
    UNION ALL
    SELECT 'tier.reserved_count', tier.slug, tier.reserved_count,
        (SELECT coalesce(sum(quantity), 0) FROM live WHERE tier_id = tier.id AND status = 'held')
    FROM events_tier tier
    UNION ALL
    SELECT 'allowance.order_count', fan.email, coalesce(kept.order_count, 0), coalesce(real.orders, 0)
    FROM queues_allowance kept
    FULL JOIN (SELECT buyer_id, event_id, count(DISTINCT id) AS orders FROM live GROUP BY 1, 2) real
        ON real.buyer_id = kept.user_id AND real.event_id = kept.event_id
    JOIN accounts_user fan ON fan.id = coalesce(kept.user_id, real.buyer_id)
    UNION ALL
    SELECT 'allowance.ticket_count', fan.email, coalesce(kept.ticket_count, 0), coalesce(real.tickets, 0)
    FROM queues_allowance kept
    FULL JOIN (SELECT buyer_id, event_id, sum(quantity) AS tickets FROM live GROUP BY 1, 2) real
        ON real.buyer_id = kept.user_id AND real.event_id = kept.event_id
    JOIN accounts_user fan ON fan.id = coalesce(kept.user_id, real.buyer_id)
    UNION ALL
    SELECT 'code.use_count', code.code, code.use_count::bigint,
        (SELECT count(*) FROM queues_accesscodeuse WHERE code_id = code.id)
    FROM queues_accesscode code
    UNION ALL
    SELECT 'admission.has_hold', coalesce(fan.email, admission.visitor::text), admission.has_hold::int::bigint,
        (SELECT count(*) FROM orders_order o WHERE o.admission_id = admission.id AND o.status = 'held')
    FROM queues_admission admission LEFT JOIN accounts_user fan ON fan.id = admission.user_id
    UNION ALL
    SELECT 'queue.allocated_count', queue.slug, queue.allocated_count,
        (SELECT coalesce(sum(line.quantity), 0) FROM orders_line line JOIN orders_order o ON o.id = line.order_id
          WHERE o.queue_id = queue.id AND o.status = 'held')
      + (SELECT count(*) FROM orders_ticket ticket JOIN orders_order o ON o.id = ticket.order_id
          WHERE o.queue_id = queue.id AND ticket.status <> 'void')
    FROM queues_queue queue WHERE queue.allocation IS NOT NULL
)
SELECT what, whose, counter, rows FROM pairs WHERE counter <> rows ORDER BY what, whose
"""

# Each admission; one that ended without having been admitted stood in line until it ended.
ADMISSIONS = """
SELECT coalesce(fan.email, admission.visitor::text), queue.slug, admission.joined_at, admission.admitted_at,
    CASE WHEN admission.admitted_at IS NULL THEN admission.ended_at END
FROM queues_admission admission
LEFT JOIN accounts_user fan ON fan.id = admission.user_id JOIN queues_queue queue ON queue.id = admission.queue_id
ORDER BY admission.id
"""

# What a sweep has still to do: money to settle or to send back, holds to end.
UNFINISHED = """
SELECT (SELECT count(*) FROM orders_payment
         WHERE status = 'confirmed' AND (settled_at IS NULL OR refund_due_at IS NOT NULL))
     + (SELECT count(*) FROM orders_order WHERE status = 'held')
     + (SELECT count(*) FROM queues_admission WHERE status = 'admitted')
"""

PROGRESS = """
SELECT
    (SELECT count(*) FROM queues_admission WHERE status = 'waiting'),
    (SELECT count(*) FROM queues_admission WHERE status = 'admitted'),
    (SELECT count(*) FROM orders_order WHERE status = 'held'),
    (SELECT count(*) FROM orders_ticket WHERE status <> 'void'),
    (SELECT sum(tier.quantity) FROM events_tier tier JOIN events_event event ON event.id = tier.event_id
      WHERE event.slug = %s)
"""


@dataclass(frozen=True)
class CounterDifference:
    """A counter that says something else than the rows it stands for."""

    what: str
    whose: str
    counter: int
    rows: int


@dataclass(frozen=True)
class Progress:
    """Where a sale stands right now."""

    waiting: int
    inside: int
    holding: int
    sold: int
    stock: int


def figures() -> dict[str, int]:
    """Return how many joined, were admitted, bought and so on, by name."""
    with connection.cursor() as cursor:
        cursor.execute(FIGURES)
        row = cursor.fetchone()
        return dict(zip([column.name for column in cursor.description], row, strict=True))


def count_oversold() -> int:
    return int(_all(OVERSOLD)[0][0])


def count_limit_breaches() -> int:
    return int(_all(LIMIT_BREACHES)[0][0])


def count_paid_without_ticket() -> int:
    return int(_all(PAID_WITHOUT_TICKET)[0][0])


def counter_differences() -> list[CounterDifference]:
    return [CounterDifference(what, whose, int(says), int(rows)) for what, whose, says, rows in _all(COUNTERS)]


def admissions() -> list[Row]:
    """Return every admission in the order of their making, for the search for inversions."""
    return [Row(*row) for row in _all(ADMISSIONS)]


def count_unfinished() -> int:
    return int(_all(UNFINISHED)[0][0])


def progress(event_slug: str) -> Progress:
    """Return where the sale of an event stands."""
    return Progress(*(int(number or 0) for number in _all(PROGRESS, event_slug)[0]))


def _all(statement: str, *parameters: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall()
