"""A worker that stands still at a named instant of its work, inside its transaction.

Nothing in the product knows of it: the test gives a table a trigger that waits for an advisory lock, which the test
holds. Whoever writes such a row stands there, with everything it has written before and nothing committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from queues import locks
from tests.faults.crowd import wait_until

BARRIER = 4_171

# The instants, each as the middle of a CREATE TRIGGER.
ADMITTING = "UPDATE ON queues_admission FOR EACH ROW WHEN (OLD.status = 'waiting' AND NEW.status = 'admitted')"
ISSUING_TICKETS = "INSERT ON orders_ticket FOR EACH ROW"

# The lock that a tick is about to have may be waited for 200 ms only; this one for as long as it takes.
FUNCTION = f"""
CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({BARRIER});
    RETURN NULL;
END $$
"""

PARKED = """
SELECT activity.pid, activity.application_name FROM pg_locks JOIN pg_stat_activity activity USING (pid)
WHERE locktype = 'advisory' AND objid = %s AND objsubid = 1 AND NOT granted
"""

LINE_TAKEN = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted AND pid = %s AND classid = %s AND objid = %s
"""


@dataclass(frozen=True)
class Parking:
    """Where a worker is made to stand: `pid` and name of the one who stands there."""

    connection: psycopg.Connection

    def await_somebody(self) -> tuple[int, str]:
        """Wait until somebody stands there; returns the server process and the name of its client."""
        wait_until(self._standing)
        [standing] = self._standing()
        return standing

    def has_line(self, pid: int, queue_id: int) -> bool:
        """Whether that one has the line of a queue for itself."""
        [[taken]] = self.connection.execute(LINE_TAKEN, [pid, locks.LINE, queue_id]).fetchall()
        return bool(taken)

    def is_gone(self, pid: int) -> bool:
        """Whether the server has noticed that its client is dead, and undone what it did."""
        found = self.connection.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid])
        return found.rowcount == 0

    def _standing(self) -> list[tuple[int, str]]:
        return self.connection.execute(PARKED, [BARRIER]).fetchall()


@contextmanager
def parking(database_url: str, event: str) -> Iterator[Parking]:
    """Make whoever causes `event` stand still until the block ends."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [BARRIER])
        connection.execute(FUNCTION)
        connection.execute(f"CREATE TRIGGER stand_still AFTER {event} EXECUTE FUNCTION stand_still()")
        try:
            yield Parking(connection)
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [BARRIER])
            connection.execute("DROP FUNCTION stand_still CASCADE")
