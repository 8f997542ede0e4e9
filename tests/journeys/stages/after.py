"""Tickets, and how a way may end without them."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from payments import PaymentStatus
from playwright.sync_api import expect

from orders.models import Order, Payment, Ticket
from queues.models import Admission
from tests.factories import AdmissionFactory
from tests.journeys.sales import new_sale, soon
from tests.journeys.stages.stage import sign_in_new_fan, stage
from tests.journeys.visitor import Visitor

# Tickets


@stage
def my_tickets_without_any(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/tickets/")


@stage
def my_tickets(visitor: Visitor) -> None:
    fan = sign_in_new_fan(visitor)
    near = new_sale()
    near.change_event(starts_at=soon(hours=5), doors_at=soon(hours=4))
    for order in (near.buy(fan, floor=2, vip=1), new_sale().buy(fan, vip=1)):
        Ticket.objects.filter(order=order, tier__slug="vip").update(status=Ticket.Status.VOID)
    visitor.go("/tickets/")


def show_ticket(visitor: Visitor, **event_fields: object) -> Ticket:
    sale = new_sale()
    order = sale.buy(sign_in_new_fan(visitor), vip=1)
    if event_fields:
        sale.change_event(**event_fields)
    ticket = Ticket.objects.get(order=order)
    visitor.go(ticket.get_absolute_url())
    return ticket


@stage
def ticket_not_shown_yet(visitor: Visitor) -> None:
    show_ticket(visitor)


@stage
def ticket_shown(visitor: Visitor) -> None:
    show_ticket(visitor, starts_at=soon(hours=5), doors_at=soon(hours=4))


@stage
def ticket_void(visitor: Visitor) -> None:
    ticket = show_ticket(visitor)
    Ticket.objects.filter(pk=ticket.pk).update(status=Ticket.Status.VOID)
    visitor.page.reload()


# How a way may end


@stage
def turn_over(visitor: Visitor) -> None:
    sale = new_sale()
    admission = sale.let_in(sign_in_new_fan(visitor))
    Admission.objects.filter(pk=admission.pk).update(status=Admission.Status.EXPIRED, ended_at=timezone.now())
    visitor.go(sale.journey)


@stage
def hold_over(visitor: Visitor) -> None:
    order = new_sale(closed_at=timezone.now()).hold(sign_in_new_fan(visitor), floor=1)
    Order.objects.filter(pk=order.pk).update(status=Order.Status.LAPSED)
    visitor.go(order.get_absolute_url())


@stage
def hold_over_and_money_on_its_way_back(visitor: Visitor) -> None:
    order = new_sale().hold(sign_in_new_fan(visitor), floor=1)
    Payment.objects.create(
        order=order,
        variant="dummy",
        total=order.total,
        currency=order.currency,
        status=PaymentStatus.REFUNDED,
        refund_due_at=timezone.now(),
    )
    Order.objects.filter(pk=order.pk).update(status=Order.Status.LAPSED)
    visitor.go(order.get_absolute_url())


@stage
def sold_out(visitor: Visitor) -> None:
    sale = new_sale()
    sale.sell_out_all()
    sale.change_queue(sold_out_at=timezone.now())
    visitor.go(sale.journey)


@stage
def closed(visitor: Visitor) -> None:
    end = timezone.now() - timedelta(minutes=5)
    sale = new_sale(scheduled_end=end, closed_at=end)
    reason = {"status": Admission.Status.DENIED, "reason": "queue_closed"}
    AdmissionFactory(queue=sale.queue, user=sign_in_new_fan(visitor), **reason)
    visitor.go(sale.journey)


@stage
def refusal(visitor: Visitor) -> None:
    sale = new_sale()
    # With a hold that no order knows of, no sweep takes the turn away under our feet.
    admission = sale.let_in(sign_in_new_fan(visitor), claimed_at=timezone.now(), has_hold=True)
    visitor.go(sale.journey)
    Admission.objects.filter(pk=admission.pk).update(window_ends_at=F("admitted_at"))
    leave = visitor.page.locator('form[action$="/leave/"]')
    leave.evaluate("form => { form.action = form.action.replace('/leave/', '/claim/'); form.submit() }")
    expect(visitor.page.get_by_role("alert")).to_contain_text("Your time to buy is over.")


@stage
def page_not_found(visitor: Visitor) -> None:
    visitor.go("/nothing/")


@stage
def form_out_of_date(visitor: Visitor) -> None:
    visitor.go("/account/login/")
    visitor.page.context.clear_cookies()
    visitor.fill("Email", "ben@example.org")
    visitor.fill("Password", "whatever it was")
    visitor.press("Sign in")
    visitor.sees("Please send that again")
