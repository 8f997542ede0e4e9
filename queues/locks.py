"""The advisory locks of a queue. Both end with the transaction, so that a pooler between us and PostgreSQL may work.

`line`: shared by whoever joins, exclusive for whoever admits, draws or ends the sale. A place is given and committed
under the shared lock; so nobody who admits can overlook a lower place that is given but not yet committed.

`tick`: one tick of a queue at a time.

`gates`: of an event: shared by whoever has passed a fan's gate (see `queues.allowance`), exclusive for whoever sets an
allocation. So nobody holds, buys or gives back tickets while those of a queue are counted anew, and whoever does so
afterwards sees the allocation.
"""

from django.db import connection

from accounts.locks import ACCOUNT

LINE, TICK, GATES = 1, 2, 3

# A tick that cannot have the line at once admits nobody: joining must not stand still behind it.
LINE_WAIT_MS = 200

# Whoever ends a sale, or counts who is in line, does so once and by hand: that may hold up joining for longer.
LONG_LINE_WAIT_MS = 1500

# The same of whoever sets an allocation, and holding.
GATES_WAIT_MS = 1500


def share_line(queue_id: int, user_id: int) -> None:
    """Take part in the line until the transaction ends; waits for a tick that is admitting.

    In the same statement, and before, the fan's account is shared (see `accounts.locks`).
    """
    asked = [ACCOUNT, user_id, LINE, queue_id]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s), pg_advisory_xact_lock_shared(%s, %s)", asked)


def share_line_without_account(queue_id: int) -> None:
    """Take part in the line as `share_line` does, for whoever has no account."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [LINE, queue_id])


def take_line(queue_id: int, *, wait_ms: int = LINE_WAIT_MS) -> None:
    """Have the line alone until the transaction ends.

    Raises:
        OperationalError: not to be had within `wait_ms`; the transaction must be rolled back.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {int(wait_ms)}")
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LINE, queue_id])


def share_gates(event_id: int) -> None:
    """Let no allocation of the event be set until the transaction ends; waits for one that is being set."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [GATES, event_id])


def shut_gates(event_id: int) -> None:
    """Wait for everybody who has passed a gate of the event, and let nobody through until the transaction ends.

    Raises:
        OperationalError: somebody did not come out within `GATES_WAIT_MS`; the transaction must be rolled back.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {GATES_WAIT_MS}")
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [GATES, event_id])


def try_tick(queue_id: int) -> bool:
    """Become the only tick of a queue until the transaction ends, if no other is under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [TICK, queue_id])
        return bool(cursor.fetchone()[0])
