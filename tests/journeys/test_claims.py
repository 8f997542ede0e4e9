"""Showing up when the turn has come: the page says so by itself, and tells when it was too late."""

from __future__ import annotations

from functools import partial

import pytest
from django.utils import timezone
from playwright.sync_api import Route, expect

from queues.models import Admission
from tests.journeys.sales import new_fan, new_sale, soon
from tests.journeys.visitor import Visitor
from tests.racing import Run

pytestmark = pytest.mark.browser


def test_page_says_by_itself_that_the_fan_is_there(visitor: Visitor):
    sale, fan = new_sale(claim_window_seconds=45), new_fan()
    sale.let_in(fan, claim_ends_at=soon(hours=1))
    visitor.sign_in(fan)

    with visitor.page.expect_response("**/claim/") as claimed:
        visitor.go(sale.journey)

    assert (claimed.value.request.method, claimed.value.status) == ("POST", 204)
    expect(visitor.page.get_by_text("Please tell us that you are here")).to_be_hidden()
    [admission] = sale.admissions(fan)
    assert admission.claimed_at is not None


def test_page_that_comes_too_late_says_so_by_itself(visitor: Visitor):
    sale, fan = new_sale(claim_window_seconds=45), new_fan()
    admission = sale.let_in(fan, claim_ends_at=soon(hours=1))
    visitor.sign_in(fan)

    def come_too_late(route: Route) -> None:
        turn = Admission.objects.filter(pk=admission.pk)
        Run(partial(turn.update, claim_ends_at=timezone.now())).outcome()
        route.continue_()

    visitor.page.route("**/claim/", come_too_late)
    visitor.go(sale.journey)

    visitor.sees("Your turn has passed")
    expect(visitor.page.get_by_role("main")).to_contain_text("you did not show up within 45 seconds")
    [admission] = sale.admissions(fan)
    assert admission.claimed_at is None
