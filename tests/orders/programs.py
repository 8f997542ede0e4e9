"""The line as a program meets it: what it asks and is told."""

from __future__ import annotations

from typing import Any

from django.test import Client

from queues import services as queue_services
from queues.conditions import AccessCode, AccessCodeUse, CardPrefix, CardProgramme, Readiness, SpentSolution
from queues.models import Queue
from tests.factories import AccessCodeFactory
from tests.orders.conftest import traces

API = "/api/v1/queues/fall-tour-sale"
ACTS = ("ready", "join", "claim", "leave")
DOOR: list[Any] = [AccessCode.objects, AccessCodeUse.objects, Readiness.objects, SpentSolution.objects]


def everything() -> dict[str, Any]:
    return {**traces(), **{rows.model.__name__: list(rows.order_by("pk").values()) for rows in DOOR}}


def act(client: Client, name: str, body: Any = None) -> Any:
    return client.post(f"{API}/{name}/", {} if body is None else body, content_type="application/json")


def journey(client: Client) -> dict[str, Any]:
    """Return the journey as it is told on a board of this instant."""
    queue_services.publish_board(Queue.objects.get(slug="fall-tour-sale").pk)
    answer = client.get(f"{API}/journey/")
    assert answer.status_code == 200
    return dict(answer.json())


def told(queue: Queue, **facts: Any) -> dict[str, Any]:
    """Return the journey of a fan who has not joined, with `facts` instead."""
    queue.refresh_from_db()
    starts_at = written(queue.scheduled_start)
    line = {"place": None, "position": None, "people_ahead": None, "estimated_wait_seconds": None, "queue_size": 0}
    turn = {"admittance_token": None, "admittance_expires_at": None, "order": None, "reason": ""}
    return {"stage": "not_started", "phase": "open", **line, "starts_at": starts_at, **turn, **facts}


def written(instant: Any) -> str:
    return str(instant.isoformat()).replace("+00:00", "Z")


def refusal(answer: Any) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.headers["Content-Type"]


def refused(status: int, code: str) -> tuple[int, str, str]:
    return status, code, "application/problem+json"


def ask_for_card(queue: Queue) -> None:
    programme = CardProgramme.objects.create(name="American Express", slug="amex")
    CardPrefix.objects.create(programme=programme, digits="37")
    queue.eligible_cards.add(programme)


def ask_for_code(queue: Queue) -> None:
    Queue.objects.update(require_access_code=True)
    AccessCodeFactory(queue=queue, code="GOOD")
