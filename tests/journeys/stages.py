"""Every page in every stage: how a visitor comes to see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from payments import PaymentStatus
from playwright.sync_api import expect

from accounts.models import User
from events.models import Event
from orders.models import Order, Payment, Ticket
from queues.models import Admission
from tests.factories import AdmissionFactory, LetterFactory
from tests.journeys.sales import Sale, new_fan, new_sale, soon
from tests.journeys.visitor import Visitor

Stage = Callable[[Visitor], None]
STAGES: dict[str, Stage] = {}


def stage(arrive: Stage) -> Stage:
    STAGES[arrive.__name__] = arrive
    return arrive


def sign_in_new_fan(visitor: Visitor, **fields: object) -> User:
    fan = new_fan(**{"name": "Wanda Walker", **fields})
    visitor.sign_in(fan)
    return fan


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
def join_verified(visitor: Visitor) -> None:
    sale = new_sale(max_concurrent_admissions=1)
    sale.let_in(new_fan())
    AdmissionFactory.create_batch(3, queue=sale.queue)
    sign_in_new_fan(visitor)
    visitor.go(sale.journey)


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


# Choosing, names, payment


@stage
def selection(visitor: Visitor) -> None:
    sale = new_sale()
    sale.let_in(sign_in_new_fan(visitor))
    visitor.go(sale.journey)
    visitor.press("One more: Floor")
    expect(visitor.page.locator("[data-total]")).to_have_text("$165.00")


@stage
def selection_refused(visitor: Visitor) -> None:
    sale = new_sale()
    sale.let_in(sign_in_new_fan(visitor))
    visitor.go(sale.journey)
    visitor.press("One more: VIP")
    sale.sell_out(sale.vip)
    visitor.press("Hold these tickets")
    expect(visitor.focused).to_contain_text("Sold out")


@stage
def selection_with_nothing_chosen(visitor: Visitor) -> None:
    sale = new_sale(admission_window_seconds=90)
    sale.let_in(sign_in_new_fan(visitor))
    visitor.go(sale.journey)
    visitor.press("Hold these tickets")
    expect(visitor.focused).to_contain_text("Please choose at least one ticket.")


@stage
def selection_with_a_wrong_number(visitor: Visitor) -> None:
    sale = new_sale()
    sale.let_in(sign_in_new_fan(visitor))
    visitor.go(sale.journey)
    visitor.page.locator("form[data-selection]").evaluate("form => { form.noValidate = true }")
    visitor.fill("Number of tickets: Floor", "77")
    visitor.press("Hold these tickets")
    expect(visitor.focused).to_contain_text("Floor")


@stage
def selection_with_a_hold(visitor: Visitor) -> None:
    sale = new_sale()
    sale.hold(sign_in_new_fan(visitor), floor=2)
    visitor.go(sale.journey)


def check_out(visitor: Visitor) -> Order:
    order = new_sale().hold(sign_in_new_fan(visitor), floor=1, vip=1)
    visitor.go(order.get_absolute_url())
    return order


@stage
def checkout(visitor: Visitor) -> None:
    check_out(visitor)


@stage
def checkout_in_the_last_minutes(visitor: Visitor) -> None:
    order = check_out(visitor)
    Order.objects.filter(pk=order.pk).update(hold_ends_at=soon(seconds=100))
    visitor.page.reload()


@stage
def checkout_with_errors(visitor: Visitor) -> None:
    check_out(visitor)
    visitor.page.locator("form.form").evaluate("form => { form.noValidate = true }")
    visitor.fill("E-mail for this order", "nobody at all")
    visitor.press("Pay $714.99")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


def pay(visitor: Visitor) -> None:
    check_out(visitor)
    for number, tier in enumerate(("VIP", "Floor"), start=1):
        visitor.fill(f"Ticket {number}: {tier}", f"Guest {number}")
    visitor.page.get_by_label("I accept the purchase rules above.").check()
    visitor.press("Pay $714.99")


@stage
def payment(visitor: Visitor) -> None:
    pay(visitor)
    visitor.sees("Pay $714.99")


@stage
def checkout_with_a_payment_in_progress(visitor: Visitor) -> None:
    pay(visitor)
    visitor.press("Walk away")
    expect(visitor.named("Go on with the payment")).to_be_visible()


@stage
def checkout_after_a_decline(visitor: Visitor) -> None:
    pay(visitor)
    visitor.press("Let it be declined")
    expect(visitor.focused).to_contain_text("The payment was declined.")


@stage
def confirmation(visitor: Visitor) -> None:
    pay(visitor)
    visitor.press("Pay")
    visitor.sees("Tickets secured!")


@stage
def order_refunded(visitor: Visitor) -> None:
    order = new_sale().buy(sign_in_new_fan(visitor), floor=2)
    Order.objects.filter(pk=order.pk).update(status=Order.Status.REFUNDED)
    visitor.go(order.get_absolute_url())


@stage
def event_with_tickets_bought(visitor: Visitor) -> None:
    sale = new_sale()
    sale.buy(sign_in_new_fan(visitor), floor=1)
    visitor.go(sale.page)


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
    visitor.go(new_sale(sold_out_at=timezone.now()).journey)


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


# Accounts


@stage
def sign_in(visitor: Visitor) -> None:
    visitor.go("/account/login/")


@stage
def sign_in_refused(visitor: Visitor) -> None:
    visitor.go("/account/login/")
    visitor.fill("Email", "nobody@example.org")
    visitor.fill("Password", "whatever it was")
    visitor.press("Sign in")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


@stage
def sign_up(visitor: Visitor) -> None:
    visitor.go("/account/signup/")


@stage
def sign_up_refused(visitor: Visitor) -> None:
    visitor.go("/account/signup/")
    visitor.fill("Your name", "Wanda Walker")
    visitor.fill("Email", "wanda.walker@example.org")
    visitor.fill("Password", "12345678")
    visitor.press("Create account")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


@stage
def sign_out(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/logout/")


@stage
def address(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, email_verified_at=None)
    visitor.go("/account/email/")


@stage
def change_password(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/password/change/")


@stage
def reset_password(visitor: Visitor) -> None:
    visitor.go("/account/password/reset/")


@stage
def reset_password_asked(visitor: Visitor) -> None:
    visitor.go("/account/password/reset/done/")


@stage
def link_out_of_date(visitor: Visitor) -> None:
    visitor.go("/account/confirm-email/nothing-of-that-kind/")


# The demo's mail


@stage
def mail(visitor: Visitor) -> None:
    LetterFactory.create_batch(2)
    visitor.go("/mail/")


@stage
def letter(visitor: Visitor) -> None:
    letter = LetterFactory(text="Hello,\n\nhere they are: http://127.0.0.1/tickets/\n\nFairline")
    visitor.go(f"/mail/{letter.pk}/")
