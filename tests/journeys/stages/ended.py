"""How a way may end without tickets, and what it says of the reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from payments import PaymentStatus
from playwright.sync_api import expect

from events.models import Event
from orders import services as order_services
from orders.models import Order, Payment
from queues.models import Admission, EndReason
from tests.factories import AdmissionFactory, PaymentFactory, QueueFactory
from tests.journeys.sales import Sale, new_sale, soon
from tests.journeys.stages.stage import sign_in_new_fan, stage
from tests.journeys.visitor import Visitor


def expire(visitor: Visitor, **fields: Any) -> Sale:
    sale = new_sale()
    admission = sale.let_in(sign_in_new_fan(visitor))
    over = {"status": Admission.Status.EXPIRED, "ended_at": timezone.now()}
    Admission.objects.filter(pk=admission.pk).update(**over, **fields)
    return sale


@stage
def turn_over(visitor: Visitor) -> None:
    visitor.go(expire(visitor, claimed_at=timezone.now()).journey)
    visitor.sees("Your time has run out")


@stage
def turn_missed(visitor: Visitor) -> None:
    visitor.go(expire(visitor, claimed_at=None, claim_ends_at=timezone.now()).journey)
    visitor.sees("Your turn has passed")


@stage
def turn_over_and_sale_ended(visitor: Visitor) -> None:
    sale = expire(visitor, claimed_at=timezone.now())
    sale.change_queue(closed_at=timezone.now())
    visitor.go(sale.journey)


def lapse(visitor: Visitor, **payment: Any) -> Order:
    order = new_sale().hold(sign_in_new_fan(visitor), floor=1)
    if payment:
        PaymentFactory(order=order, **payment)
    # Not by the sweep, which leaves a hold alone whose money has arrived.
    Order.objects.filter(pk=order.pk).update(status=Order.Status.LAPSED)
    return order


@stage
def hold_over(visitor: Visitor) -> None:
    order = lapse(visitor)
    visitor.go(order.get_absolute_url())


@stage
def hold_over_while_paying(visitor: Visitor) -> None:
    order = lapse(visitor, status=PaymentStatus.INPUT)
    visitor.go(order.get_absolute_url())


@stage
def hold_over_and_money_on_its_way_back(visitor: Visitor) -> None:
    order = lapse(visitor, status=PaymentStatus.REFUNDED, refund_due_at=timezone.now())
    visitor.go(order.get_absolute_url())
    visitor.sees("Your payment came too late")


@stage
def hold_over_and_late_money_found_tickets(visitor: Visitor) -> None:
    order = new_sale().hold(sign_in_new_fan(visitor), floor=1)
    payment = order_services.start_payment(order, holders=["Wanda Walker"], email="wanda@example.org")
    Order.objects.filter(pk=order.pk).update(hold_ends_at=F("created_at"))
    order_services.expire_order(order)
    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.CONFIRMED, captured_amount=payment.total)
    visitor.go(f"{order.get_absolute_url()}return/")
    visitor.sees("Tickets secured!")


# The end of a sale


def send_away(visitor: Visitor, sale: Sale, reason: EndReason) -> None:
    """Let the visitor be one of those who still waited."""
    fields = {"status": Admission.Status.DENIED, "reason": reason, "ended_at": timezone.now()}
    AdmissionFactory(queue=sale.queue, user=sign_in_new_fan(visitor), **fields)
    visitor.go(sale.journey)


@stage
def sold_out(visitor: Visitor) -> None:
    sale = new_sale()
    sale.sell_out_all()
    sale.change_queue(sold_out_at=timezone.now())
    visitor.go(sale.journey)


@stage
def sold_out_while_in_line(visitor: Visitor) -> None:
    sale = new_sale(sold_out_at=timezone.now())
    sale.sell_out_all()
    send_away(visitor, sale, EndReason.SOLD_OUT)
    visitor.sees("Sold out")


@stage
def sold_out_while_choosing(visitor: Visitor) -> None:
    sale = new_sale()
    sale.let_in(sign_in_new_fan(visitor), claimed_at=timezone.now())
    sale.sell_out_all()
    sale.change_queue(sold_out_at=timezone.now())
    visitor.go(sale.journey)
    visitor.sees("Sold out")


@stage
def closed(visitor: Visitor) -> None:
    end = timezone.now() - timedelta(minutes=5)
    send_away(visitor, new_sale(scheduled_end=end), EndReason.QUEUE_CLOSED)
    visitor.sees("This sale has ended")


@stage
def closed_before_another_sale(visitor: Visitor) -> None:
    sale = new_sale(name="Artist presale", kind="presale", closed_at=timezone.now())
    QueueFactory(event=sale.event, name="General sale", slug=f"{sale.queue.slug}-next", scheduled_start=soon(days=2))
    send_away(visitor, sale, EndReason.QUEUE_CLOSED)
    expect(visitor.named("Get ready")).to_be_visible()


@stage
def closed_as_the_event_is_cancelled(visitor: Visitor) -> None:
    sale = new_sale()
    sale.change_event(status=Event.Status.CANCELLED)
    send_away(visitor, sale, EndReason.EVENT_CANCELLED)
    visitor.sees("This event is cancelled")


@stage
def line_again_after_more_tickets(visitor: Visitor) -> None:
    send_away(visitor, new_sale(), EndReason.SOLD_OUT)
    expect(visitor.named("Join the line")).to_be_visible()
