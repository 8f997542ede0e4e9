import math
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.alphabet import ALPHABET
from accounts.models import User
from events.models import Event
from orders import codes
from orders.models import Ticket
from tests.factories import EventFactory, OrderFactory, TicketFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

LOOK_ALIKES = set("01IOL")


@pytest.fixture
def ticket(admission, ben: User) -> Ticket:
    """A ticket of Ben's, thirty days before its event."""
    return TicketFactory(order=OrderFactory(admission=admission, status="paid", paid_at=timezone.now()))


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    client.force_login(ben)
    return client


def starts_in(event: Event, span: timedelta) -> None:
    starts_at = timezone.now() + span
    Event.objects.filter(pk=event.pk).update(starts_at=starts_at, doors_at=starts_at)


def test_codes_have_no_look_alikes():
    assert set(ALPHABET) & LOOK_ALIKES == set()
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert set("".join(codes.ticket_code() for _ in range(200))) == set(ALPHABET)


def test_ticket_code_is_not_to_be_guessed():
    length = len(codes.ticket_code())

    assert length * math.log2(len(ALPHABET)) >= 128
    assert length <= (Ticket._meta.get_field("code").max_length or 0)
    assert len({codes.ticket_code() for _ in range(1000)}) == 1000


def test_confirmation_number_has_eight_characters():
    assert {len(codes.confirmation_number()) for _ in range(20)} == {8}


@pytest.mark.parametrize(("before", "shown"), [(-1, False), (0, True), (1, True)])
def test_code_is_shown_from_its_release_on(before: int, shown: bool):
    now = timezone.now()
    event = EventFactory.build(starts_at=now + timedelta(hours=48), tickets_released_hours_before=48)
    ticket = Ticket(event=event)

    assert ticket.is_code_released(now + timedelta(microseconds=before)) is shown


def test_ticket_says_when_its_code_appears(ticket: Ticket, bens: Client):
    answer = bens.get(ticket.get_absolute_url())

    page = answer.content.decode()
    assert (ticket.code in page, "QR code" in page, "appears here on" in page) == (False, False, True)
    assert (answer.context["code"], answer.context["qr"]) == (None, None)


def test_released_ticket_shows_its_code(ticket: Ticket, bens: Client):
    starts_in(ticket.event, timedelta(hours=47))

    answer = bens.get(ticket.get_absolute_url())

    assert ticket.code in answer.content.decode()
    assert answer.context["qr"].startswith("data:image/svg+xml")
    assert "no-store" in answer["Cache-Control"]


def test_void_ticket_never_shows_its_code(ticket: Ticket, bens: Client):
    starts_in(ticket.event, timedelta(hours=1))
    Ticket.objects.update(status=Ticket.Status.VOID)

    page = bens.get(ticket.get_absolute_url()).content.decode()

    assert (ticket.code in page, "Not valid any more" in page) == (False, True)


def test_ticket_of_another_fan_does_not_exist(ticket: Ticket, client: Client, cleo: User):
    starts_in(ticket.event, timedelta(hours=1))
    client.force_login(cleo)

    assert client.get(ticket.get_absolute_url()).status_code == 404
    assert str(ticket.public_id) not in client.get("/tickets/").content.decode()


def test_ticket_that_never_was_does_not_exist(bens: Client):
    assert bens.get(f"/tickets/{uuid4()}/").status_code == 404


@pytest.mark.parametrize("path", ["/tickets/", "/tickets/00000000-0000-0000-0000-000000000000/"])
def test_stranger_signs_in_first(client: Client, path: str):
    assert client.get(path)["Location"] == f"/account/login/?next={path}"


def test_ticket_belongs_to_its_owner_and_not_to_the_buyer(ticket: Ticket, bens: Client, cleo: User):
    Ticket.objects.update(owner=cleo)

    assert bens.get(ticket.get_absolute_url()).status_code == 404


def test_list_takes_as_many_statements_for_three_tickets_as_for_one(ticket: Ticket, bens: Client):
    numbers = []
    for more in (0, 2):
        TicketFactory.create_batch(more, order=ticket.order)
        with counted_statements() as sent:
            assert bens.get("/tickets/").status_code == 200
        numbers.append(len(sent))

    assert numbers[0] == numbers[1] <= 4


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [("valid", "used", True), ("valid", "void", True), ("used", "valid", True), ("void", "valid", False)],
)
def test_ticket_keeps_to_its_stages(before: str, after: str, allowed: bool):
    ticket = Ticket(status=before)

    if allowed:
        ticket.move_to(after)
    else:
        with pytest.raises(ValueError, match="cannot go"):
            ticket.move_to(after)

    assert ticket.status == (after if allowed else before)
