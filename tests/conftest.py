"""What every test may ask for. The servers under it are started in ground.py."""

import os
import shutil
import socket
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Organizer, User
from events.models import Event, Tier
from queues import admittance
from queues.models import Admission, Queue
from tests.api import request_as_described
from tests.factories import (
    AdmissionFactory,
    EndpointFactory,
    EventFactory,
    MembershipFactory,
    OrganizerFactory,
    QueueFactory,
    TierFactory,
    UserFactory,
)
from webhooks.models import Endpoint

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
left_out_key = pytest.StashKey[set[str]]()


def find_chromium() -> str | None:
    """Return the path of the machine's Chromium (CHROMIUM names another one), or None."""
    names = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else CHROMIUM_NAMES
    return next((path for name in names if (path := shutil.which(name))), None)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[left_out_key] = set()
    if os.environ.get("REQUIRE_BROWSER") == "1" and not find_chromium():
        raise pytest.UsageError("REQUIRE_BROWSER=1, but there is no Chromium: apt-get install chromium")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser tests out on a machine without a Chromium."""
    if find_chromium():
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    items[:] = [item for item in items if item not in left_out]
    names: set[str] = config.stash[left_out_key]
    names.update(item.nodeid for item in left_out)
    config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        names: set[str] = session.config.stash[left_out_key]
        session.config.workeroutput["left_out"] = sorted(names)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: pytest.Session, error: object) -> None:
    """Learn from an xdist worker which tests it left out."""
    names: set[str] = node.config.stash[left_out_key]
    names.update(getattr(node, "workeroutput", {}).get("left_out", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out: set[str] = config.stash[left_out_key]
    if left_out:
        terminalreporter.section("browser tests left out: there is no Chromium (apt-get install chromium)")
        for name in sorted(left_out):
            terminalreporter.line(name)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the machine's Chromium, for Playwright's `executable_path`; for tests marked `browser`."""
    path = find_chromium()
    assert path, "a test that asks for a browser carries the marker `browser`"
    return path


@pytest.fixture(scope="session")
def session_folder() -> Path:
    """Return the folder that this session removes at its end."""
    return Path(os.environ["MEDIA_ROOT"]).parent


@pytest.fixture(scope="session")
def redis_client() -> Iterator[redis.Redis]:
    """Return a client of this worker's own Redis database."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture(autouse=True)
def _empty_redis(redis_client: redis.Redis) -> Iterator[None]:
    """Leave nothing in Redis for the next test."""
    yield
    redis_client.flushdb()


@pytest.fixture
def dead_redis(settings: Settings) -> None:
    """Point every Redis connection at a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    caches = deepcopy(settings.CACHES)
    caches["default"]["LOCATION"] = f"redis://127.0.0.1:{port}/0"
    settings.CACHES = caches


@pytest.fixture(autouse=True)
def _only_described_answers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every client of a test take such answers of the API only as its description has."""
    if not request.node.get_closest_marker("urls"):
        monkeypatch.setattr(Client, "request", request_as_described)


# The cast: ada organises, ben buys, cleo is a stranger to both.


@pytest.fixture
def organizer(db: None) -> Organizer:
    return OrganizerFactory(name="Ada Concerts", slug="ada-concerts")


@pytest.fixture
def ada(organizer: Organizer) -> User:
    ada: User = MembershipFactory(organizer=organizer, user__email="ada@example.org", user__name="Ada").user
    return ada


@pytest.fixture
def ben(db: None) -> User:
    return UserFactory(email="ben@example.org", name="Ben", email_verified_at=timezone.now())


@pytest.fixture
def cleo(db: None) -> User:
    return UserFactory(email="cleo@example.org", name="Cleo", email_verified_at=timezone.now())


@pytest.fixture
def event(organizer: Organizer) -> Event:
    return EventFactory(organizer=organizer, name="Fall Tour", slug="fall-tour")


@pytest.fixture
def floor(event: Event) -> Tier:
    """A tier with plenty of tickets."""
    return TierFactory(event=event, name="Floor", slug="floor", price=Decimal(150), quantity=100, position=1)


@pytest.fixture
def vip(event: Event) -> Tier:
    """A tier with few tickets."""
    return TierFactory(event=event, name="VIP", slug="vip", price=Decimal("499.99"), quantity=5, position=0)


@pytest.fixture
def queue(event: Event, floor: Tier, vip: Tier) -> Queue:
    """An open queue to both tiers."""
    return QueueFactory(event=event, name="General sale", slug="fall-tour-sale")


@pytest.fixture
def admission(queue: Queue, ben: User) -> Admission:
    """Ben's turn: he is admitted to the queue."""
    return AdmissionFactory(queue=queue, user=ben, admitted=True)


@pytest.fixture
def token(admission: Admission) -> str:
    """What shows that it is Ben's turn."""
    return admittance.token_for(admission)


@pytest.fixture
def endpoint(organizer: Organizer) -> Endpoint:
    """A program of Ada's that wants to know everything."""
    return EndpointFactory(organizer=organizer)


@pytest.fixture
def api() -> APIClient:
    """A program that nobody is signed in to."""
    return APIClient()
