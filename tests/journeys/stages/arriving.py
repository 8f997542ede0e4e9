"""Events, and the way into the line."""

from __future__ import annotations

from django.utils import timezone
from playwright.sync_api import expect

from events.models import Event
from queues.models import Admission
from tests.factories import AdmissionFactory
from tests.journeys.sales import Sale, new_fan, new_sale, soon
from tests.journeys.stages.stage import sign_in_new_fan, stage
from tests.journeys.visitor import Visitor

# Events


@stage
def list_of_events(visitor: Visitor) -> None:
    new_sale()
    new_sale(scheduled_start=soon(days=2)).sell_out_all()
    visitor.go("/")


@stage
def list_without_a_match(visitor: Visitor) -> None:
    visitor.go("/?q=nothing+of+that+name")


@stage
def event_on_sale(visitor: Visitor) -> None:
    visitor.go(new_sale().page)


@stage
def event_upcoming(visitor: Visitor) -> None:
    visitor.go(new_sale(scheduled_start=soon(days=2), lobby_opens_at=soon(days=1)).page)


@stage
def event_paused(visitor: Visitor) -> None:
    visitor.go(new_sale(paused_at=timezone.now()).page)


@stage
def event_sold_out(visitor: Visitor) -> None:
    sale = new_sale(sold_out_at=timezone.now())
    sale.sell_out_all()
    visitor.go(sale.page)


@stage
def event_after_the_sale(visitor: Visitor) -> None:
    visitor.go(new_sale(closed_at=timezone.now()).page)


@stage
def event_cancelled(visitor: Visitor) -> None:
    sale = new_sale()
    sale.change_event(status=Event.Status.CANCELLED)
    visitor.go(sale.page)


@stage
def event_not_announced(visitor: Visitor) -> None:
    sale = new_sale(published_at=None)
    sale.event.tiers.all().delete()
    visitor.go(sale.page)


@stage
def event_with_a_place_in_line(visitor: Visitor) -> None:
    sale = new_sale(paused_at=timezone.now())
    AdmissionFactory(queue=sale.queue, user=sign_in_new_fan(visitor))
    visitor.go(sale.page)


# The way into the line


@stage
def countdown(visitor: Visitor) -> None:
    visitor.go(new_sale(scheduled_start=soon(hours=2)).journey)


@stage
def countdown_for_the_ready(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_sale(scheduled_start=soon(days=2)).journey)


@stage
def join_as_a_stranger(visitor: Visitor) -> None:
    visitor.go(new_sale().journey)


@stage
def join_unverified(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, email_verified_at=None)
    visitor.go(new_sale().journey)


@stage
def join_without_a_verified_identity(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, identity_verified_at=None)
    visitor.go(new_sale().journey)


@stage
def countdown_without_a_verified_identity(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, identity_verified_at=None)
    visitor.go(new_sale(scheduled_start=soon(hours=2)).journey)


@stage
def event_without_a_verified_identity(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, identity_verified_at=None)
    visitor.go(new_sale().page)


@stage
def join_verified(visitor: Visitor) -> None:
    sale = new_sale(max_concurrent_admissions=1)
    sale.let_in(new_fan())
    AdmissionFactory.create_batch(3, queue=sale.queue)
    sign_in_new_fan(visitor)
    visitor.go(sale.journey)


@stage
def join_with_the_check(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_sale(enable_captcha=True).journey)
    visitor.page.get_by_label("I am a person").click()
    expect(visitor.page.get_by_label("Done: welcome")).to_be_checked()


@stage
def countdown_with_the_check(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_sale(enable_captcha=True, scheduled_start=soon(hours=2)).journey)


@stage
def join_paused(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_sale(paused_at=timezone.now()).journey)


@stage
def join_refused(visitor: Visitor) -> None:
    sale = new_sale()
    fan = sign_in_new_fan(visitor)
    visitor.go(sale.journey)
    sale.buy(fan, floor=1)
    Admission.objects.filter(queue=sale.queue).update(status=Admission.Status.LEFT, order_code="")
    visitor.press("Join the line")
    expect(visitor.page.get_by_role("alert")).to_contain_text("Maximum orders per customer exceeded")


def stand_in_line(visitor: Visitor, **queue_fields: object) -> Sale:
    sale = new_sale(max_concurrent_admissions=1, **queue_fields)
    sale.let_in(new_fan())
    AdmissionFactory.create_batch(3, queue=sale.queue)
    AdmissionFactory(queue=sale.queue, user=sign_in_new_fan(visitor))
    AdmissionFactory.create_batch(2, queue=sale.queue)
    visitor.go(sale.journey)
    expect(visitor.page.locator("[data-people] .figure--you")).to_be_visible()
    return sale


@stage
def line(visitor: Visitor) -> None:
    stand_in_line(visitor)


@stage
def line_paused_with_a_message(visitor: Visitor) -> None:
    stand_in_line(visitor, paused_at=timezone.now(), message="The band is late: doors open at eight.")
    visitor.page.get_by_text("Leave the line").click()


@stage
def line_without_connection(visitor: Visitor) -> None:
    stand_in_line(visitor)
    visitor.page.context.set_offline(True)
    expect(visitor.page.locator("[data-connection]")).to_be_visible()
