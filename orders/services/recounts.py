"""Counters against the rows they count: finding where they differ, and setting the counters right."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection, transaction

from events import services as event_services
from events.models import Event, Tier
from queues import services as queue_services

# One statement sees one state of the database, in which every act is whole: what differs in it is a defect.
DIFFERENCES = """
WITH live AS (
    SELECT o.id, o.buyer_id, o.status, line.tier_id, coalesce(line.quantity, 0) AS quantity
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
)
SELECT what, whose, pk, coalesce(counter, 0)::bigint, coalesce(rows, 0)::bigint FROM pairs
WHERE coalesce(counter, 0) <> coalesce(rows, 0)
ORDER BY what IN ('orders', 'tickets'), whose, pk, what
"""

OF_A_TIER = frozenset({"sold", "reserved"})


@dataclass(frozen=True)
class Difference:
    """A counter that says something else than its rows.

    `what` is sold or reserved, of the tier `whose`; or orders or tickets, of the fan `whose`.
    `pk` is the tier's or the fan's.
    """

    what: str
    whose: str
    pk: int
    counter: int
    rows: int

    @property
    def is_of_a_tier(self) -> bool:
        return self.what in OF_A_TIER


def find_differences(event: Event) -> list[Difference]:
    """Return every counter of the event's tiers and allowances that differs from its rows."""
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
    """
    found = find_differences(event)
    fans = {difference.pk for difference in found if not difference.is_of_a_tier}
    tiers = {difference.pk for difference in found if difference.is_of_a_tier}
    queue_services.open_allowances(event, fans)
    list(Tier.objects.filter(pk__in=tiers).lock().values_list("pk", flat=True))
    # With the locks held, in a statement of its own, so that it sees what was committed while we waited for them.
    differences = [
        difference
        for difference in find_differences(event)
        if difference.pk in (tiers if difference.is_of_a_tier else fans)
    ]
    _mend(event, differences)
    return differences


def _mend(event: Event, differences: list[Difference]) -> None:
    stock: dict[int, dict[str, int]] = defaultdict(dict)
    owned: dict[int, dict[str, int]] = defaultdict(dict)
    for difference in differences:
        counters = stock if difference.is_of_a_tier else owned
        counters[difference.pk][difference.what] = difference.rows
    for user_id, counts in sorted(owned.items()):
        queue_services.correct_allowance(user_id, event, **counts)
    for tier_id, counts in sorted(stock.items()):
        event_services.correct_stock(tier_id, **counts)
