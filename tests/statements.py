"""The statements that an act sends to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK")


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Give a list that holds the block's statements once it has ended; what only frames a transaction is left out."""
    sent: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield sent
    sent.extend(query["sql"] for query in captured.captured_queries if not query["sql"].startswith(FRAME))
