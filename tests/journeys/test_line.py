"""The line page while things happen: it says so by itself, and the place is kept."""

from __future__ import annotations

import pytest
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from events.models import Tier
from queues.models import Admission
from tests.factories import AdmissionFactory
from tests.journeys.sales import Sale, new_fan, new_sale, soon
from tests.journeys.visitor import NewVisitor, Visitor

pytestmark = pytest.mark.browser

ANIMATED = """() => [...document.querySelectorAll("*")]
  .map((element) => [element, getComputedStyle(element)])
  .filter(([, style]) => style.transitionDuration !== "0s" || style.animationName !== "none")
  .map(([element]) => element.getAttribute("class"))"""
RUNNING = "() => document.getAnimations().length"


@pytest.fixture
def waiting() -> tuple[Sale, User]:
    """Return a sale with somebody inside and somebody in front, and the fan who waits behind them."""
    # Paused until all are there: a tick that has counted nobody inside would let the first in.
    sale = new_sale(max_concurrent_admissions=1, paused_at=timezone.now())
    sale.let_in(new_fan())
    fan = new_fan()
    for each in (new_fan(), fan):
        AdmissionFactory(queue=sale.queue, user=each)
    sale.change_queue(paused_at=None)
    return sale, fan


def stand_in_line(visitor: Visitor, sale: Sale, fan: User) -> Page:
    visitor.sign_in(fan)
    visitor.go(sale.journey)
    expect(visitor.page.locator("[data-position]")).to_have_text("2")
    expect(visitor.page.locator("[data-people] .figure--you")).to_be_visible()
    return visitor.page


def test_lost_connection_is_said_and_the_place_is_kept(waiting: tuple[Sale, User], visitor: Visitor):
    sale, fan = waiting
    page = stand_in_line(visitor, sale, fan)
    [before] = sale.admissions(fan)
    notice = page.get_by_text("Connection lost. Your place is safe; last news at")

    page.context.set_offline(True)
    expect(notice).to_be_visible()
    expect(page.locator("[data-position]")).to_have_text("2")

    page.context.set_offline(False)
    expect(notice).to_be_hidden()
    expect(page.locator("[data-position]")).to_have_text("2")
    [after] = sale.admissions(fan)
    assert (after.pk, after.place, after.status) == (before.pk, before.place, Admission.Status.WAITING)


def test_pause_and_message_show_by_themselves(waiting: tuple[Sale, User], visitor: Visitor):
    sale, fan = waiting
    page = stand_in_line(visitor, sale, fan)
    paused, message = page.get_by_text("The organiser has paused the sale."), page.get_by_text("The band is late.")

    sale.change_queue(message="The band is late.")
    expect(message).to_be_visible()
    sale.change_queue(message="", paused_at=timezone.now())
    expect(paused).to_be_visible()
    expect(message).to_be_hidden()
    expect(page.locator("[data-position]")).to_have_text("2")


def test_stock_that_goes_shows_by_itself(waiting: tuple[Sale, User], visitor: Visitor):
    sale, fan = waiting
    page = stand_in_line(visitor, sale, fan)
    stock = page.locator('[data-stock="vip"]')
    expect(page.locator("[data-chance]")).not_to_be_empty()
    expect(stock).to_have_text("Plenty")

    sale.buy(new_fan(), vip=4)
    sale.buy(new_fan(), vip=1)

    expect(stock).to_have_text("Gone")
    expect(page.locator("[data-chance]")).to_contain_text("Some tiers are nearly gone.")


def test_wait_that_becomes_longer_says_why(visitor: Visitor):
    sale = new_sale(max_concurrent_admissions=1, admission_window_seconds=600, paused_at=timezone.now())
    sale.let_in(new_fan(), admitted_at=soon(minutes=-2))
    fan = new_fan()
    for each in (new_fan(), fan):
        AdmissionFactory(queue=sale.queue, user=each)
    sale.change_queue(paused_at=None)
    page = stand_in_line(visitor, sale, fan)
    expect(page.locator("[data-wait]")).to_have_text("0–10 minutes")
    expect(page.locator("[data-held-up]")).to_be_hidden()

    sale.change_queue(admission_window_seconds=7200)

    expect(page.locator("[data-wait]")).to_have_text("0–100 minutes")
    reason = "As many people are inside as may be, and they take longer than those before."
    expect(page.locator("[data-held-up]")).to_contain_text(f"Your wait has become longer than we told you. {reason}")


def test_line_that_stands_for_want_of_tickets_says_so(visitor: Visitor):
    sale, fan = new_sale(max_concurrent_admissions=9, paused_at=timezone.now()), new_fan()
    # All reserved, none sold: what is sold out ends its line.
    Tier.objects.filter(event=sale.event).update(reserved_count=F("quantity"))
    for each in (new_fan(), fan):
        AdmissionFactory(queue=sale.queue, user=each)
    sale.change_queue(paused_at=None)

    page = stand_in_line(visitor, sale, fan)

    expect(page.get_by_text("those inside may take all tickets that are left")).to_be_visible()


def test_closed_sale_ends_the_line_by_itself(waiting: tuple[Sale, User], visitor: Visitor):
    sale, fan = waiting
    page = stand_in_line(visitor, sale, fan)

    sale.close()

    expect(page.locator("h1")).to_have_text("This sale has ended")
    expect(page.get_by_role("main")).to_contain_text("You were not let in, and nothing was charged.")


def test_fan_who_leaves_the_line_gives_the_place_up(waiting: tuple[Sale, User], visitor: Visitor):
    sale, fan = waiting
    page = stand_in_line(visitor, sale, fan)

    page.get_by_text("Leave the line").click()
    visitor.press("Give my place up")

    visitor.sees(sale.event.name)
    assert visitor.path == sale.page
    assert [admission.status for admission in sale.admissions(fan)] == [Admission.Status.LEFT]


def test_nothing_moves_for_whoever_asked_for_that(waiting: tuple[Sale, User], new_visitor: NewVisitor):
    sale, fan = waiting
    still, usual = new_visitor(reduced_motion="reduce"), new_visitor(reduced_motion="no-preference")
    page = stand_in_line(still, sale, fan)
    assert (page.evaluate(ANIMATED), page.evaluate(RUNNING)) == ([], 0)

    # The figures of the line do move for everyone else.
    assert "figure figure--you" in stand_in_line(usual, sale, fan).evaluate(ANIMATED)

    # Nor does anything on the pages that follow.
    AdmissionFactory(queue=sale.queue, user=(inside := new_fan()), admitted=True)
    still.sign_in(inside)
    still.go(sale.journey)
    still.press("One more: Floor")
    assert (page.evaluate(ANIMATED), page.evaluate(RUNNING)) == ([], 0)
