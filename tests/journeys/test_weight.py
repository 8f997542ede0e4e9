"""What the first view of a page costs over the wire."""

from __future__ import annotations

import pytest
from playwright.sync_api import Response, expect

from tests.factories import AdmissionFactory
from tests.journeys.sales import Sale, new_fan, new_sale
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

MOST_BYTES = 60_000


def first_view(visitor: Visitor, path: str) -> dict[str, int]:
    """Load a page that no cache knows; return the bytes of each answer, heads included, by its address."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    visitor.page.on("response", note)
    visitor.page.goto(path, wait_until="networkidle")
    sizes = [answer.request.sizes() for answer in answers]
    bytes_of = [size["responseHeadersSize"] + size["responseBodySize"] for size in sizes]
    return dict(zip([answer.url for answer in answers], bytes_of, strict=True))


def test_event_page_is_light(sale: Sale, visitor: Visitor):
    view = first_view(visitor, sale.page)

    assert {address.rpartition(".")[2] for address in view} >= {"css", "js", "svg"}
    assert sum(view.values()) < MOST_BYTES, view


def test_line_page_is_light(visitor: Visitor):
    sale = new_sale(max_concurrent_admissions=1)
    sale.let_in(new_fan())
    fan = AdmissionFactory(queue=sale.queue).user
    visitor.sign_in(fan)

    view = first_view(visitor, sale.journey)

    expect(visitor.page.locator("[data-people] .figure--you")).to_be_visible()
    assert any(address.endswith("/board/") for address in view)
    assert sum(view.values()) < MOST_BYTES, view
