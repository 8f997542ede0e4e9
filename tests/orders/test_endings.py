"""The end of a sale as its fans see it."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Letter, User
from events import services as event_services
from events.models import Event, Tier
from orders import services
from orders.models import Order, Payment, Ticket
from queues import services as queue_services
from queues import tasks as queue_tasks
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, EventFactory
from tests.orders.conftest import traces
from tests.pages import form_to, submit

pytestmark = pytest.mark.django_db

WHY_INSIDE = "bought the last tickets while you were choosing. You hold none, and nothing was charged."
WHY_IN_LINE = "The last tickets went to people who stood ahead of you in line. You were not let in, and nothing was"


def page(queue: Queue) -> str:
    return f"/queues/{queue.slug}/"


def shown(client: Client, queue: Queue) -> tuple[str, str]:
    answer = client.get(page(queue))
    assert answer.status_code == 200
    return answer.templates[0].name or "", answer.content.decode()


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sell_out() -> None:
    for tier in Tier.objects.all():
        Tier.objects.filter(pk=tier.pk).update(sold_count=tier.quantity)


def pay(order: Order) -> None:
    payment = services.start_payment(order, holders=["Ben"] * order.ticket_count(), email="ben@example.org")
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    services.settle_order(order)


def test_of_a_hundred_admitted_fans_ten_pay_and_ninety_read_why_when_the_tier_is_lowered(event: Event, floor: Tier):
    queue = AdmissionFactory.create(queue__event=event, admitted=True).queue
    AdmissionFactory.create_batch(99, queue=queue, admitted=True)
    users = User.objects.filter(admissions__queue=queue).order_by("admissions__pk")
    fans = [browser_of(user) for user in users]
    forms = [form_to(fan.get(page(queue)), f"{page(queue)}hold/") for fan in fans]
    event_services.change_quantity(floor, 10)

    answers = [submit(fan, form, **{"tier-floor": "1"}) for fan, form in zip(fans, forms, strict=True)]
    for order in Order.objects.held():
        pay(order)
    queue_tasks.mark_sold_out_queues()
    pages = [shown(fan, queue) for fan in fans[10:]]

    refused = [answer for answer in answers if answer.status_code == 409]
    assert Counter(answer.status_code for answer in answers) == {200: 10, 409: 90}
    assert {str(answer.context["refusal"]) for answer in refused} == {"Sold out: no tickets are left of Floor."}
    assert Counter(template for template, _ in pages) == {"orders/sold_out.html": 90}
    assert all("<h1>Sold out</h1>" in html and WHY_INSIDE in html for _, html in pages)
    assert Counter(Order.objects.values_list("status", flat=True)) == {"paid": 10}
    assert Counter(Admission.objects.values_list("status", flat=True)) == {"completed": 10, "admitted": 90}
    assert Ticket.objects.count() == 10


def test_whoever_waits_reads_that_it_is_sold_out_before_and_after_the_sweep(queue: Queue, ben: User):
    AdmissionFactory(queue=queue, user=ben)
    sell_out()
    queue_tasks.mark_sold_out_queues()
    bens = browser_of(ben)
    at_once = shown(bens, queue)
    queue_tasks.free_waiting_fans()
    later = shown(bens, queue)

    for template, html in (at_once, later):
        assert template == "orders/sold_out.html"
        assert WHY_IN_LINE in html


def test_sold_out_page_leads_to_other_events_that_are_still_to_come(queue: Queue, organizer: Any):
    now = timezone.now()
    soon = [EventFactory(name=f"Later {n}", starts_at=now + timedelta(days=n)) for n in (4, 3, 2, 1)]
    EventFactory(name="Draft", status="draft")
    EventFactory(name="Cancelled", status="cancelled")
    EventFactory(name="Over", starts_at=now - timedelta(hours=1))
    Queue.objects.update(sold_out_at=now)

    answer = Client().get(page(queue))

    assert list(answer.context["other_events"]) == soon[:0:-1]
    assert "Browse other events" in answer.content.decode()


def test_stranger_reads_of_sold_out_nothing_about_a_line_he_never_stood_in(queue: Queue):
    Queue.objects.update(sold_out_at=timezone.now())

    template, html = shown(Client(), queue)

    assert template == "orders/sold_out.html"
    assert "You were not let in" not in html
    assert WHY_INSIDE not in html


@pytest.mark.parametrize("fields", [{"closed_at": timezone.now()}, {"scheduled_end": timezone.now()}])
def test_whoever_waits_reads_that_it_has_ended_before_and_after_the_sweep(queue: Queue, ben: User, fields: dict):
    AdmissionFactory(queue=queue, user=ben)
    Queue.objects.update(**fields)
    bens = browser_of(ben)
    at_once = shown(bens, queue)
    queue_tasks.free_waiting_fans()
    later = shown(bens, queue)

    for template, html in (at_once, later):
        assert template == "orders/closed.html"
        assert "It ended while you were still in line. You were not let in, and nothing was charged." in html


def test_whoever_was_sent_away_as_sold_out_reads_that_after_closing_too(queue: Queue, ben: User):
    AdmissionFactory(queue=queue, user=ben)
    sell_out()
    queue_tasks.mark_sold_out_queues()
    queue_tasks.free_waiting_fans()
    Queue.objects.update(closed_at=timezone.now())

    assert shown(browser_of(ben), queue)[0] == "orders/sold_out.html"


@pytest.mark.parametrize("field", ["closed_at", "scheduled_end"])
def test_whoever_is_inside_holds_and_pays_after_the_end(
    queue: Queue, admission: Admission, token: str, ben: User, field: str
):
    Queue.objects.update(**{field: timezone.now()})
    queue_tasks.free_waiting_fans()
    at_first = shown(browser_of(ben), queue)[0]

    pay(services.hold_tickets(user=ben, token=token, wanted={"floor": 1}))

    assert at_first == "orders/selection.html"
    assert Admission.objects.values_list("status").get() == ("completed",)
    assert Letter.objects.values_list("kind").get() == ("receipt",)


def test_turn_goes_on_through_sold_out_and_takes_what_comes_back(
    queue: Queue, admission: Admission, token: str, ben: User, floor: Tier
):
    sell_out()
    queue_tasks.mark_sold_out_queues()
    sold_out = shown(browser_of(ben), queue)[0]
    before = traces()
    with pytest.raises(event_services.SoldOut):
        services.hold_tickets(user=ben, token=token, wanted={"floor": 1})
    assert traces() == before

    event_services.take_back_stock({floor: 1})
    queue_tasks.reopen_restocked_queues()

    assert (sold_out, shown(browser_of(ben), queue)[0]) == ("orders/sold_out.html", "orders/selection.html")
    assert services.hold_tickets(user=ben, token=token, wanted={"floor": 1}).is_held


def test_whoever_was_freed_may_join_again_when_tickets_come_back(queue: Queue, ben: User, floor: Tier):
    AdmissionFactory(queue=queue, user=ben)
    sell_out()
    queue_tasks.mark_sold_out_queues()
    queue_tasks.free_waiting_fans()
    event_services.change_quantity(floor, 101)
    queue_tasks.reopen_restocked_queues()
    bens = browser_of(ben)

    answer = submit(bens, form_to(bens.get(page(queue)), f"{page(queue)}join/"))

    assert answer.templates[0].name == "orders/line.html"
    assert queue_services.find_standing(queue, ben).status == "waiting"  # type: ignore[union-attr]
