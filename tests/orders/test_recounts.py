"""Counters against rows: what differs is shown, set right, and said."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import Membership, User
from events.models import Event, Tier
from events.services import StockAboveQuantity
from orders import services
from orders.models import Order, Payment
from orders.services import Difference
from queues.models import Admission, Allowance, Queue
from queues.refusals import UsedAboveAllocation
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import AdmissionFactory, AllowanceFactory, MembershipFactory, TierFactory
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db


@pytest.fixture
def sale(queue: Queue, order: Order, floor: Tier) -> Event:
    """Ben holds two on the floor; every counter of that is wrong, and so are a stranger's allowance and turn."""
    Tier.objects.filter(pk=floor.pk).update(sold_count=7, reserved_count=0)
    Allowance.objects.update(ticket_count=1, order_count=0)
    AllowanceFactory(
        event=queue.event, user__email="zoe@example.org", order_count=1, ticket_count=3, order_limit=1, ticket_limit=4
    )
    Queue.objects.update(allocation=10, allocated_count=5)
    Admission.objects.update(has_hold=False)
    AdmissionFactory(queue=queue, user__email="yan@example.org", admitted=True, has_hold=True)
    return queue.event


def differences(event: Event) -> list[tuple[str, str, int, int]]:
    return [(row.whose, row.what, row.counter, row.rows) for row in services.find_differences(event)]


WRONG = [
    ("Floor", "reserved", 0, 2),
    ("Floor", "sold", 7, 0),
    ("General sale", "allocated", 5, 2),
    ("ben@example.org", "holding", 0, 1),
    ("ben@example.org", "orders", 0, 1),
    ("ben@example.org", "tickets", 1, 2),
    ("yan@example.org", "holding", 1, 0),
    ("zoe@example.org", "orders", 1, 0),
    ("zoe@example.org", "tickets", 3, 0),
]


def test_counters_of_a_sound_sale_agree(queue: Queue, order: Order):
    assert differences(queue.event) == []


def test_every_counter_that_differs_is_found(sale: Event):
    assert differences(sale) == WRONG


def test_counters_of_another_event_are_not_looked_at(sale: Event):
    tier = TierFactory(sold_count=3)
    assert services.find_differences(tier.event) == [Difference("sold", tier.name, tier.pk, 3, 0)]
    services.recount_stock(sale)
    tier.refresh_from_db()
    assert tier.sold_count == 3


def test_recount_sets_right_what_differs_and_says_what_it_was(sale: Event, vip: Tier):
    untouched = Tier.objects.values().get(pk=vip.pk)

    changed = services.recount_stock(sale)

    assert [(row.whose, row.what, row.counter, row.rows) for row in changed] == WRONG
    assert_counters_equal_rows(sale)
    assert Tier.objects.values().get(pk=vip.pk) == untouched
    assert services.recount_stock(sale) == []


def test_recount_counts_what_is_paid_and_not_what_is_void(queue: Queue, payment: Any, floor: Tier, order: Order):
    services.submit_payment(payment, {"outcome": "confirm"})
    services.settle_payment(payment)
    order.tickets.filter(pk=order.tickets.earliest("pk").pk).update(status="void")

    assert differences(queue.event) == [("Floor", "sold", 2, 1)]


def test_fan_with_rows_and_no_allowance_is_given_one(queue: Queue, order: Order):
    Allowance.objects.all().delete()
    services.recount_stock(queue.event)
    assert_counters_equal_rows(queue.event)


def test_fan_who_has_more_than_the_limit_is_counted_as_it_is(queue: Queue, order: Order):
    Allowance.objects.update(order_count=0, ticket_count=0, order_limit=0, ticket_limit=1)

    services.recount_stock(queue.event)

    kept = Allowance.objects.get()
    assert (kept.order_count, kept.ticket_count, kept.order_limit, kept.ticket_limit) == (1, 2, 1, 2)


def test_tier_with_more_rows_than_tickets_is_refused_and_nothing_changed(sale: Event, floor: Tier):
    Tier.objects.filter(pk=floor.pk).update(sold_count=0, quantity=1)
    before = traces()

    with pytest.raises(StockAboveQuantity) as refused:
        services.recount_stock(sale)

    assert (refused.value.facts, traces()) == ({"counted": 2, "tier": "floor"}, before)


def test_queue_with_more_rows_than_it_may_give_is_refused_and_nothing_changed(sale: Event):
    Queue.objects.update(allocation=1, allocated_count=0)
    before = traces()

    with pytest.raises(UsedAboveAllocation) as refused:
        services.recount_stock(sale)

    assert (refused.value.facts, traces()) == ({"counted": 2}, before)


def test_recount_counts_the_tickets_that_a_queue_has_sold(queue: Queue, payment: Payment, order: Order):
    services.submit_payment(payment, {"outcome": "confirm"})
    services.settle_payment(payment)
    order.tickets.filter(pk=order.tickets.earliest("pk").pk).update(status="void")
    Tier.objects.filter(slug="floor").update(sold_count=1)
    Queue.objects.update(allocation=10, allocated_count=2)

    assert differences(queue.event) == [("General sale", "allocated", 2, 1)]


def press(client: Client, event: Event) -> list[str]:
    path = f"/admin/events/event/{event.pk}/recount/"
    return [str(said) for said in client.post(path, {"_form_submitted": "True"}, follow=True).context["messages"]]


def test_organiser_sees_the_differences_before_they_are_mended(client: Client, ada: User, sale: Event):
    client.force_login(ada)
    before = traces()

    shown = client.get(f"/admin/events/event/{sale.pk}/recount/").content.decode()

    assert [text in shown for text in ("Floor", "ben@example.org", "These counters differ")] == [True] * 3
    assert traces() == before
    said = (
        "Fall Tour: Recounted. Floor, reserved: 0 → 2; Floor, sold: 7 → 0; "
        "General sale, reserved or sold in this queue: 5 → 2; ben@example.org, holds tickets: 0 → 1; "
        "ben@example.org, orders: 0 → 1; ben@example.org, tickets: 1 → 2; yan@example.org, holds tickets: 1 → 0; "
        "zoe@example.org, orders: 1 → 0; zoe@example.org, tickets: 3 → 0"
    )
    assert press(client, sale) == [said]
    entry = LogEntry.objects.get()
    assert (entry.user, f"Fall Tour: {entry.change_message}") == (ada, said)


def test_recount_of_a_sound_sale_says_so(client: Client, ada: User, queue: Queue, order: Order):
    client.force_login(ada)
    path = f"/admin/events/event/{queue.event.pk}/recount/"

    assert "there is nothing to set right" in client.get(path).content.decode()
    assert press(client, queue.event) == ["Fall Tour: Recounted: every counter agrees with its rows."]


def test_recount_that_is_refused_says_why_and_is_not_logged(client: Client, ada: User, sale: Event, floor: Tier):
    client.force_login(ada)
    Tier.objects.filter(pk=floor.pk).update(sold_count=0, quantity=1)

    assert press(client, sale) == [
        "Floor has 2 tickets sold, reserved or set aside, more than there are. Raise its quantity first."
    ]
    assert not LogEntry.objects.exists()


def test_long_list_of_differences_is_cut_in_the_dialog(client: Client, ada: User, sale: Event):
    client.force_login(ada)
    AllowanceFactory.create_batch(16, event=sale, ticket_count=1, ticket_limit=4)
    assert "and 5 more" in client.get(f"/admin/events/event/{sale.pk}/recount/").content.decode()


@pytest.mark.parametrize("role", [Membership.Role.DOOR, Membership.Role.OWNER])
def test_who_does_not_manage_the_event_recounts_nothing(client: Client, sale: Event, role: str):
    house = {"organizer": sale.organizer} if role == Membership.Role.DOOR else {}
    client.force_login(MembershipFactory(role=role, **house).user)
    before = traces()
    path = f"/admin/events/event/{sale.pk}/recount/"

    assert [client.get(path).status_code, client.post(path, {"_form_submitted": "True"}).status_code] == [403, 403]
    assert traces() == before
