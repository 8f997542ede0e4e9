"""The way of somebody who has no account until the turn has come."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from queues.models import Admission
from tests.journeys.sales import end, new_fan, new_sale
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser


def test_visitor_without_an_account_waits_is_let_in_signs_up_and_buys(visitor: Visitor):
    sale = new_sale(
        max_concurrent_admissions=1, require_authentication=False, enable_captcha=True, captcha_threshold="low"
    )
    sale.change_event(require_identification=False)
    inside = sale.let_in(new_fan())
    page = visitor.page

    # In line, with the sum done, and still there on coming back.
    visitor.go(sale.page)
    visitor.press("Join the line")
    visitor.sees("General sale")
    expect(page.get_by_role("main")).to_contain_text("You need no account to stand in line, only to buy.")
    visitor.press("Join the line")
    visitor.sees("Your position in line")
    expect(page.locator("[data-position]")).to_have_text("1")
    visitor.go(sale.page)
    visitor.press("Go to your place in line")
    visitor.sees("Your position in line")
    own = Admission.objects.waiting().get(queue=sale.queue)
    assert (own.user, own.visitor is None) == (None, False)

    # Let in; holding leads to an account, and back with the turn.
    end(inside)
    visitor.sees("Choose your tickets")
    visitor.press("One more: Floor")
    visitor.press("Hold these tickets")
    visitor.sees("Sign in")
    visitor.press("Create an account")
    visitor.sees("Create an account")
    visitor.fill("Email", "vera@example.org")
    visitor.fill("Your name", "Vera Visitor")
    visitor.fill("Password", "curtain-rises-9")
    visitor.press("Create account")
    visitor.sees("Choose your tickets")
    assert visitor.path == sale.journey
    vera = User.objects.get(email="vera@example.org")
    assert [(row.pk, row.visitor) for row in sale.admissions(vera)] == [(own.pk, None)]

    # Nothing is held before the address is confirmed.
    visitor.press("One more: Floor")
    visitor.press("Hold these tickets")
    expect(page.get_by_role("alert")).to_contain_text("Email verification required")
    assert sale.orders(vera) == []
    visitor.press("Read the demo's mail")
    page.locator("main li", has_text=vera.email).first.get_by_role("link").click()
    page.locator('main a[href*="confirm"]').first.click()
    visitor.press("Yes, confirm")
    visitor.sees("Choose your tickets")

    visitor.press("One more: Floor")
    visitor.press("Hold these tickets")
    visitor.sees("Who is coming?")
    page.get_by_label("I accept the purchase rules above").check()
    visitor.press("Pay $165.00")
    visitor.press("Pay")
    visitor.sees("Tickets secured!")
    assert sale.counters(sale.floor) == (0, 1)
    assert [row.status for row in sale.admissions(vera)] == [Admission.Status.COMPLETED]
