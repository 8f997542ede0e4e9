"""A sale that has begun, on servers and processes of its own: whatever breaks here breaks nothing for other tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from environ import Env
from pytest_django import DjangoDbBlocker, Settings

from config.embedded import Embedded
from config.processes import Process
from config.stack import Stack
from queues.models import Queue
from tests.faults.crowd import MidSale, mid_sale
from tests.ground import FAST_POSTGRES


@pytest.fixture(scope="session")
def servers(session_folder: Path) -> Iterator[Embedded]:
    """Return a PostgreSQL and a Redis that may be stopped: one pair for all faults of this worker."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    with Embedded(session_folder / f"faults-{worker}", postgres_settings=FAST_POSTGRES) as servers:
        yield servers


@pytest.fixture(scope="session")
def stack(servers: Embedded) -> Iterator[Stack]:
    """Return a running stack with one worker; connections to the database are kept, as in production."""
    stack = Stack(
        servers.folder / "stack",
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        worker_processes=1,
        # Shared with the test's own process, which signs fans in without a form.
        extra_env={"SECRET_KEY": django_settings.SECRET_KEY, "DATABASE_CONN_MAX_AGE": "600"},
    )
    stack.manage("migrate", "--no-input")
    with stack:
        yield stack


@pytest.fixture(autouse=True)
def _data_of_the_stack(
    servers: Embedded, stack: Stack, settings: Settings, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Let the test's own process work on the stack's servers; mend at the end what the test has broken."""
    caches = deepcopy(settings.CACHES)
    caches["default"]["LOCATION"] = servers.redis_url
    settings.CACHES = caches
    own = deepcopy(connection.settings_dict)
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict.update(NAME=Env.db_url_config(servers.database_url)["NAME"])
        connection.settings_dict["OPTIONS"]["host"] = Env.db_url_config(servers.database_url)["OPTIONS"]["host"]
        yield
        connection.close()
        for process in [*servers.processes.values(), *stack.processes.values()]:
            start_again(process)
        # No beat shall tick for a sale that nobody looks at any more.
        Queue.objects.update(published_at=None)
        connection.close()
        connection.settings_dict.update(own)


def start_again(process: Process) -> None:
    """Start what has ended."""
    if process.pid is None or process.exit_code is not None:
        process.stop()
        process.start()


@pytest.fixture
def sale(stack: Stack) -> Iterator[MidSale]:
    """Return a sale in which one fan is paying, one is choosing, and three wait in line."""
    sale = mid_sale(stack.url)
    yield sale
    sale.leave()
