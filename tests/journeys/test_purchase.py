"""The whole way: from an account to a ticket, with a mouse, without scripts, and with the keys alone."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, expect

from accounts.models import User
from config.crowd.document import photo_of_document
from orders.models import Order, Ticket
from queues.models import Admission
from tests.factories import AdmissionFactory
from tests.journeys.sales import Sale, end, new_fan, new_sale, soon
from tests.journeys.visitor import NewVisitor, Visitor

pytestmark = pytest.mark.browser

PASSWORD = "curtain-rises-9"


def sign_up(visitor: Visitor, sale: Sale, email: str) -> User:
    """Come from the event's page, make an account and confirm its address by the letter."""
    visitor.go(sale.page)
    visitor.press("Join the line")
    visitor.sees("Sign in")
    visitor.press("Create an account")
    visitor.sees("Create an account")
    visitor.fill("Email", email)
    visitor.fill("Your name", "Wanda Walker")
    visitor.fill("Password", PASSWORD)
    visitor.press("Create account")
    visitor.sees("General sale")
    assert visitor.path == sale.journey
    visitor.press("Read the demo's mail")
    visitor.page.locator("main li", has_text=email).first.get_by_role("link").click()
    visitor.page.locator('main a[href*="confirm"]').first.click()
    visitor.press("Yes, confirm")
    # The way goes on to where it was interrupted.
    visitor.sees("General sale")
    assert visitor.path == sale.journey
    verify_identity(visitor)
    visitor.sees("General sale")
    assert visitor.path == sale.journey
    return User.objects.get(email=email)


def verify_identity(visitor: Visitor) -> None:
    """Send the photo of a document: a file that is none is refused, and what was typed is kept."""
    page = visitor.page
    photo = page.get_by_label("Photo of your passport, identity card or driving licence")
    expect(visitor.named("Join the line")).to_have_count(0)
    visitor.press("Verify your identity")
    visitor.sees("Verify your identity")
    visitor.fill("Name as on the document", "Wanda W. Walker")
    photo.set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": b"not a photo at all"})
    visitor.press("Send name and photo")
    expect(page.get_by_role("alert")).to_contain_text("This file cannot be read as a photo.")
    expect(page.get_by_label("Name as on the document")).to_have_value("Wanda W. Walker")
    photo.set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": photo_of_document()})
    visitor.press("Send name and photo")
    expect(page.get_by_role("main")).to_contain_text("Your identity is verified.")
    visitor.press("Go on")


@pytest.fixture
def busy_sale() -> tuple[Sale, Admission, Admission]:
    """Return a sale that lets one in at a time: one is inside, another waits."""
    sale = new_sale(max_concurrent_admissions=1)
    inside = sale.let_in(new_fan())
    return sale, inside, AdmissionFactory(queue=sale.queue, user=new_fan())


def test_fan_comes_from_an_account_to_a_ticket(busy_sale: tuple[Sale, Admission, Admission], visitor: Visitor):
    sale, inside, first_in_line = busy_sale
    page = visitor.page
    fan = sign_up(visitor, sale, "wanda@example.org")
    visitor.go(sale.page)
    visitor.press("Join the line")

    # In line, behind one other.
    expect(page).to_have_title(f"#2 - {sale.event.name}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your position in line")
    assert page.locator("[data-position]").inner_text() == "2"
    facts = [text.split("\n") for text in page.locator(".line-facts > div").all_inner_texts()]
    assert {fact for pair in facts for fact in pair} >= {"People ahead", "1", "People in line", "2", "Estimated wait"}
    assert re.fullmatch(r"(\d+–)?\d+ minutes?|Less than a minute", page.locator("[data-wait]").inner_text())
    expect(page.locator("[data-people] .figure--you text")).to_have_text("You")
    expect(page.locator("[data-people] .figure:not(.figure--you)")).to_have_count(1)
    expect(page.locator("[data-caption]")).to_have_text("Each figure is one person.")

    # The line moves, and then it is the fan's turn, without a key or a click.
    end(inside)
    expect(page).to_have_title(f"#1 - {sale.event.name}")
    expect(page.locator("[data-ahead]")).to_have_text("0")
    end(Admission.objects.get(pk=first_in_line.pk))
    visitor.sees("Choose your tickets")

    buy_two_on_the_floor(visitor, sale, fan)
    see_the_tickets(visitor, sale, fan)


def buy_two_on_the_floor(visitor: Visitor, sale: Sale, fan: User) -> None:
    page = visitor.page
    visitor.press("One more: Floor")
    visitor.press("One more: Floor")
    assert page.locator("[data-total]").inner_text() == "$330.00"
    visitor.press("Hold these tickets")
    visitor.sees("Who is coming?")
    assert sale.counters(sale.floor) == (2, 0)

    # What is missing is said, what was typed is kept, and the focus goes to the words.
    visitor.fill("Ticket 2: Floor", "Guest Two")
    visitor.press("Pay $330.00")
    expect(page.get_by_label("I accept the purchase rules above")).to_be_focused()
    visitor.fill("E-mail for this order", "wanda@nowhere")
    visitor.page.get_by_label("I accept the purchase rules above").check()
    visitor.press("Pay $330.00")
    expect(visitor.focused).to_contain_text("E-mail for this order: Enter a valid email address.")
    expect(page.get_by_label("Ticket 1: Floor")).to_have_value("Wanda Walker")
    expect(page.get_by_label("Ticket 2: Floor")).to_have_value("Guest Two")
    expect(page.get_by_label("E-mail for this order")).to_have_value("wanda@nowhere")
    expect(page.get_by_label("I accept the purchase rules above")).to_be_checked()
    visitor.fill("E-mail for this order", fan.email)

    # A bank that says no costs nothing but a second try.
    visitor.page.get_by_label("I accept the purchase rules above").check()
    visitor.press("Pay $330.00")
    visitor.press("Let it be declined")
    expect(visitor.focused).to_contain_text("The payment was declined.")
    expect(page.get_by_label("Ticket 2: Floor")).to_have_value("Guest Two")
    assert sale.counters(sale.floor) == (2, 0)
    expect(page.get_by_label("I accept the purchase rules above")).to_be_checked()
    visitor.press("Pay $330.00")
    visitor.press("Pay")

    [order] = sale.orders(fan)
    visitor.sees("Tickets secured!")
    assert page.locator(".confirmation__number").inner_text() == order.code
    expect(page.get_by_role("main")).to_contain_text(f"Confirmation email sent to {fan.email}")
    assert (order.status, order.holders) == (Order.Status.PAID, ["Wanda Walker", "Guest Two"])
    assert sale.counters(sale.floor) == (0, 2)
    assert [admission.status for admission in sale.admissions(fan)] == [Admission.Status.COMPLETED]


def see_the_tickets(visitor: Visitor, sale: Sale, fan: User) -> None:
    page = visitor.page
    visitor.press("View my tickets")
    visitor.sees("My tickets")
    tickets = list(Ticket.objects.for_owner(fan).order_by("pk"))
    assert page.locator(".ticket-row h3").all_inner_texts() == ["Floor, Wanda Walker", "Floor, Guest Two"]
    visitor.press("Floor, Wanda Walker")
    expect(page.get_by_role("heading", name="Not shown yet")).to_be_visible()
    assert visitor.path == tickets[0].get_absolute_url()
    assert tickets[0].code not in page.content()

    # The event comes near: its tickets are shown.
    sale.change_event(starts_at=soon(hours=47), doors_at=soon(hours=46))
    page.reload()
    expect(page.get_by_alt_text("QR code of this ticket")).to_be_visible()
    assert page.locator(".ticket__qr .code").inner_text() == tickets[0].code


def test_fan_buys_without_scripts(busy_sale: tuple[Sale, Admission, Admission], new_visitor: NewVisitor):
    sale, inside, first_in_line = busy_sale
    visitor = new_visitor(java_script_enabled=False)
    page = visitor.page
    fan = sign_up(visitor, sale, "paul@example.org")
    visitor.go(sale.page)
    visitor.press("Join the line")
    expect(page).to_have_title(f"#2 - {sale.event.name} · Fairline")
    assert page.locator("[data-ahead]").inner_text() == "1"
    # Nobody would tell this page that the line has moved: it reads itself again.
    assert page.locator('meta[http-equiv="refresh"]').get_attribute("content") == "20"

    end(inside)
    end(first_in_line)
    wait_for_turn(sale, fan)
    page.reload()
    visitor.sees("Choose your tickets")
    visitor.press("I am here")
    expect(page.get_by_role("button", name="I am here")).to_have_count(0)
    visitor.fill("Number of tickets: Floor", "2")
    visitor.press("Hold these tickets")
    visitor.fill("Ticket 2: Floor", " ")
    page.get_by_label("I accept the purchase rules above").check()
    visitor.press("Pay $330.00")
    expect(page.get_by_role("alert")).to_contain_text("Ticket 2: Floor: This field is required.")
    visitor.fill("Ticket 2: Floor", "Guest Two")
    visitor.press("Pay $330.00")
    visitor.press("Let it be declined")
    expect(page.get_by_role("alert")).to_contain_text("The payment was declined.")
    expect(page.get_by_label("I accept the purchase rules above")).to_be_checked()
    visitor.press("Pay $330.00")
    visitor.press("Pay")
    visitor.sees("Tickets secured!")
    assert sale.counters(sale.floor) == (0, 2)
    visitor.press("View my tickets")
    visitor.sees("My tickets")
    assert page.locator(".ticket-row h3").all_inner_texts() == ["Floor, Wanda Walker", "Floor, Guest Two"]


def test_fan_buys_with_the_keys_alone(sale: Sale, visitor: Visitor):
    fan = new_fan(name="Kay Board")
    visitor.sign_in(fan)
    page = visitor.page
    visitor.go(sale.page)
    press_by_keys(visitor, "Join the line")
    visitor.sees("Choose your tickets")
    press_by_keys(visitor, "One more: VIP", key="Space")
    press_by_keys(visitor, "Hold these tickets")
    visitor.sees("Who is coming?")
    tab_to(visitor, page.get_by_label("I accept the purchase rules above"))
    page.keyboard.press("Space")
    press_by_keys(visitor, "Pay $549.99")
    press_by_keys(visitor, "Pay")
    visitor.sees("Tickets secured!")
    press_by_keys(visitor, "View my tickets")
    press_by_keys(visitor, "VIP, Kay Board")
    expect(page.get_by_role("heading", name="Not shown yet")).to_be_visible()
    assert sale.counters(sale.vip) == (0, 1)


def press_by_keys(visitor: Visitor, name: str, *, key: str = "Enter") -> None:
    expect(visitor.named(name)).to_be_visible()
    tab_to(visitor, visitor.named(name))
    visitor.page.keyboard.press(key)


def tab_to(visitor: Visitor, target: Locator) -> None:
    """Walk with Tab until the focus is there, and see that it can be seen."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            style = target.evaluate("element => getComputedStyle(element).outlineStyle")
            assert style != "none", "the focus cannot be seen"
            return
        visitor.page.keyboard.press("Tab")
    raise AssertionError(f"no way to {target} by Tab")


def wait_for_turn(sale: Sale, fan: User) -> None:
    """Wait until the workers have let the fan in."""
    for _ in range(100):
        if sale.admissions(fan)[-1].is_admitted:
            return
        time.sleep(0.1)
    raise AssertionError("nobody was let in")
