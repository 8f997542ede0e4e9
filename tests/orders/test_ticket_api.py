"""Tickets, as programs see them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event, Tier
from orders.models import Order, Ticket
from queues.models import Admission
from tests.factories import AdmissionFactory, EventFactory, OrderFactory, QueueFactory, TicketFactory
from tests.orders.purchases import in_utc
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets/"


@pytest.fixture
def paid(admission: Admission) -> Order:
    """An order of Ben's, paid thirty days before its event."""
    return OrderFactory(admission=admission, status="paid", paid_at=timezone.now())


@pytest.fixture
def ticket(paid: Order, floor: Tier) -> Ticket:
    return TicketFactory(order=paid, tier=floor)


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A program that Ben has signed in."""
    client.force_login(ben)
    return client


def url(ticket: Ticket) -> str:
    return f"{TICKETS}{ticket.public_id}/"


def start_in(event: Event, span: timedelta) -> None:
    starts_at = timezone.now() + span
    Event.objects.filter(pk=event.pk).update(starts_at=starts_at, doors_at=starts_at)
    event.refresh_from_db()


def test_ticket_is_shown_without_its_code_before_the_release(bens: Client, ticket: Ticket, paid: Order):
    answer = bens.get(url(ticket))

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(ticket.public_id),
        "order": paid.code,
        "event": "fall-tour",
        "tier": "floor",
        "holder_name": "Ben",
        "status": "valid",
        "released_at": in_utc(paid.event.tickets_released_at),
        "code": None,
    }


def test_released_ticket_shows_its_code(bens: Client, ticket: Ticket, paid: Order):
    before = bens.get(url(ticket)).json()
    start_in(paid.event, timedelta(hours=47))

    answer = bens.get(url(ticket))

    assert answer.json() == before | {"released_at": in_utc(paid.event.tickets_released_at), "code": ticket.code}
    assert "no-store" in answer.headers["Cache-Control"]
    assert bens.get(TICKETS).json()["results"] == [answer.json()]


SPOILS = [lambda: Ticket.objects.update(status="void"), lambda: Event.objects.update(status="cancelled")]


@pytest.mark.parametrize("spoil", SPOILS)
def test_ticket_that_lets_nobody_in_never_shows_its_code(bens: Client, ticket: Ticket, paid: Order, spoil: Any):
    start_in(paid.event, timedelta(hours=1))
    spoil()

    assert [bens.get(url(ticket)).json()["code"], bens.get(TICKETS).json()["results"][0]["code"]] == [None, None]


def test_ticket_of_another_fan_is_as_one_that_never_was(client: Client, ticket: Ticket, cleo: User):
    start_in(ticket.event, timedelta(hours=1))
    client.force_login(cleo)

    answers = [client.get(url(ticket)), client.get(f"{TICKETS}{uuid4()}/")]

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (
            404,
            {
                "type": "http://127.0.0.1:8000/api/refusals/#ticket_not_found",
                "title": "Ticket not found",
                "status": 404,
                "detail": "There is no such ticket.",
                "code": "ticket_not_found",
            },
        )
    ] * 2
    assert client.get(TICKETS).json() == {"next": None, "previous": None, "results": []}


def test_ticket_belongs_to_its_owner_and_not_to_the_buyer(bens: Client, ticket: Ticket, cleo: User):
    Ticket.objects.update(owner=cleo)

    assert (bens.get(url(ticket)).status_code, bens.get(TICKETS).json()["results"]) == (404, [])


@pytest.mark.parametrize("path", ["", "00000000-0000-0000-0000-000000000000/"])
def test_stranger_signs_in_first(client: Client, path: str):
    answer = client.get(f"{TICKETS}{path}")

    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_tickets_are_only_looked_at(bens: Client, ticket: Ticket, method: str):
    before = list(Ticket.objects.values())

    answers = [getattr(bens, method)(path) for path in (TICKETS, url(ticket))]

    assert [answer.status_code for answer in answers] == [405] * 2
    assert list(Ticket.objects.values()) == before


def ticket_in(ben: User, *, days: int) -> Ticket:
    """Return a ticket of Ben's for another event."""
    event = EventFactory(starts_at=timezone.now() + timedelta(days=days))
    turn = AdmissionFactory(queue=QueueFactory(event=event), user=ben, admitted=True)
    return TicketFactory(order=OrderFactory(admission=turn, status="paid", paid_at=timezone.now()))


def ids(answer: Any) -> list[str]:
    return [ticket["id"] for ticket in answer.json()["results"]]


def test_list_goes_by_the_date_of_the_events_from_page_to_page(bens: Client, ticket: Ticket, ben: User, paid: Order):
    late, soon = ticket_in(ben, days=60), ticket_in(ben, days=2)
    second = TicketFactory(order=paid, tier=ticket.tier)
    third = TicketFactory(order=paid, tier=ticket.tier)
    expected = [str(one.public_id) for one in (soon, ticket, second, third, late)]

    pages = [bens.get(f"{TICKETS}?page_size=2")]
    while pages[-1].json()["next"]:
        pages.append(bens.get(pages[-1].json()["next"]))

    assert [ids(page) for page in pages] == [expected[:2], expected[2:4], expected[4:]]
    assert ids(bens.get(pages[-1].json()["previous"])) == expected[2:4]
    assert ids(bens.get(TICKETS)) == expected


def test_list_is_narrowed_by_status_and_event(bens: Client, ticket: Ticket, ben: User):
    other = ticket_in(ben, days=2)
    Ticket.objects.filter(pk=other.pk).update(status="void")

    asked = ["status=void", "event=fall-tour", "event=fall-tour&status=void", "event=nowhere"]

    assert [ids(bens.get(f"{TICKETS}?{query}")) for query in asked] == [
        [str(other.public_id)],
        [str(ticket.public_id)],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("status=happy", 400, "invalid"),
        ("event=%00", 400, "invalid"),
        ("cursor=nonsense", 404, "not_found"),
        # p=nonsense, p=9999-12-31T23:59-23:59
        ("cursor=cD1ub25zZW5zZQ%3D%3D", 404, "not_found"),
        ("cursor=cD05OTk5LTEyLTMxVDIzOjU5LTIzOjU5", 404, "not_found"),
    ],
)
def test_questions_that_make_no_sense_are_no_failure(bens: Client, query: str, status: int, code: str):
    answer = bens.get(f"{TICKETS}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_list_takes_as_many_statements_for_three_tickets_as_for_one(bens: Client, ticket: Ticket, paid: Order):
    numbers = []
    for more in (0, 2):
        TicketFactory.create_batch(more, order=paid)
        with counted_statements() as sent:
            assert bens.get(TICKETS).status_code == 200
        numbers.append(len(sent))

    # The account; the tickets.
    assert numbers == [2, 2]
