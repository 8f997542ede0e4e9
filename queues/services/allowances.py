"""The gate. Steps of a caller's transaction: they carry none of their own.

Whoever passes it shares the event's `gates` lock, in the same statement and before the row: from then on allocations
stay as they are (see `queues.locks`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Greatest

from accounts.models import User
from events.models import Event
from queues import locks
from queues.models import Allowance, AllowanceQuerySet, Queue
from queues.refusals import OrderLimitReached, TicketLimitReached

ADD = """
INSERT INTO queues_allowance AS kept (user_id, event_id, order_count, ticket_count, order_limit, ticket_limit)
SELECT %(user)s, %(event)s, 1, %(tickets)s, %(order_limit)s, %(ticket_limit)s
FROM pg_advisory_xact_lock_shared(%(gates)s, %(event)s)
ON CONFLICT (user_id, event_id) DO UPDATE SET
    order_count = kept.order_count + 1,
    ticket_count = kept.ticket_count + excluded.ticket_count,
    order_limit = excluded.order_limit,
    ticket_limit = excluded.ticket_limit
WHERE kept.order_count + 1 <= excluded.order_limit
  AND kept.ticket_count + excluded.ticket_count <= excluded.ticket_limit
RETURNING kept.id
"""


def open_allowance(user: User, event: Event) -> Allowance:
    """Lock what `user` holds of `event` until the transaction ends; the first lock of whoever may change it."""
    allowance = _pass(user, event).first()
    if allowance is None:
        locks.share_gates(event.pk)
        Allowance.objects.bulk_create([Allowance(user=user, event=event)], ignore_conflicts=True)
        allowance = _pass(user, event).get()
    return allowance


def open_allowances(event: Event, users: Collection[int]) -> list[Allowance]:
    """Lock what each of `users` (pks) holds of `event`, as `open_allowance` does, lowest pk first."""
    locks.share_gates(event.pk)
    Allowance.objects.bulk_create(
        [Allowance(user_id=user, event=event) for user in sorted(set(users))], ignore_conflicts=True
    )
    return list(Allowance.objects.filter(user__in=users, event=event).lock())


def open_allowances_of(user: User) -> list[Allowance]:
    """Lock what `user` holds of every event, lowest pk first, until the transaction ends."""
    return list(Allowance.objects.filter(user=user).lock())


def _pass(user: User, event: Event) -> AllowanceQuerySet:
    gates = Func(Value(locks.GATES), Value(event.pk), function="pg_advisory_xact_lock_shared", output_field=TextField())
    return Allowance.objects.of(user, event).lock().annotate(passed=gates)


def check_allowance(order_count: int, ticket_count: int, *, tickets: int, queue: Queue) -> None:
    """Refuse politely when one more order with `tickets` tickets would pass a limit.

    Raises:
        OrderLimitReached, TicketLimitReached
    """
    if order_count + 1 > queue.order_limit:
        raise OrderLimitReached
    if ticket_count + tickets > queue.ticket_limit:
        raise TicketLimitReached


def has_allowance_left(user: User, queue: Queue) -> bool:
    """Tell whether the fan may have one more order, with one ticket at least."""
    kept = Allowance.objects.of(user, queue.event).first()
    if kept is None:
        return True
    return kept.order_count < queue.order_limit and kept.ticket_count < queue.ticket_limit


def add_to_allowance(user: User, queue: Queue, *, tickets: int) -> None:
    """Count one more order with `tickets` tickets, and lock the row: gate, limit and count in one statement.

    Raises:
        OrderLimitReached, TicketLimitReached: nothing is counted.
    """
    limits = {"order_limit": queue.order_limit, "ticket_limit": queue.ticket_limit}
    if tickets > queue.ticket_limit:
        raise TicketLimitReached
    with connection.cursor() as cursor:
        asked = {"user": user.pk, "event": queue.event_id, "tickets": tickets, "gates": locks.GATES}
        cursor.execute(ADD, {**asked, **limits})
        if cursor.fetchone() is not None:
            return
    allowance = Allowance.objects.of(user, queue.event).get()
    check_allowance(allowance.order_count, allowance.ticket_count, tickets=tickets, queue=queue)
    raise TicketLimitReached


def correct_allowance(user_id: int, event: Event, *, orders: int | None = None, tickets: int | None = None) -> None:
    """Set counts that differed from their rows to what the rows say; None leaves one as it is. The row is locked.

    Where the rows say more than the limit, the limit that was last asked for gives way: what the fan has is a fact, and
    the next order is measured by the limits of its own time.
    """
    counts = {"order": orders, "ticket": tickets}
    known: dict[str, Any] = {name: number for name, number in counts.items() if number is not None}
    Allowance.objects.filter(user=user_id, event=event).update(
        **{f"{name}_count": number for name, number in known.items()},
        **{f"{name}_limit": Greatest(f"{name}_limit", number) for name, number in known.items()},
    )


def take_from_allowance(user: User, event: Event, *, tickets: int) -> None:
    """Count one order with `tickets` tickets less."""
    Allowance.objects.of(user, event).update(order_count=F("order_count") - 1, ticket_count=F("ticket_count") - tickets)
