import pytest

from accounts.models import User
from events.models import Event
from queues import refusals, services
from queues.models import Allowance, Queue
from tests.factories import AllowanceFactory

pytestmark = pytest.mark.django_db


def kept() -> tuple[int, int, int, int]:
    fields = ("order_count", "ticket_count", "order_limit", "ticket_limit")
    return Allowance.objects.values_list(*fields).get()


def test_first_order_opens_the_allowance(queue: Queue, ben: User):
    services.add_to_allowance(ben, queue, tickets=3)

    assert kept() == (1, 3, 1, 4)


def test_further_order_is_counted_up_to_both_limits(queue: Queue, ben: User):
    Event.objects.update(max_orders_per_customer=2)
    queue = Queue.objects.select_related("event").get()

    services.add_to_allowance(ben, queue, tickets=4)
    services.add_to_allowance(ben, queue, tickets=4)

    assert kept() == (2, 8, 2, 8)


def test_order_above_the_order_limit_is_refused(queue: Queue, ben: User):
    AllowanceFactory(user=ben, event=queue.event, order_count=1, ticket_count=1, order_limit=1, ticket_limit=4)

    with pytest.raises(refusals.OrderLimitReached):
        services.add_to_allowance(ben, queue, tickets=1)

    assert kept() == (1, 1, 1, 4)


def test_order_above_the_ticket_limit_is_refused(queue: Queue, ben: User):
    Event.objects.update(max_orders_per_customer=3)
    queue = Queue.objects.select_related("event").get()
    AllowanceFactory(user=ben, event=queue.event, order_count=2, ticket_count=9, order_limit=3, ticket_limit=12)

    with pytest.raises(refusals.TicketLimitReached):
        services.add_to_allowance(ben, queue, tickets=4)

    assert kept() == (2, 9, 3, 12)


def test_first_order_above_the_ticket_limit_is_refused(queue: Queue, ben: User):
    with pytest.raises(refusals.TicketLimitReached):
        services.add_to_allowance(ben, queue, tickets=5)

    assert not Allowance.objects.exists()


def test_limit_that_was_lowered_stops_further_orders_and_keeps_the_old_ones(queue: Queue, ben: User):
    AllowanceFactory(user=ben, event=queue.event, order_count=2, ticket_count=8, order_limit=2, ticket_limit=8)

    with pytest.raises(refusals.OrderLimitReached):
        services.add_to_allowance(ben, queue, tickets=1)
    services.take_from_allowance(ben, queue.event, tickets=4)

    assert kept() == (1, 4, 2, 8)


def test_what_is_taken_counts_no_more(queue: Queue, ben: User, cleo: User):
    services.add_to_allowance(ben, queue, tickets=3)
    services.add_to_allowance(cleo, queue, tickets=2)

    services.take_from_allowance(ben, queue.event, tickets=3)

    assert list(Allowance.objects.order_by("pk").values_list("user", "order_count", "ticket_count")) == [
        (ben.pk, 0, 0),
        (cleo.pk, 1, 2),
    ]


def test_open_allowance_is_the_same_row_each_time(event: Event, ben: User):
    assert services.open_allowance(ben, event) == services.open_allowance(ben, event)
    assert kept() == (0, 0, 0, 0)
