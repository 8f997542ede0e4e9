"""The visitor's own time, where it is another one than the event's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.journeys.sales import Sale, new_sale
from tests.journeys.visitor import NewVisitor

pytestmark = pytest.mark.browser

# Chicago's clocks go from 2:00 back to 1:00 on 7 November 2027, an hour in which Berlin's stand still.
FIRST_HALF_PAST_ONE = datetime(2027, 11, 7, 6, 30, tzinfo=UTC)
SECOND_HALF_PAST_ONE = datetime(2027, 11, 7, 7, 30, tzinfo=UTC)


def late_sale(starts_at: datetime) -> Sale:
    sale = new_sale()
    sale.change_event(starts_at=starts_at, doors_at=starts_at)
    return sale


@pytest.mark.parametrize(
    ("starts_at", "home", "shown"),
    [
        (FIRST_HALF_PAST_ONE, "America/Chicago", "1:30 AM CDT"),
        (SECOND_HALF_PAST_ONE, "America/Chicago", "1:30 AM CST"),
        (FIRST_HALF_PAST_ONE, "Europe/Berlin", "1:30 AM CDT (Sun 7:30 AM your time)"),
        (SECOND_HALF_PAST_ONE, "Europe/Berlin", "1:30 AM CST (Sun 8:30 AM your time)"),
        (FIRST_HALF_PAST_ONE, "Pacific/Honolulu", "1:30 AM CDT (Sat 8:30 PM your time)"),
    ],
)
def test_own_time_is_told_where_it_differs(new_visitor: NewVisitor, starts_at: datetime, home: str, shown: str):
    visitor = new_visitor(timezone_id=home)

    visitor.go(late_sale(starts_at).page)

    expect(visitor.page.locator("dd", has=visitor.page.locator("time"))).to_have_text(shown, use_inner_text=True)
