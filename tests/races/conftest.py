"""What races share: everything is committed, and a keeper can be taken out for the negative control."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import pytest
from django.db import connection

from accounts.models import User
from events.models import Tier
from orders.models import Line, Order, Payment, Ticket
from queues import admittance
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory

Turn: TypeAlias = "tuple[User, str]"


@pytest.fixture(autouse=True)
def _committed(transactional_db: None) -> None:
    """Let threads see each other's rows."""


def turn_at(queue: Queue, user: User | None = None) -> Turn:
    """Admit a fan, somebody new unless named; returns who it is, and the token."""
    named = {"user": user} if user else {}
    admission = AdmissionFactory(queue=queue, admitted=True, **named)
    return admission.user, admittance.token_for(admission)


@contextmanager
def without_index(name: str, table: str) -> Iterator[None]:
    """Take a unique index away, and empty the event's rows before it is made again: they may break it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s AND tablename = %s", [name, table])
        (definition,) = cursor.fetchone()
        cursor.execute(f'DROP INDEX "{name}"')
        try:
            yield
        finally:
            for rows in (Ticket.objects, Payment.objects, Line.objects, Order.objects, Admission.objects):
                rows.all().delete()
            cursor.execute(definition)


@contextmanager
def without_stock_check() -> Iterator[None]:
    """Take the constraint on stock away, and give every tier enough before it is made again: they may break it."""
    table, name = "events_tier", "tier_never_oversold"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name])
        (definition,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        try:
            yield
        finally:
            Tier.objects.update(quantity=1000)
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
