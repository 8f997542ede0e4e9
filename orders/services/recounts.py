"""Counters against the rows they count: finding where they differ, and setting the counters right."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TypeAlias

from django.db import connection, transaction
from django.db.models import Model

from accounts.models import User
from events import services as event_services
from events.models import Event, Tier
from queues import services as queue_services
from queues.models import Admission, Queue

# The table, and the pk in it.
Row: TypeAlias = tuple[type[Model], int]

# One statement sees one state of the database, in which every act is whole: what differs in it is a defect.
DIFFERENCES = """
WITH live AS (
    SELECT o.id, o.buyer_id, o.queue_id, o.admission_id, o.status, line.tier_id, coalesce(line.quantity, 0) AS quantity
    FROM orders_order o LEFT JOIN orders_line line ON line.order_id = o.id
    WHERE o.event_id = %(event)s AND o.status IN ('held', 'paid')
),
reserved AS (
    SELECT tier_id, sum(quantity) AS number FROM live WHERE status = 'held' GROUP BY tier_id
),
sold AS (
    SELECT tier_id, count(*) AS number FROM orders_ticket
    WHERE event_id = %(event)s AND status <> 'void' GROUP BY tier_id
),
used AS (
    SELECT queue_id, sum(number) AS number FROM (
        SELECT queue_id, quantity AS number FROM live WHERE status = 'held'
        UNION ALL
        SELECT o.queue_id, 1 FROM orders_ticket ticket JOIN orders_order o ON o.id = ticket.order_id
        WHERE ticket.event_id = %(event)s AND ticket.status <> 'void'
    ) parts GROUP BY queue_id
),
owned AS (
    SELECT buyer_id, count(DISTINCT id) AS orders, sum(quantity) AS tickets FROM live GROUP BY buyer_id
),
kept AS (
    SELECT coalesce(allowance.user_id, owned.buyer_id) AS user_id,
        allowance.order_count, allowance.ticket_count, owned.orders, owned.tickets
    FROM (SELECT * FROM queues_allowance WHERE event_id = %(event)s) allowance
    FULL JOIN owned ON owned.buyer_id = allowance.user_id
),
pairs AS (
    SELECT 'sold' AS what, tier.name AS whose, tier.id AS pk, tier.sold_count AS counter, sold.number AS rows
    FROM events_tier tier LEFT JOIN sold ON sold.tier_id = tier.id WHERE tier.event_id = %(event)s
    UNION ALL
    SELECT 'reserved', tier.name, tier.id, tier.reserved_count, reserved.number
    FROM events_tier tier LEFT JOIN reserved ON reserved.tier_id = tier.id WHERE tier.event_id = %(event)s
    UNION ALL
    SELECT 'orders', fan.email, fan.id, kept.order_count, kept.orders
    FROM kept JOIN accounts_user fan ON fan.id = kept.user_id
    UNION ALL
    SELECT 'tickets', fan.email, fan.id, kept.ticket_count, kept.tickets
    FROM kept JOIN accounts_user fan ON fan.id = kept.user_id
    UNION ALL
    SELECT 'allocated', queue.name, queue.id, queue.allocated_count, used.number
    FROM queues_queue queue LEFT JOIN used ON used.queue_id = queue.id
    WHERE queue.event_id = %(event)s AND queue.allocation IS NOT NULL
    UNION ALL
    SELECT 'holding', fan.email, turn.id, turn.has_hold::int,
        (SELECT count(DISTINCT id) FROM live WHERE admission_id = turn.id AND status = 'held')
    FROM queues_admission turn JOIN queues_queue queue ON queue.id = turn.queue_id
    JOIN accounts_user fan ON fan.id = turn.user_id
    WHERE queue.event_id = %(event)s AND turn.status = 'admitted'
)
SELECT what, whose, pk, coalesce(counter, 0)::bigint, coalesce(rows, 0)::bigint FROM pairs
WHERE coalesce(counter, 0) <> coalesce(rows, 0)
ORDER BY what NOT IN ('sold', 'reserved'), what <> 'allocated', whose, what, pk
"""

OF_WHICH = {
    "sold": Tier,
    "reserved": Tier,
    "allocated": Queue,
    "orders": User,
    "tickets": User,
    "holding": Admission,
}


@dataclass(frozen=True)
class Difference:
    """A counter that says something else than its rows.

    `what` is sold or reserved, of the tier `whose`; allocated, of the queue `whose`; or orders or tickets, of the fan
    `whose`, or holding (0 or 1), of that fan's turn. `pk` is the tier's, the queue's, the fan's or the turn's.
    """

    what: str
    whose: str
    pk: int
    counter: int
    rows: int

    @property
    def row(self) -> Row:
        """Of which row it is."""
        return OF_WHICH[self.what], self.pk


def find_differences(event: Event) -> list[Difference]:
    """Return every counter of the event's tiers, queues, allowances and turns that differs from its rows."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES, {"event": event.pk})
        return [Difference(*row) for row in cursor.fetchall()]


@transaction.atomic
def recount_stock(event: Event) -> list[Difference]:
    """Set every counter that differs from its rows to what the rows say; returns what was changed.

    The sale may go on meanwhile: only what differs is locked. Whoever has moved such a counter has then committed, rows
    and all; whoever has written rows and not yet the counter is not seen, and adds to the counter after us.

    Raises:
        StockAboveQuantity: the rows of a tier say more than its quantity allows; nothing is changed.
        UsedAboveAllocation: those of a queue say more than its allocation; nothing is changed.
    """
    locked = _lock(event, {difference.row for difference in find_differences(event)})
    # With the locks held, in a statement of its own, so that it sees what was committed while we waited for them.
    differences = [difference for difference in find_differences(event) if difference.row in locked]
    _mend(event, differences)
    return differences


def _lock(event: Event, rows: set[Row]) -> set[Row]:
    """Lock rows that counters are of, in the order in which every act takes them; a turn with its fan's gate."""
    pks = {model: [pk for of, pk in rows if of is model] for model in (User, Admission, Queue, Tier)}
    turns = Admission.objects.filter(pk__in=pks[Admission])
    queue_services.open_allowances(event, [*pks[User], *turns.values_list("user", flat=True)])
    for locking in (turns, Queue.objects.filter(pk__in=pks[Queue]), Tier.objects.filter(pk__in=pks[Tier])):
        list(locking.lock().values_list("pk", flat=True))
    return rows


def _mend(event: Event, differences: list[Difference]) -> None:
    counts: dict[type[Model], dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for difference in differences:
        model, pk = difference.row
        counts[model][pk][difference.what] = difference.rows
    for user_id, owned in sorted(counts[User].items()):
        queue_services.correct_allowance(user_id, event, **owned)
    for admission_id, held in sorted(counts[Admission].items()):
        queue_services.correct_hold(admission_id, has_hold=held["holding"] > 0)
    for queue_id, used in sorted(counts[Queue].items()):
        queue_services.correct_allocation(queue_id, used=used["allocated"])
    for tier_id, stock in sorted(counts[Tier].items()):
        event_services.correct_stock(tier_id, **stock)
