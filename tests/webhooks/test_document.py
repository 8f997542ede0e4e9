"""docs/webhooks.md says what is told, as it is told: every example is compared with a real fact."""

import json
import re
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import User
from config.stack import PROJECT
from queues.models import Queue
from tests.webhooks.life import live_a_life
from webhooks.models import Endpoint, Fact, FactType

DOCUMENT = (PROJECT / "docs" / "webhooks.md").read_text()
EXAMPLE = re.compile(r"^### `(.+?)`\n.*?```json\n(.*?)```", re.MULTILINE | re.DOTALL)

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CODE = re.compile(r"[A-Z0-9]{8}")
NUMBER = re.compile(r"[0-9]+")
# What differs from sale to sale, and what it looks like; everything else in an example is exactly what is told.
DIFFERS = {
    "timestamp": INSTANT,
    "event.date": INSTANT,
    "admission.id": UUID,
    "admission.place": NUMBER,
    "admission.joined_at": INSTANT,
    "admission.admitted_at": INSTANT,
    "admission.window_ends_at": INSTANT,
    "admission.ended_at": INSTANT,
    "customer.id": NUMBER,
    "order.code": CODE,
    "order.paid_at": INSTANT,
}


def examples() -> dict[str, Any]:
    return {fact_type: json.loads(body) for fact_type, body in EXAMPLE.findall(DOCUMENT)}


def blurred(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body with each value's type beside it, and what differs from sale to sale replaced by its looks."""

    def blur(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {key: blur(inner, f"{path}.{key}".removeprefix(".data").lstrip(".")) for key, inner in value.items()}
        pattern = DIFFERS.get(path)
        if pattern and value is not None and pattern.fullmatch(str(value)):
            return type(value), pattern.pattern
        return type(value), value

    return {key: blur(value, "" if key == "data" else key) for key, value in body.items()}


@pytest.fixture
def bodies(queue: Queue, ben: User, cleo: User, endpoint: Endpoint) -> dict[str, Any]:
    """Return one real body of each type, as a program would read it; of two the first."""
    Queue.objects.filter(pk=queue.pk).update(metadata={"campaign": "autumn"})
    live_a_life(queue, ben, cleo)
    facts = Fact.objects.order_by("-pk")
    return {fact.type: json.loads(json.dumps(fact.body(), cls=DjangoJSONEncoder)) for fact in facts}


def test_every_type_that_can_be_told_has_its_example():
    assert list(examples()) == FactType.values


@pytest.mark.django_db
@pytest.mark.parametrize("fact_type", FactType.values)
def test_example_is_what_is_told(bodies: dict[str, Any], fact_type: str):
    assert blurred(examples()[fact_type]) == blurred(bodies[fact_type])


def test_types_are_listed_with_what_the_desk_says_of_them():
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|", DOCUMENT, re.MULTILINE)
    assert [(fact_type, words) for fact_type, words in rows if fact_type in FactType.values] == [
        (fact_type.value, str(fact_type.label)) for fact_type in FactType
    ]


def test_what_differs_is_blurred_and_nothing_else():
    body = {"type": "order.paid", "timestamp": "2027-01-02T03:04:05Z", "data": {"order": {"code": "AB12CD34", "n": 1}}}

    assert blurred(body) == {
        "type": (str, "order.paid"),
        "timestamp": (str, INSTANT.pattern),
        "data": {"order": {"code": (str, CODE.pattern), "n": (int, 1)}},
    }
