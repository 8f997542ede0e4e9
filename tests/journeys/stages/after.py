"""Tickets."""

from __future__ import annotations

from events.models import Event
from orders.models import Ticket
from tests.journeys.sales import new_sale, soon
from tests.journeys.stages.stage import sign_in_new_fan, stage
from tests.journeys.visitor import Visitor


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


@stage
def my_tickets_of_a_cancelled_event(visitor: Visitor) -> None:
    sale = new_sale()
    sale.buy(sign_in_new_fan(visitor), floor=2)
    sale.change_event(status=Event.Status.CANCELLED)
    visitor.go("/tickets/")


@stage
def ticket_of_a_cancelled_event(visitor: Visitor) -> None:
    show_ticket(visitor, status=Event.Status.CANCELLED)


@stage
def order_of_a_cancelled_event(visitor: Visitor) -> None:
    sale = new_sale()
    order = sale.buy(sign_in_new_fan(visitor), floor=2)
    sale.change_event(status=Event.Status.CANCELLED)
    visitor.go(order.get_absolute_url())
    visitor.sees("This event is cancelled")
