"""What tests of orders share."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from accounts.models import Letter, User
from events.models import Tier
from orders import services
from orders.models import Line, Order, Payment, Ticket
from queues.models import Admission, Allowance

Chosen: TypeAlias = "dict[str, int]"
Traces: TypeAlias = "dict[str, list[dict[str, Any]]]"
Pay: TypeAlias = "Callable[..., Payment]"

EVERYTHING: list[Any] = [model.objects for model in (Order, Line, Payment, Ticket, Admission, Allowance, Letter, Tier)]


def traces() -> Traces:
    """Return everything that an act on orders could change."""
    return {rows.model.__name__: list(rows.order_by("pk").values()) for rows in EVERYTHING}


@pytest.fixture
def order(token: str, ben: User) -> Order:
    """Ben's hold of two tickets on the floor."""
    return services.hold_tickets(user=ben, token=token, wanted={"floor": 2})


@pytest.fixture
def payment(order: Order) -> Payment:
    """An open payment of Ben's hold."""
    return services.start_payment(order, holders=["Ben", "Bea"], email="ben@example.org")
