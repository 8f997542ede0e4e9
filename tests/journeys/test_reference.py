"""The page to try the API, in a browser with the policy that every page has."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.axe import faults
from tests.journeys.sales import Sale
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_operation_opens_and_can_be_tried(visitor: Visitor, sale: Sale, width: int):
    visitor.page.set_viewport_size({"width": width, "height": 900})
    visitor.go("/api/docs/")
    operation = visitor.page.locator("#operations-events-event_availability")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_placeholder("slug").fill(sale.event.slug)
    operation.get_by_role("button", name="Execute").click()

    expect(operation.locator(".live-responses-table .response-col_status")).to_have_text(["Code", "200"])
    expect(operation.locator(".live-responses-table pre").first).to_contain_text('"tier": "floor"')
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width


def test_refusal_leads_to_the_operation_that_refuses_so(visitor: Visitor):
    visitor.go("/api/refusals/#not_found")
    assert faults(visitor.page) == []

    visitor.page.locator("#not_found summary").click()
    visitor.page.get_by_role("link", name="/api/v1/events/{slug}/availability/").first.click()

    expect(visitor.page.locator("#operations-events-event_availability .opblock-body")).to_be_visible()


def test_page_to_try_it_has_no_fault(visitor: Visitor):
    visitor.go("/api/docs/")
    visitor.page.locator("#operations-events-event_availability .opblock-summary-control").click()
    expect(visitor.page.locator("#operations-events-event_availability .opblock-body")).to_be_visible()

    assert faults(visitor.page) == []
