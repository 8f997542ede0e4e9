"""The pages as production serves them: hashed modules that find each other, under the strict policy, without a demo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Response, expect

from config.stack import Stack
from tests.config.production import with_static_files
from tests.factories import AdmissionFactory
from tests.journeys.sales import new_fan, new_sale, soon
from tests.journeys.visitor import Visitor, Watch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

HASHED = re.compile(r"/static/(js|css|altcha)/[\w-]+(\.min)?\.[0-9a-f]{12}\.\w+$")
MODULES = {
    "altcha",
    "board",
    "captcha",
    "captcha-worker",
    "claim",
    "countdown",
    "drawing",
    "joining",
    "opening",
    "passkey",
    "place",
    "pulse",
    "selection",
    "words",
    "zone",
}


@pytest.fixture
def production(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """Return a production on the data of the journeys' stack."""
    shared = {name: stack.settings[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    production = Stack(
        tmp_path / "stack",
        database_url=shared["DATABASE_URL"],
        redis_url=shared["REDIS_URL"],
        worker_processes=1,
        extra_env={**with_static_files(tmp_path), **shared, "BEHIND_PROXY": "1"},
    )
    with production:
        yield production


def test_modules_of_production_load_by_hashed_names_and_run(browser: Browser, production: Stack):
    # As the proxy in front says it: the browser came by HTTPS.
    context = browser.new_context(base_url=production.url, extra_http_headers={"X-Forwarded-Proto": "https"})
    watch, files = Watch(context, production.url), list[Response]()
    context.on("response", lambda answer: note(files, answer))
    inside, outside = new_fan(), new_fan()
    # Paused until both are there: a tick that has counted nobody inside would let the other in.
    sale = new_sale(max_concurrent_admissions=1, paused_at=timezone.now())
    sale.let_in(inside, claimed_at=timezone.now())
    AdmissionFactory(queue=sale.queue, user=outside)
    sale.change_queue(paused_at=None)
    visitor = Visitor(context.new_page())

    visitor.go("/account/login/")
    expect(visitor.named("Sign in with a passkey")).to_be_visible()
    visitor.go(sale.page)
    visitor.sign_in(outside)
    visitor.go(sale.journey)
    expect(visitor.page.locator("[data-people] .figure--you")).to_be_visible()
    visitor.sign_in(inside)
    visitor.go(sale.journey)
    expect(visitor.page.locator("[data-summary]")).to_be_visible()
    visitor.go(new_sale(enable_captcha=True, scheduled_start=soon(hours=1)).journey)
    visitor.page.get_by_label("I am a person").click()
    expect(visitor.page.get_by_text("Done: welcome")).to_be_visible()
    # The last to come: a worker, which no page waits for.
    with context.expect_event("response", lambda answer: "/pulse." in answer.url):
        visitor.go(new_sale(scheduled_start=soon(hours=1)).journey)
    expect(visitor.page.get_by_text("You are ready.")).to_be_visible()

    assert watch.finish() == []
    code = [answer for answer in files if answer.url.endswith((".js", ".css"))]
    assert [answer.url for answer in code if not HASHED.search(answer.url)] == []
    assert {Path(answer.url).name.partition(".")[0] for answer in code} == {*MODULES, "fairline"}
    assert {(answer.status, answer.headers["cache-control"]) for answer in code} == {
        (200, "max-age=315360000, public, immutable")
    }


def note(files: list[Response], answer: Response) -> None:
    files.append(answer)
