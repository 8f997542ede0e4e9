"""The pages on which a way ends: what happened, and where to go from there."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from payments import PaymentStatus

from accounts.models import User
from events import services as event_services
from events.models import Event
from orders import services
from orders.models import Order
from orders.views.endings import Ending
from queues.models import Admission, Queue
from tests.factories import PaymentFactory, QueueFactory
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    client.force_login(ben)
    return client


@pytest.fixture
def lapsed(order: Order) -> Order:
    """Ben's hold, whose time is over."""
    Order.objects.update(hold_ends_at=timezone.now() - timedelta(seconds=1))
    services.expire_order(order)
    return Order.objects.select_related("admission", "queue").get()


SENTENCES = {
    Ending.TIME_OVER: "What you had not paid for has gone back to the next people in line. Nothing was charged.",
    Ending.ABSENT: "It was your turn, and you did not show up within",
    Ending.MONEY_UNDER_WAY: "You had begun to pay, and we do not know yet how that ended.",
    Ending.MONEY_GOES_BACK: "You get all of it back, and need do nothing.",
}


@pytest.mark.parametrize(
    ("turn", "payment", "ending"),
    [
        ({}, None, Ending.TIME_OVER),
        ({"claim_ends_at": timezone.now() - HOUR}, None, Ending.ABSENT),
        ({"claim_ends_at": timezone.now(), "claimed_at": timezone.now()}, None, Ending.TIME_OVER),
        ({}, {"status": PaymentStatus.REJECTED}, Ending.TIME_OVER),
        ({}, {"status": PaymentStatus.INPUT}, Ending.MONEY_UNDER_WAY),
        ({}, {"status": PaymentStatus.CONFIRMED}, Ending.MONEY_UNDER_WAY),
        (
            {},
            {"status": PaymentStatus.REFUNDED, "settled_at": timezone.now(), "refund_due_at": timezone.now()},
            Ending.MONEY_GOES_BACK,
        ),
    ],
)
def test_ended_turn_says_how_it_ended(
    lapsed: Order, bens: Client, turn: dict[str, Any], payment: dict[str, Any] | None, ending: Ending
):
    Admission.objects.update(**{"claimed_at": None, **turn})
    if payment is not None:
        PaymentFactory(order=lapsed, **payment)
    before = traces()

    for address in (lapsed.get_absolute_url(), f"/queues/{lapsed.queue.slug}/"):
        answer = bens.get(address)
        html = answer.content.decode()
        assert (answer.templates[0].name, answer.context["ending"]) == ("orders/expired.html", ending)
        assert f"<h1>{ending.label}</h1>" in html
        assert [kind for kind, sentence in SENTENCES.items() if sentence in html] == [ending]
    assert traces() == before


@pytest.mark.parametrize("field", ["sold_out_at", "closed_at"])
@pytest.mark.parametrize("opens_in", [-HOUR, HOUR])
def test_ended_sale_leads_to_the_next_one_of_its_event(
    queue: Queue, event: Event, client: Client, field: str, opens_in: timedelta
):
    Queue.objects.update(**{field: timezone.now()})
    QueueFactory(event=event, scheduled_start=timezone.now() - HOUR, closed_at=timezone.now())
    QueueFactory(event=event, published_at=None)
    QueueFactory(scheduled_start=timezone.now() + opens_in)
    following = QueueFactory(event=event, scheduled_start=timezone.now() + opens_in)

    answer = client.get(f"/queues/{queue.slug}/")

    assert answer.context["another_sale"].queue == following
    html = answer.content.decode()
    assert f'href="/queues/{following.slug}/"' in html
    assert ("and it is open now." in html, "It opens" in html) == (opens_in < HOUR, opens_in == HOUR)
    assert f"All tickets for {event.name} have been sold." not in html


def test_ended_sale_without_another_says_nothing_of_one(queue: Queue, event: Event, client: Client):
    Queue.objects.update(sold_out_at=timezone.now())

    html = client.get(f"/queues/{queue.slug}/").content.decode()

    assert "This event has another sale" not in html
    assert f"All tickets for {event.name} have been sold." in html


def test_turn_that_ended_with_its_sale_leads_to_the_next_one(lapsed: Order, event: Event, bens: Client):
    following = QueueFactory(event=event, scheduled_start=timezone.now() + HOUR)
    Queue.objects.filter(pk=lapsed.queue_id).update(closed_at=timezone.now())

    for address in (lapsed.get_absolute_url(), f"/queues/{lapsed.queue.slug}/"):
        html = bens.get(address).content.decode()
        assert f'href="/queues/{following.slug}/"' in html
        assert "Join the line again" not in html


def test_sale_of_a_cancelled_event_says_so(queue: Queue, event: Event, client: Client):
    event_services.cancel_event(event)

    answer = client.get(f"/queues/{queue.slug}/")

    assert (answer.templates[0].name, answer.context["another_sale"]) == ("orders/closed.html", None)
    assert "<h1>This event is cancelled</h1>" in answer.content.decode()
