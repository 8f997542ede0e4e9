"""Getting ready, and joining by itself at zero."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from django.db import connection, transaction
from playwright.sync_api import Browser, Page, Request, expect

from accounts.models import User
from config.stack import Stack
from queues import locks
from queues import services as queue_services
from queues.models import Admission
from tests.journeys.sales import Sale, new_fan, new_sale, soon
from tests.journeys.visitor import PATIENCE_MS, NewVisitor, Visitor

pytestmark = pytest.mark.browser

READY = "You are ready. Stay here, or come back at"
# Longer than a page takes to load on a machine that does much else.
AHEAD_SECONDS = 20
LONG_MS = 60_000
HOUR_AND_MORE = "01:00:05"


def posts_of(page: Page) -> list[str]:
    """Return a list to which each form that the page sends is added, by its address."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url.partition("/queues/")[2])

    page.on("request", note)
    return sent


def upcoming(**fields: object) -> Sale:
    """Return a sale that opens in an hour, with somebody inside, so that whoever joins waits."""
    sale = new_sale(**{"scheduled_start": soon(hours=1), "max_concurrent_admissions": 1, **fields})
    sale.let_in(new_fan())
    return sale


def stay_ready(visitor: Visitor, sale: Sale) -> User:
    """Open the countdown in a page whose clock the test moves."""
    visitor.page.clock.install()
    visitor.sign_in(fan := new_fan())
    visitor.go(sale.journey)
    expect(visitor.page.get_by_text(READY)).to_be_visible()
    expect(visitor.page.get_by_text("this page joins the line for you within two seconds")).to_be_visible()
    return fan


def test_ready_fan_joins_at_zero_without_a_hand_and_the_other_is_asked(new_visitor: NewVisitor):
    sale = upcoming(enable_captcha=True, require_access_code=True)
    sale.queue.access_codes.create(code="GOOD", max_uses=5)
    sale.change_queue(scheduled_start=(opens_at := soon(seconds=AHEAD_SECONDS)))
    ready, late = new_visitor(), new_visitor()
    fans = {visitor: new_fan() for visitor in (ready, late)}
    for visitor, fan in fans.items():
        visitor.sign_in(fan)
        visitor.go(f"{sale.journey}?code=GOOD")
        expect(visitor.page.get_by_text("Not ready yet.")).to_be_visible()
        expect(visitor.page.get_by_label("Presale code")).to_have_value("GOOD")
    ready.press("Access Presale")
    expect(ready.page.get_by_text(READY)).to_be_visible()
    sent = posts_of(ready.page)

    expect(ready.page.locator("h1")).to_have_text("Your position in line", timeout=LONG_MS)
    expect(late.page.get_by_role("button", name="Access Presale")).to_be_visible(timeout=LONG_MS)
    late.sees("General sale")

    assert sent == [f"{sale.queue.slug}/join/"]
    [own] = sale.admissions(fans[ready])
    assert own.joined_at >= opens_at
    assert sale.admissions(fans[late]) == []


def test_page_that_was_asleep_joins_when_it_wakes(visitor: Visitor):
    sale = upcoming()
    fan = stay_ready(visitor, sale)
    sent = posts_of(visitor.page)
    sale.change_queue(scheduled_start=soon(seconds=-1))

    # The lid is closed for an hour: each timer that was due is called once.
    visitor.page.clock.fast_forward(HOUR_AND_MORE)
    visitor.page.clock.run_for(5_000)

    expect(visitor.page.locator("h1")).to_have_text("Your position in line", timeout=LONG_MS)
    assert sent == [f"{sale.queue.slug}/join/"]
    assert len(sale.admissions(fan)) == 1


def test_page_in_the_background_is_woken_although_its_own_timers_are_held_back(visitor: Visitor):
    sale = upcoming()
    stay_ready(visitor, sale)
    page = visitor.page
    # From here on no timer of the page itself comes due.
    page.clock.pause_at(soon(minutes=1))
    joining = page.get_by_text("The sale is open. Joining the line for you.")

    # Once hidden, the page is woken by its worker, whose clock goes on.
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", {value: true});
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect(joining).to_be_hidden()
    page.clock.set_system_time(soon(hours=2))

    expect(joining).to_be_visible()


def test_page_whose_clock_is_early_asks_again_until_the_server_has_opened(stack: Stack, browser: Browser):
    with unwatched(stack, browser) as visitor:
        sale = upcoming()
        fan = stay_ready(visitor, sale)
        with visitor.page.expect_response("**/join/") as early:
            visitor.page.clock.fast_forward(HOUR_AND_MORE)
            visitor.page.clock.run_for(2_500)
        assert (early.value.status, early.value.headers["x-refusal"]) == (423, "queue_not_open")
        assert sale.admissions(fan) == []
        sale.change_queue(scheduled_start=soon(seconds=-1))

        run_on(visitor.page, lambda: bool(sale.admissions(fan)))

        expect(visitor.page.locator("h1")).to_have_text("Your position in line", timeout=LONG_MS)
        assert len(sale.admissions(fan)) == 1


def test_sale_that_staff_open_early_is_joined_by_who_is_ready(visitor: Visitor):
    sale = upcoming()
    fan = stay_ready(visitor, sale)
    sent = posts_of(visitor.page)
    queue_services.open_queue(sale.queue)

    run_on(visitor.page, lambda: bool(sale.admissions(fan)))

    expect(visitor.page.locator("h1")).to_have_text("Your position in line", timeout=LONG_MS)
    assert sent == [f"{sale.queue.slug}/join/"]


def test_page_of_a_sale_that_is_put_off_counts_to_the_new_time(visitor: Visitor):
    sale = upcoming()
    stay_ready(visitor, sale)
    later = soon(hours=3)
    sale.change_queue(scheduled_start=later)
    queue_services.publish_board(sale.queue.pk)
    clock = visitor.page.locator("time[data-countdown]")

    run_on(visitor.page, lambda: datetime.fromisoformat(clock.get_attribute("datetime") or "") == later)


def test_board_is_news_when_the_sale_is_open_or_its_time_is_another(visitor: Visitor):
    visitor.go("/")
    boards = [
        ("scheduled", "2026-12-01T10:00:00.5Z"),
        ("scheduled", "2026-12-01T10:01:00Z"),
        ("open", "2026-12-01T09:00:00Z"),
        ("paused", "2026-12-01T10:00:00.5Z"),
        ("closed", "2026-12-01T10:00:00.5Z"),
        ("lobby", "2026-12-01T10:00:00.5Z"),
    ]

    news = visitor.page.evaluate(
        """async (boards) => {
          const {newsOf} = await import("/static/js/opening.js");
          const opensAt = "2026-12-01T11:00:00.500+01:00";
          return boards.map(([phase, opens_at]) => newsOf({phase, opens_at}, "scheduled", opensAt));
        }""",
        boards,
    )

    assert news == ["same", "changed", "open", "open", "changed", "changed"]


def test_refused_join_leads_to_the_page_that_says_why(stack: Stack, browser: Browser):
    with unwatched(stack, browser) as visitor:
        sale = upcoming()
        fan = stay_ready(visitor, sale)
        sale.change_queue(scheduled_start=soon(seconds=-1), require_access_code=True)

        visitor.page.clock.fast_forward(HOUR_AND_MORE)
        visitor.page.clock.run_for(2_500)

        expect(visitor.page.get_by_role("alert")).to_contain_text("Please enter your presale code", timeout=LONG_MS)
        visitor.sees("General sale")
        assert sale.admissions(fan) == []


def test_busy_server_is_asked_again_politely(stack: Stack, browser: Browser):
    with unwatched(stack, browser) as visitor:
        sale = upcoming()
        fan = stay_ready(visitor, sale)
        sale.change_queue(scheduled_start=soon(seconds=-1))
        busy = visitor.page.get_by_text("Very many are joining. Trying again by itself")
        with line_taken(sale) as still:
            visitor.page.clock.fast_forward(HOUR_AND_MORE)
            visitor.page.clock.run_for(2_500)
            wait_until(busy.is_visible, meanwhile=still)
        assert sale.admissions(fan) == []

        run_on(visitor.page, lambda: bool(sale.admissions(fan)))

        expect(visitor.page.locator("h1")).to_have_text("Your position in line", timeout=LONG_MS)
        assert [own.status for own in sale.admissions(fan)] == [Admission.Status.WAITING]


def test_page_joins_within_two_seconds_and_tries_again_when_the_server_asks_for_it_or_later(visitor: Visitor):
    visitor.go("/")
    tries = [(1, "2", 0), (1, "2", 1), (1, None, 0), (3, "2", 0), (9, "2", 0), (9, "120", 0), (1, "soon", 0)]

    waits = visitor.page.evaluate(
        """async (tries) => {
          const {joinAfter, nextTry} = await import("/static/js/joining.js");
          return [...tries.map((values) => nextTry(...values)), joinAfter(0), joinAfter(1)];
        }""",
        tries,
    )

    assert waits == [2000, 4000, 2000, 4500, 30_000, 120_000, 2000, 300, 2000]


def test_without_scripts_the_page_says_when_to_come_back(new_visitor: NewVisitor):
    sale = upcoming()
    visitor = new_visitor(java_script_enabled=False)
    visitor.sign_in(new_fan())
    visitor.go(sale.journey)

    expect(visitor.page.get_by_text(READY)).to_be_visible()
    expect(visitor.page.get_by_text("Come back then and press the button that will be here.")).to_be_visible()
    expect(visitor.page.get_by_text("this page joins the line for you")).to_be_hidden()


@contextmanager
def unwatched(stack: Stack, browser: Browser) -> Iterator[Visitor]:
    """Give a visitor whose script is refused something, of which the browser would complain in the console."""
    context = browser.new_context(base_url=stack.url)
    context.set_default_timeout(PATIENCE_MS)
    yield Visitor(context.new_page())
    context.close()


@contextmanager
def line_taken(sale: Sale) -> Iterator[Callable[[], None]]:
    """Have the line alone, so that nobody can join; what is given must be called now and then to keep it."""

    def still() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    with transaction.atomic():
        locks.take_line(sale.queue.pk, wait_ms=3000)
        yield still


def wait_until(has_come: Callable[[], bool], *, meanwhile: Callable[[], None]) -> None:
    deadline = time.monotonic() + LONG_MS / 1000
    while not has_come():
        assert time.monotonic() < deadline, "it has not come"
        meanwhile()
        time.sleep(0.3)


def run_on(page: Page, has_come: Callable[[], bool]) -> None:
    """Let the page's clock run until something has come."""
    wait_until(has_come, meanwhile=lambda: page.clock.run_for(1_000))
    page.clock.run_for(5_000)
