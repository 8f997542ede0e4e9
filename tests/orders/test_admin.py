from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from events.models import Event, Tier
from orders.models import Order, Ticket
from queues.models import Queue
from tests.factories import AdmissionFactory, LineFactory, OrderFactory, PaymentFactory, TicketFactory

pytestmark = pytest.mark.django_db

ORDERS = reverse("admin:orders_order_changelist")
TICKETS = reverse("admin:orders_ticket_changelist")


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """Ada at her desk."""
    client.force_login(ada)
    return client


def sell(queue: Queue, tier: Tier, **fields) -> Order:
    order = OrderFactory(admission=AdmissionFactory(queue=queue, admitted=True), **fields)
    LineFactory(order=order, tier=tier)
    PaymentFactory(order=order)
    TicketFactory(order=order, tier=tier, holder_name="Cleo Lang")
    return order


def test_order_is_shown_with_lines_payments_and_tickets(desk: Client, queue: Queue, floor: Tier):
    order = sell(queue, floor)
    html = desk.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    for fact in (order.code, order.buyer.email, "Floor", "110.00", "dummy", "Cleo Lang"):
        assert fact in html


def test_times_are_shown_at_the_place_of_the_event_with_utc_beside(desk: Client, queue: Queue, floor: Tier):
    Event.objects.filter(pk=queue.event_id).update(time_zone="Asia/Tokyo")
    order = sell(queue, floor)
    noon = datetime(2030, 11, 15, 12, 0, tzinfo=UTC)
    Order.objects.filter(pk=order.pk).update(created_at=noon)
    Ticket.objects.filter(order=order).update(issued_at=noon)
    for page in (
        ORDERS,
        f"/admin/orders/order/{order.pk}/change/",
        f"/admin/orders/ticket/{order.tickets.get().pk}/change/",
    ):
        assert "Fri, Nov 15, 9:00 PM JST (12:00 UTC)" in desk.get(page).content.decode()


@pytest.mark.parametrize("kind", ["order", "ticket"])
def test_order_and_ticket_are_read_only(desk: Client, queue: Queue, floor: Tier, kind: str):
    order = sell(queue, floor)
    row = {"order": order, "ticket": order.tickets.get()}[kind]
    page = f"/admin/orders/{kind}/{row.pk}/"
    before = [list(Order.objects.values()), list(Ticket.objects.values())]
    assert desk.post(f"{page}change/", {"status": "void", "total": "0", "holder_name": "X"}).status_code == 403
    assert desk.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert desk.get(f"/admin/orders/{kind}/add/").status_code == 403
    assert [list(Order.objects.values()), list(Ticket.objects.values())] == before


def test_code_of_a_ticket_is_shown_nowhere(desk: Client, queue: Queue, floor: Tier):
    order = sell(queue, floor)
    ticket = order.tickets.get()
    for page in (TICKETS, f"/admin/orders/ticket/{ticket.pk}/change/", f"/admin/orders/order/{order.pk}/change/"):
        assert ticket.code not in desk.get(page).content.decode()


@pytest.mark.parametrize("lookup", ["code", "code__startswith", "code__regex"])
def test_code_of_a_ticket_cannot_be_guessed_letter_by_letter(desk: Client, queue: Queue, floor: Tier, lookup: str):
    ticket = sell(queue, floor).tickets.get()

    assert [desk.get(TICKETS, {lookup: asked}).status_code for asked in (ticket.code, "A")] == [400, 400]
    assert desk.get(TICKETS, {"status__exact": "valid"}).status_code == 200


def test_orders_are_found_by_number_and_e_mail(desk: Client, queue: Queue, floor: Tier):
    mine, other = sell(queue, floor), sell(queue, floor, email="gift@example.org")

    def found(text: str) -> list[Order]:
        return list(desk.get(ORDERS, {"q": text}).context["cl"].result_list)

    assert found(mine.code) == [mine]
    assert found(mine.buyer.email) == [mine]
    assert found("gift@") == [other]


@pytest.mark.parametrize("counted", [(ORDERS, 6), (TICKETS, 5)])
def test_list_asks_the_database_as_often_for_three_rows_as_for_one(
    desk: Client,
    queue: Queue,
    floor: Tier,
    counted: tuple[str, int],
    django_assert_num_queries: DjangoAssertNumQueries,
):
    address, queries = counted
    sell(queue, floor)
    desk.get(address)
    for _ in range(2):
        with django_assert_num_queries(queries):
            assert desk.get(address).status_code == 200
        sell(queue, floor)
        sell(queue, floor)


def test_order_with_three_tickets_asks_as_often_as_with_one(
    desk: Client, queue: Queue, floor: Tier, vip: Tier, django_assert_max_num_queries: DjangoAssertNumQueries
):
    order = sell(queue, floor)
    page = f"/admin/orders/order/{order.pk}/change/"
    desk.get(page)
    with django_assert_max_num_queries(100) as counted:
        desk.get(page)
    once = len(counted)
    LineFactory(order=order, tier=vip)
    TicketFactory.create_batch(2, order=order, tier=vip)
    with django_assert_max_num_queries(once):
        assert desk.get(page).status_code == 200


def test_event_leads_to_its_queues_and_to_a_new_one(desk: Client, queue: Queue):
    page = desk.get(f"/admin/events/event/{queue.event.pk}/change/").content.decode()
    add = f"/admin/queues/queue/add/?event={queue.event.pk}"

    assert f'<a href="/admin/queues/queue/{queue.pk}/change/">{queue.name}</a> (Open)' in page
    assert f'<a href="{add}">Add a queue</a>' in page
    form = desk.get(add).context["adminform"].form
    assert str(form["event"].value()) == str(queue.event.pk)
    assert "queues" not in [name for name, _ in desk.get("/admin/events/event/add/").context["adminform"].fieldsets]
