"""Everything done twice: reload, back, double click, a second tab. It ends in one admission, one order, no error."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from accounts.models import User
from orders.models import Order, Payment, Ticket
from queues.models import Admission
from tests.journeys.sales import Sale, new_fan, new_sale
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def fan(visitor: Visitor) -> User:
    fan = new_fan(name="Wanda Walker")
    visitor.sign_in(fan)
    return fan


def statuses(sale: Sale, fan: User) -> tuple[list[str], list[str]]:
    admissions, orders = sale.admissions(fan), sale.orders(fan)
    return [admission.status for admission in admissions], [order.status for order in orders]


def test_joining_again_in_every_way_gives_one_place(fan: User, visitor: Visitor):
    sale = new_sale(max_concurrent_admissions=1)
    sale.let_in(new_fan())
    tab = visitor.second_tab()
    tab.go(sale.page)
    visitor.go(sale.page)

    visitor.named("Join the line").dblclick()
    expect(visitor.page.locator("[data-position]")).to_have_text("1")
    visitor.page.reload()
    expect(visitor.page.locator("[data-position]")).to_have_text("1")
    tab.press("Join the line")
    expect(tab.page.locator("[data-position]")).to_have_text("1")
    visitor.page.go_back()
    visitor.page.reload()
    visitor.press("Go to your place in line")

    expect(visitor.page.locator("[data-position]")).to_have_text("1")
    assert statuses(sale, fan) == ([Admission.Status.WAITING], [])


def test_holding_again_in_every_way_gives_one_hold(sale: Sale, fan: User, visitor: Visitor):
    sale.let_in(fan)
    tab = visitor.second_tab()
    for each in (tab, visitor):
        each.go(sale.journey)
        each.press("One more: Floor")

    visitor.named("Hold these tickets").dblclick()
    visitor.sees("Who is coming?")
    tab.press("Hold these tickets")
    tab.sees("Who is coming?")
    assert tab.path == visitor.path
    visitor.page.reload()
    visitor.page.go_back()
    visitor.sees("Choose your tickets")
    visitor.press("Hold these tickets")

    visitor.sees("Who is coming?")
    assert statuses(sale, fan) == ([Admission.Status.ADMITTED], [Order.Status.HELD])
    assert sale.counters(sale.floor) == (1, 0)


def test_choosing_otherwise_in_a_second_tab_replaces_the_hold(sale: Sale, fan: User, visitor: Visitor):
    sale.let_in(fan)
    tab = visitor.second_tab()
    for each in (tab, visitor):
        each.go(sale.journey)
    visitor.press("One more: Floor")
    visitor.press("Hold these tickets")
    visitor.sees("Who is coming?")
    tab.press("One more: VIP")
    tab.press("Hold these tickets")
    tab.sees("Who is coming?")

    # The first tab knows nothing of it yet, and is shown the way.
    visitor.page.reload()
    visitor.sees("Choose your tickets")
    visitor.press("Go on with the tickets I hold")
    visitor.sees("Who is coming?")
    assert visitor.path == tab.path
    assert statuses(sale, fan) == ([Admission.Status.ADMITTED], [Order.Status.REPLACED, Order.Status.HELD])
    assert (sale.counters(sale.floor), sale.counters(sale.vip)) == ((0, 0), (1, 0))


def test_paying_again_in_every_way_gives_one_ticket(sale: Sale, fan: User, visitor: Visitor):
    order = sale.hold(fan, floor=1)
    tab = visitor.second_tab()
    for each in (tab, visitor):
        each.go(order.get_absolute_url())
        each.page.get_by_label("I accept the purchase rules above").check()

    visitor.named("Pay $165.00").dblclick()
    expect(visitor.page.get_by_role("heading", name="Play money")).to_be_visible()
    tab.press("Pay $165.00")
    expect(tab.page.get_by_role("heading", name="Play money")).to_be_visible()
    visitor.page.reload()
    visitor.named("Pay").dblclick()
    visitor.sees("Tickets secured!")
    tab.press("Pay")
    tab.sees("Tickets secured!")
    tab.page.reload()
    visitor.page.go_back()
    visitor.sees("Tickets secured!")

    assert statuses(sale, fan) == ([Admission.Status.COMPLETED], [Order.Status.PAID])
    assert [payment.status for payment in Payment.objects.of(order)] == ["confirmed"]
    assert Ticket.objects.for_owner(fan).count() == 1
    assert sale.counters(sale.floor) == (0, 1)


def test_payment_cancelled_in_a_second_tab_can_be_begun_again(sale: Sale, fan: User, visitor: Visitor):
    order = sale.hold(fan, floor=1)
    visitor.go(order.get_absolute_url())
    visitor.page.get_by_label("I accept the purchase rules above").check()
    visitor.press("Pay $165.00")
    expect(visitor.page.get_by_role("heading", name="Play money")).to_be_visible()
    tab = visitor.second_tab()
    tab.go(order.get_absolute_url())
    tab.press("Cancel this payment")
    expect(tab.named("Pay $165.00")).to_be_visible()

    # What was cancelled is not paid by a page that is still open.
    visitor.press("Pay")
    visitor.sees("Who is coming?")
    assert visitor.path == order.get_absolute_url()
    assert statuses(sale, fan) == ([Admission.Status.ADMITTED], [Order.Status.HELD])
    visitor.page.get_by_label("I accept the purchase rules above").check()
    visitor.press("Pay $165.00")
    visitor.press("Pay")
    visitor.sees("Tickets secured!")
