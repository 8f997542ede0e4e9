"""Every page in every stage: nothing for axe-core to find, nothing in the console, nothing from outside."""

from __future__ import annotations

import pytest

from tests.journeys.axe import faults
from tests.journeys.stages import STAGES
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", STAGES)
def test_page_has_no_fault(name: str, visitor: Visitor):
    STAGES[name](visitor)

    assert faults(visitor.page) == []
