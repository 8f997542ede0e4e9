"""Choosing tickets, names and payment."""

from __future__ import annotations

from playwright.sync_api import expect

from orders.models import Order
from tests.journeys.sales import new_sale, soon
from tests.journeys.stages.stage import sign_in_new_fan, stage
from tests.journeys.visitor import Visitor

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
    visitor.page.get_by_label("I accept the purchase rules above").check()
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
