"""The door of a presale: with the keys alone, and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from queues.conditions import AccessCodeUse
from tests.journeys.sales import new_fan
from tests.journeys.stages.door import CODE, new_presale
from tests.journeys.test_purchase import tab_to, wait_for_turn
from tests.journeys.visitor import NewVisitor, Visitor

pytestmark = pytest.mark.browser


def test_presale_is_entered_with_the_keys_alone(visitor: Visitor):
    sale, fan = new_presale(), new_fan()
    visitor.sign_in(fan)
    visitor.go(sale.journey)
    code = visitor.page.get_by_label("Presale code", exact=True)
    tab_to(visitor, code)
    visitor.page.keyboard.type("FALLVIBES2042")
    visitor.page.keyboard.press("Enter")

    # What was typed is kept, and the focus is where the reason is said; from there it is not far.
    expect(visitor.focused).to_contain_text("This presale code does not work here.")
    expect(code).to_have_value("FALLVIBES2042")
    tab_to(visitor, code)
    visitor.page.keyboard.press("ControlOrMeta+a")
    visitor.page.keyboard.type(CODE.lower())
    visitor.page.keyboard.press("Enter")

    visitor.sees("Choose your tickets")
    assert list(AccessCodeUse.objects.filter(user=fan).values_list("code__code", flat=True)) == [CODE]


def test_link_with_a_code_leads_in_without_scripts(new_visitor: NewVisitor):
    sale, fan = new_presale(), new_fan()
    visitor = new_visitor(java_script_enabled=False)
    visitor.go(f"{sale.journey}?code={CODE}")
    visitor.press("Sign in")
    visitor.fill("Email", fan.email)
    visitor.fill("Password", "correct horse battery")
    visitor.press("Sign in")
    expect(visitor.page.get_by_label("Presale code", exact=True)).to_have_value(CODE)

    visitor.press("Access Presale")

    wait_for_turn(sale, fan)
    visitor.page.reload()
    visitor.sees("Choose your tickets")
