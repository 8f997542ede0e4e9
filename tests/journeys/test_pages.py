"""Every page in every stage: nothing for axe-core to find, nothing in the console, nothing from outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from config.stack import Stack
from tests.journeys.axe import faults
from tests.journeys.stages import FAILURES, STAGES
from tests.journeys.visitor import Visitor, Watch

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def watch(browser: Browser, stack: Stack) -> Iterator[Watch]:
    """Return the one browser that looks at all pages, watched."""
    watch = Watch(browser.new_context(base_url=stack.url), stack.url)
    watch.context.new_page()
    yield watch
    watch.finish()


@pytest.fixture
def newcomer(watch: Watch) -> Visitor:
    """Return that browser as if nobody had used it."""
    watch.context.clear_cookies()
    watch.context.set_offline(False)
    return Visitor(watch.context.pages[0])


@pytest.mark.parametrize("name", STAGES)
def test_page_has_no_fault(name: str, newcomer: Visitor, watch: Watch):
    watch.failure = FAILURES.get(name)
    STAGES[name](newcomer)

    assert faults(newcomer.page) == []
    assert watch.told() == []
