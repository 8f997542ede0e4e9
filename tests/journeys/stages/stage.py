"""A stage: a page as somebody comes to see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.models import User
from tests.journeys.sales import new_fan
from tests.journeys.visitor import Visitor

Stage = Callable[[Visitor], None]
STAGES: dict[str, Stage] = {}
# The status of the stages in which the server fails.
FAILURES: dict[str, int] = {}


def stage(arrive: Stage) -> Stage:
    """Note a stage under the name of the function that leads a visitor there."""
    STAGES[arrive.__name__] = arrive
    return arrive


def failing(status: int) -> Callable[[Stage], Stage]:
    """Note a stage in which the server answers with a failure, as it should."""

    def note(arrive: Stage) -> Stage:
        FAILURES[arrive.__name__] = status
        return stage(arrive)

    return note


def sign_in_new_fan(visitor: Visitor, **fields: Any) -> User:
    fan = new_fan(**{"name": "Wanda Walker", **fields})
    visitor.sign_in(fan)
    return fan
