"""A cancelled event: its buyers are told, each once, and every page of theirs says so."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import mailbox
from accounts.models import Letter, User
from events import services as event_services
from events.models import Event, Tier
from orders import tasks
from orders.models import Order, Payment, Ticket
from orders.services import cancellations, settlement
from queues.models import Queue
from tests.factories import AdmissionFactory, LineFactory, OrderFactory, TicketFactory
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Batches of two."""
    monkeypatch.setattr(cancellations, "TOLD_AT_ONCE", 2)
    return 2


def buy(queue: Queue, **fields: Any) -> Order:
    admission = AdmissionFactory(queue=queue, status="completed")
    paid = {"status": Order.Status.PAID, "paid_at": timezone.now(), "hold_ends_at": timezone.now()}
    return OrderFactory(admission=admission, **{**paid, **fields})


def letters() -> list[tuple[str, str, str]]:
    return list(Letter.objects.order_by("pk").values_list("to", "subject", "kind"))


def test_buyers_of_a_cancelled_event_are_told_once(queue: Queue, event: Event):
    own, other = buy(queue), buy(queue, email="other@example.org")
    for status in set(Order.Status) - {Order.Status.PAID}:
        buy(queue, status=status, paid_at=None)
    tasks.tell_buyers_of_cancelled_events()
    before = letters()

    event_services.cancel_event(event)
    tasks.tell_buyers_of_cancelled_events()
    tasks.tell_buyers_of_cancelled_events()

    told = [(address, "Cancelled: Fall Tour", Letter.Kind.MASS) for address in (own.buyer.email, "other@example.org")]
    assert (before, letters()) == ([], told)
    assert set(Order.objects.exclude(cancellation_told_at=None)) == {own, other}


def test_letter_says_what_was_bought_and_who_sold_it(queue: Queue, event: Event, floor: Tier):
    order = buy(queue)
    LineFactory(order=order, tier=floor, quantity=2)
    event_services.cancel_event(event)

    cancellations.tell_next_buyers()

    letter = Letter.objects.get()
    assert letter.text.startswith(f"Hello {order.buyer.name},\n\nwe are sorry: Fall Tour is cancelled")
    assert f"Your order {order.code}\n2x Floor\nPaid: $110.00\n" in letter.text
    for part in (letter.text, letter.html):
        assert "These tickets were sold by Ada Concerts." in part
        assert f"http://127.0.0.1:8000/orders/{order.code}/" in part


def test_buyers_are_told_batch_after_batch(queue: Queue, event: Event, few: int):
    orders = [buy(queue) for _ in range(5)]
    event_services.cancel_event(event)

    assert cancellations.tell_next_buyers() == few
    assert [to for to, _, _ in letters()] == [order.buyer.email for order in orders[:few]]

    tasks.tell_buyers_of_cancelled_events()
    assert [to for to, _, _ in letters()] == [order.buyer.email for order in orders]


def test_batch_that_breaks_off_leaves_its_buyers_to_be_told(
    queue: Queue, event: Event, monkeypatch: pytest.MonkeyPatch
):
    order = buy(queue)
    event_services.cancel_event(event)
    with monkeypatch.context() as broken:
        broken.setattr(mailbox, "post_to_each", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            cancellations.tell_next_buyers()
    assert (letters(), Order.objects.get().cancellation_told_at) == ([], None)

    tasks.tell_buyers_of_cancelled_events()

    assert [to for to, _, _ in letters()] == [order.buyer.email]


def test_address_that_cannot_be_one_keeps_the_letter_from_nobody_else(queue: Queue, event: Event):
    first, second = buy(queue), buy(queue)
    User.objects.filter(pk=first.buyer_id).update(email="not an address")
    event_services.cancel_event(event)

    tasks.tell_buyers_of_cancelled_events()

    assert [to for to, _, _ in letters()] == [second.buyer.email]


def test_order_paid_just_before_the_cancellation_is_told_too(payment: Payment, event: Event):
    Payment.objects.update(status="confirmed", captured_amount=payment.total)
    tasks.tell_buyers_of_cancelled_events()
    settlement.settle_payment(payment)
    event_services.cancel_event(event)

    tasks.tell_buyers_of_cancelled_events()

    assert [(to, subject) for to, subject, _ in letters()][1:] == [("ben@example.org", "Cancelled: Fall Tour")]


@pytest.fixture
def ticket(queue: Queue, event: Event, floor: Tier, ben: User, client: Client) -> Ticket:
    """Ben's ticket of an event that is near enough for its code to be shown."""
    client.force_login(ben)
    Event.objects.update(doors_at=timezone.now(), starts_at=timezone.now())
    ticket: Ticket = TicketFactory(order=buy(queue, buyer=ben), tier=floor)
    return ticket


def test_pages_of_a_buyer_say_that_the_event_is_cancelled(ticket: Ticket, event: Event, client: Client):
    addresses = [ticket.get_absolute_url(), ticket.order.get_absolute_url(), "/tickets/"]
    before = [client.get(address).content.decode() for address in addresses]
    event_services.cancel_event(event)

    after = [client.get(address).content.decode() for address in addresses]

    assert [ticket.code in before[0], ticket.code in after[0]] == [True, False]
    assert ["Tickets secured!" in before[1], "Tickets secured!" in after[1]] == [True, False]
    assert [[" cancelled" in html for html in pages] for pages in (before, after)] == [[False] * 3, [True] * 3]


def test_whoever_is_inside_reads_that_the_event_is_cancelled(order: Order, event: Event, client: Client):
    client.force_login(order.buyer)
    event_services.cancel_event(event)
    before = traces()

    answers = [
        client.get(address, follow=True) for address in (f"/queues/{order.queue.slug}/", f"/orders/{order.code}/")
    ]

    assert [answer.templates[0].name for answer in answers] == ["orders/closed.html"] * 2
    assert all("It was cancelled during your turn" in answer.content.decode() for answer in answers)
    assert traces() == before


def test_payment_that_is_going_on_can_be_gone_on_with_though_the_event_is_cancelled(
    payment: Payment, event: Event, client: Client
):
    """What has been paid is sent back by the settlement; only the fan can say that nothing will come."""
    client.force_login(payment.order.buyer)
    event_services.cancel_event(event)

    assert client.get(f"/orders/{payment.order.code}/").templates[0].name == "orders/checkout.html"


def test_event_page_of_a_cancelled_event_leads_to_others(event: Event, queue: Queue, client: Client):
    event_services.cancel_event(event)

    html = client.get(f"/events/{event.slug}/").content.decode()

    assert "This event will not take place. We write to everyone who has tickets." in html
    assert "Browse other events" in html
    assert "Add to calendar" not in html
    assert "This sale is closed." not in html
