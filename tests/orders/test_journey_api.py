"""The journey, as programs are told it."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event
from orders import services
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory
from tests.orders.programs import API, everything, journey, told, written
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A program that is signed in as Ben."""
    client.force_login(ben)
    return client


def test_journey_of_a_turn_has_what_holding_takes(
    queue: Queue, admission: Admission, token: str, ben: User, bens: Client
):
    ends_at = written(admission.window_ends_at)
    turn = {"stage": "admitted", "admittance_token": token, "admittance_expires_at": ends_at}

    assert journey(bens) == told(queue, **turn)

    order = services.hold_tickets(user=ben, token=token, wanted={"floor": 1})
    assert journey(bens) == told(queue, **turn, order=order.code)

    services.release_order(order)
    assert journey(bens) == told(queue, **turn)


@pytest.mark.parametrize(
    ("status", "facts"),
    [
        ("completed", {"stage": "completed", "order": "ABCDEF"}),
        ("expired", {"stage": "expired", "order": "ABCDEF"}),
        ("left", {"order": "ABCDEF"}),
        ("denied", {"order": "ABCDEF", "reason": "sold_out"}),
    ],
)
def test_journey_that_has_ended_says_how(queue: Queue, ben: User, bens: Client, status: str, facts: dict):
    AdmissionFactory(queue=queue, user=ben, status=status, order_code="ABCDEF", reason=facts.get("reason", ""))

    assert journey(bens) == told(queue, **facts)


ENDS = {
    "sold_out_at": {"phase": "sold_out", "reason": "sold_out"},
    "closed_at": {"phase": "closed", "reason": "queue_closed"},
    "scheduled_end": {"phase": "closed", "reason": "queue_closed"},
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("stood", [None, "waiting", "left"])
def test_end_of_a_sale_is_told_at_once(queue: Queue, ben: User, bens: Client, stood: str | None, end: str):
    if stood:
        AdmissionFactory(queue=queue, user=ben, status=stood)
    Queue.objects.update(**{end: timezone.now()})
    size = int(stood == "waiting")

    at_once = journey(bens)
    queue_services.free_next_fans()

    assert at_once == told(queue, **ENDS[end], queue_size=size)
    assert journey(bens) == told(queue, **ENDS[end])
    assert Admission.objects.filter(user=ben).waiting().count() == 0


@pytest.mark.usefixtures("admission")
def test_turn_without_anything_left_to_buy_says_so(token: str, ben: User, bens: Client):
    def ending() -> tuple[str, str, str]:
        own = journey(bens)
        return own["stage"], own["phase"], own["reason"]

    Queue.objects.update(closed_at=timezone.now())
    closed = ending()
    Queue.objects.update(closed_at=None, sold_out_at=timezone.now())
    sold_out = ending()
    services.hold_tickets(user=ben, token=token, wanted={"floor": 1})
    held = ending()
    Event.objects.update(status="cancelled")

    # Whoever is inside goes on when a sale closes, and with a hold when it has sold out.
    assert (closed, sold_out) == (("admitted", "closed", ""), ("admitted", "sold_out", "sold_out"))
    assert (held, ending()) == (("admitted", "sold_out", ""), ("admitted", "closed", "event_cancelled"))


def test_turn_that_was_missed_is_told_before_the_sweep(queue: Queue, ben: User, bens: Client):
    AdmissionFactory(queue=queue, user=ben, admitted=True, claim_ends_at=timezone.now())

    assert journey(bens) == told(queue, stage="expired", reason="absent")


@pytest.mark.parametrize("stage", ["not_started", "waiting", "admitted"])
def test_journey_is_not_sent_again_while_nothing_changes(queue: Queue, ben: User, bens: Client, stage: str):
    if stage != "not_started":
        AdmissionFactory(queue=queue, user=ben, admitted=stage == "admitted")
    queue_services.publish_board(queue.pk)
    first = bens.get(f"{API}/journey/")
    same = {"If-None-Match": first.headers["ETag"]}

    again = bens.get(f"{API}/journey/", headers=same)
    queue_services.publish_board(queue.pk)
    on_a_new_board = bens.get(f"{API}/journey/", headers=same)
    Queue.objects.update(paused_at=timezone.now())
    changed = bens.get(f"{API}/journey/", headers=same)

    assert (first.status_code, first.json()["stage"], first["Cache-Control"]) == (200, stage, "private, no-cache")
    assert [(answer.status_code, answer.content) for answer in (again, on_a_new_board)] == [(304, b"")] * 2
    assert (changed.status_code, changed.json()["phase"]) == (200, "paused")


def test_journey_takes_three_statements(queue: Queue, admission: Admission, bens: Client):
    queue_services.publish_board(queue.pk)
    with counted_statements() as sent:
        bens.get(f"{API}/journey/")

    # The account, the queue, the standing.
    assert len(sent) == 3


def test_asking_changes_nothing(queue: Queue, admission: Admission, bens: Client):
    before = everything()
    journey(bens)

    assert everything() == before
