"""Several at the same instant: threads, each with a database connection of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier, Event, Thread, get_ident
from typing import Any, Generic, TypeVar

from django.db import connection, transaction

T = TypeVar("T")

# Longer than any race takes, shorter than the database waits for an idle transaction.
PATIENCE_SECONDS = 4.0


class Run(Thread, Generic[T]):
    """One action in a thread of its own; `outcome()` waits for it."""

    def __init__(self, action: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self.action = action
        self.result: T | Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self.action()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            self.result = error
        finally:
            connection.close()

    def outcome(self) -> Any:
        """Return what the action returned, or the exception it ended with."""
        self.join(PATIENCE_SECONDS * 3)
        assert not self.is_alive(), "a racer hangs"
        return self.result


def race(action: Callable[[int], T], times: int) -> list[Any]:
    """Call `action(0)`, `action(1)`, ... at the same instant; return what became of each, exceptions included."""
    start = Barrier(times)

    def begin(number: int) -> T:
        start.wait(PATIENCE_SECONDS)
        return action(number)

    runs = [Run(partial(begin, number)) for number in range(times)]
    return [run.outcome() for run in runs]


class Gate:
    """A place where a thread stops until it is let through; `reached` says that one stands there."""

    def __init__(self) -> None:
        self.reached, self.opened = Event(), Event()

    def stop_here(self) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE_SECONDS), "nobody opened the gate"

    def wait_until_reached(self) -> None:
        assert self.reached.wait(PATIENCE_SECONDS), "nobody came to the gate"


@contextmanager
def uncommitted(action: Callable[[], T]) -> Iterator[Run[T]]:
    """Do `action` in another thread's transaction, which commits when the block ends."""
    gate = Gate()

    @transaction.atomic
    def act() -> T:
        result = action()
        gate.stop_here()
        return result

    run = Run(act)
    try:
        gate.wait_until_reached()
        yield run
    finally:
        gate.opened.set()
        run.outcome()


def wait_until_somebody_waits(*, unless: Callable[[], bool] = lambda: False) -> None:
    """Wait until a session of this database waits for a lock that another one has, or `unless` is so."""
    ends_at = time.monotonic() + PATIENCE_SECONDS / 2
    with connection.cursor() as cursor:
        while time.monotonic() < ends_at:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0] or unless():
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def meeting(function: Callable[..., T], parties: int) -> Callable[..., T]:
    """Return `function` so that no thread goes on from its first call before all have made theirs."""
    together = Barrier(parties)
    met: set[int] = set()

    def meet(*args: Any, **kwargs: Any) -> T:
        result = function(*args, **kwargs)
        if get_ident() not in met:
            met.add(get_ident())
            together.wait(PATIENCE_SECONDS)
        return result

    return meet
