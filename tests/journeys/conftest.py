"""A real stack, a real browser, and the people who use them: for tests of the whole way to a ticket.

The stack has a database and a Redis of its own; while a journey runs, the test's own process works on them too, so that
it can put rows there and look at what the pages left behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker, Settings

from config.embedded import create_database
from config.stack import Stack
from queues.models import Queue
from tests.journeys.sales import Sale, new_sale
from tests.journeys.visitor import PATIENCE_MS, NewVisitor, Visitor, Watch

# The workers of a session take the first databases of its Redis.
FIRST_REDIS_DATABASE = 8
OUTSIDE_IS_AWAY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"


@pytest.fixture(scope="session")
def stack(session_folder: Path) -> Iterator[Stack]:
    """Return a running stack, one for all journeys of this worker."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    server, _, _ = os.environ["REDIS_URL"].rpartition("/")
    stack = Stack(
        session_folder / f"journeys-{worker}",
        database_url=create_database(os.environ["DATABASE_URL"], f"journeys_{worker}"),
        redis_url=f"{server}/{FIRST_REDIS_DATABASE + int(worker.removeprefix('gw'))}",
        worker_processes=1,
        # Shared with the test's own process, which signs visitors in without a form.
        extra_env={"SECRET_KEY": django_settings.SECRET_KEY, "IDENTITY_PROVIDER": "instant"},
    )
    stack.manage("migrate", "--no-input")
    with stack:
        yield stack


@pytest.fixture(autouse=True)
def _data_of_the_stack(stack: Stack, settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the test's own process work on the stack's database and Redis; take what it sold off sale at the end."""
    caches = deepcopy(settings.CACHES)
    caches["default"]["LOCATION"] = stack.settings["REDIS_URL"]
    settings.CACHES = caches
    own_name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = urlsplit(stack.settings["DATABASE_URL"]).path.lstrip("/")
        yield
        # No beat shall tick for a sale that nobody looks at any more.
        Queue.objects.update(published_at=None)
        connection.close()
        connection.settings_dict["NAME"] = own_name


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Return the machine's Chromium, which can reach nothing but this machine."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", OUTSIDE_IS_AWAY]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        yield browser
        browser.close()


@pytest.fixture
def new_visitor(browser: Browser, stack: Stack) -> Iterator[NewVisitor]:
    """Return a function that gives somebody a browser of their own; at the end no page may have complained."""
    watches: list[Watch] = []

    def make(**options: object) -> Visitor:
        context = browser.new_context(base_url=stack.url, **options)  # type: ignore[arg-type]
        watches.append(Watch(context, stack.url))
        return Visitor(context.new_page())

    yield make
    complaints = [complaint for watch in watches for complaint in watch.finish()]
    assert complaints == []


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    return new_visitor()


@pytest.fixture
def sale() -> Sale:
    """Return an open sale with two tiers."""
    return new_sale()
