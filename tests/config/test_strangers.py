"""A walk over the whole API with names of what is somebody else's, or not yet public: it is not there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from config.description import Operation, read_operations
from events.models import Event
from orders import services
from orders.models import Order, Ticket
from queues import admittance
from queues.models import Admission, Queue
from tests.api import program_of, refused
from tests.factories import AdmissionFactory, EventFactory, QueueFactory, TierFactory
from tests.test_architecture import APPS

pytestmark = pytest.mark.django_db

OPERATIONS = read_operations()
# The kind of thing that an address names first, and what its name is called there.
OWNED = [operation for operation in OPERATIONS if re.match(r"/api/v1/(orders|tickets)/\{", operation.path)]
PUBLISHED = [operation for operation in OPERATIONS if re.match(r"/api/v1/(events|queues)/\{", operation.path)]


def named(operation: Operation) -> str:
    return operation.id


def address(operation: Operation, name: object) -> str:
    return re.sub(r"\{\w+\}", str(name), operation.path, count=1)


def ask(program: APIClient, operation: Operation, name: object) -> Any:
    return program.generic(operation.method, address(operation, name), "{}", content_type="application/json")


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return each row of each of our tables."""
    models = [model for model in apps.get_models() if model._meta.app_label in APPS]
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models}


@pytest.fixture
def held(ben: User, token: str) -> Order:
    """What Ben holds."""
    return services.hold_tickets(user=ben, token=token, wanted={"floor": 1})


@pytest.fixture
def bought(ben: User) -> Ticket:
    """A ticket of Ben's, of another sale."""
    queue = QueueFactory(event=TierFactory(name="Floor", slug="floor").event)
    turn = AdmissionFactory(queue=queue, user=ben, admitted=True)
    order = services.hold_tickets(user=ben, token=admittance.token_for(turn), wanted={"floor": 1})
    payment = services.start_payment(order, holders=["Ben"], email=ben.email)
    services.submit_payment(payment, {"outcome": "confirm"})
    services.settle_order(order)
    return Ticket.objects.get(order=order)


def names(held: Order, bought: Ticket) -> dict[str, list[object]]:
    return {"orders": [held.code, bought.order.code], "tickets": [bought.public_id]}


def test_every_operation_names_what_it_is_about_in_a_way_that_is_walked_here():
    walked = {operation.id for operation in [*OWNED, *PUBLISHED]}

    assert [operation.path for operation in OPERATIONS if "{" in operation.path and operation.id not in walked] == []


@pytest.mark.parametrize("operation", OWNED, ids=named)
def test_what_is_somebody_elses_is_not_there(operation: Operation, held: Order, bought: Ticket, cleo: User):
    stranger = program_of(cleo)
    # She has a turn of her own at the same sale, and has been here before.
    AdmissionFactory(queue=held.queue, user=cleo, admitted=True)
    before = everything()

    for name in names(held, bought)[operation.path.split("/")[3]]:
        code = ask(stranger, operation, name).json()["code"]
        assert (code, ask(stranger, operation, name).status_code) == (f"{operation.tag[:-1]}_not_found", 404)
    assert everything() == before


@pytest.mark.parametrize("operation", OWNED, ids=named)
def test_what_is_ones_own_is_there(operation: Operation, held: Order, bought: Ticket, ben: User):
    """Else the test above would prove nothing."""
    for name in names(held, bought)[operation.path.split("/")[3]]:
        assert ask(program_of(ben), operation, name).status_code != 404


@pytest.mark.parametrize("operation", PUBLISHED, ids=named)
@pytest.mark.parametrize("program", ["nobody", "ben"])
def test_draft_is_not_there(operation: Operation, program: str, ben: User):
    tier = TierFactory(event=EventFactory(status=Event.Status.DRAFT))
    queue = QueueFactory(event=tier.event)
    AdmissionFactory(queue=queue, user=ben, admitted=True, claimed_at=timezone.now())
    asker = program_of(ben) if program == "ben" else APIClient()
    name = tier.event.slug if operation.tag == "events" else queue.slug
    before = everything()

    answer = ask(asker, operation, name)
    # Whoever must sign in is told so first.
    refused(answer, "sign_in_required" if answer.status_code == 401 and program == "nobody" else "not_found")
    assert everything() == before


@pytest.mark.parametrize("operation", [one for one in PUBLISHED if one.tag == "queues"], ids=named)
def test_queue_that_is_not_published_is_not_there(operation: Operation, queue: Queue, admission: Admission, ben: User):
    Queue.objects.update(published_at=None)
    program = program_of(ben)
    before = everything()

    refused(ask(program, operation, queue.slug), "not_found")
    assert everything() == before
