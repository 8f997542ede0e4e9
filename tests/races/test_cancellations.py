"""Two sweeps that tell the buyers of a cancelled event at the same instant."""

from collections import Counter

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Letter
from events import services as event_services
from orders.models import Order
from orders.services import cancellations
from queues.models import Queue
from tests.factories import AdmissionFactory, OrderFactory
from tests.racing import meeting, race


@pytest.fixture
def buyers(queue: Queue) -> list[str]:
    """Who bought tickets of an event that is cancelled."""
    paid = {"status": Order.Status.PAID, "paid_at": timezone.now(), "hold_ends_at": timezone.now()}
    orders = [OrderFactory(admission=AdmissionFactory(queue=queue, status="completed"), **paid) for _ in range(3)]
    event_services.cancel_event(queue.event)
    return [order.buyer.email for order in orders]


def told() -> Counter[str]:
    return Counter(Letter.objects.values_list("to", flat=True))


def test_each_buyer_is_told_once(buyers: list[str]):
    race(lambda number: cancellations.tell_next_buyers(), times=4)

    assert told() == Counter(buyers)


def test_without_the_lock_buyers_are_told_twice(buyers: list[str], monkeypatch: pytest.MonkeyPatch):
    """The negative control."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **options: rows)
    monkeypatch.setattr(cancellations, "take_orders", meeting(cancellations.take_orders, parties=2))

    race(lambda number: cancellations.tell_next_buyers(), times=2)

    assert told() == Counter(buyers * 2)
