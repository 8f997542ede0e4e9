"""The check against programs in a real browser, under the pages' own policy: the visitor's watch hears what it bars."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from queues.conditions import Readiness, SpentSolution
from tests.journeys.sales import new_fan, new_sale, soon
from tests.journeys.visitor import NewVisitor, Visitor

pytestmark = pytest.mark.browser

OWN_STYLE = "() => document.querySelectorAll('style, altcha-widget [style]').length"


@pytest.mark.parametrize("threshold", ["low", "medium"])
def test_browser_works_the_sum_out_when_the_form_is_sent(visitor: Visitor, threshold: str):
    sale = new_sale(enable_captcha=True, captcha_threshold=threshold, max_concurrent_admissions=1)
    sale.let_in(new_fan())
    visitor.sign_in(fan := new_fan())
    visitor.go(sale.page)
    visitor.press("Join the line")
    visitor.sees("General sale")
    box = visitor.page.get_by_label("I am a person")
    expect(box).not_to_be_checked()
    assert visitor.page.evaluate(OWN_STYLE) == 0

    visitor.press("Join the line")

    visitor.sees("Your position in line")
    assert [admission.status for admission in sale.admissions(fan)] == ["waiting"]


def test_box_is_ticked_by_hand_and_form_sent_by_the_keys_alone(visitor: Visitor):
    sale = new_sale(enable_captcha=True, require_access_code=True)
    sale.queue.access_codes.create(code="GOOD", max_uses=5)
    visitor.sign_in(fan := new_fan())
    visitor.go(f"{sale.journey}?code=GOOD")
    page = visitor.page
    page.get_by_label("Presale code").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("I am a person")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_label("Done: welcome")).to_be_checked()
    page.keyboard.press("Tab")
    expect(visitor.named("Access Presale")).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url(lambda url: "?" not in url)
    assert len(sale.admissions(fan)) == 1


def test_refused_code_costs_no_solution_and_the_next_try_works(visitor: Visitor):
    sale = new_sale(enable_captcha=True, require_access_code=True, scheduled_start=soon(hours=1))
    sale.queue.access_codes.create(code="GOOD", max_uses=5)
    visitor.sign_in(fan := new_fan())
    visitor.go(sale.journey)
    spent = SpentSolution.objects.count()
    visitor.fill("Presale code", "WRONG")
    visitor.press("Access Presale")
    expect(visitor.page.get_by_role("alert")).to_contain_text("This presale code does not work here.")
    assert SpentSolution.objects.count() == spent

    visitor.fill("Presale code", "GOOD")
    visitor.press("Access Presale")

    expect(visitor.page.get_by_text("Your presale code is accepted.")).to_be_visible()
    assert Readiness.objects.filter(user=fan, has_solved_captcha=True, code__code="GOOD").count() == 1


def test_without_scripts_the_page_says_what_it_needs(new_visitor: NewVisitor):
    sale = new_sale(enable_captcha=True)
    visitor = new_visitor(java_script_enabled=False)
    visitor.sign_in(fan := new_fan())
    visitor.go(sale.journey)
    told = visitor.page.locator("main noscript p").text_content() or ""
    assert "That takes JavaScript: please switch it on" in told

    visitor.press("Join the line")

    expect(visitor.page.get_by_role("alert")).to_contain_text("it keeps programs out of the line, and takes JavaScript")
    assert sale.admissions(fan) == []
