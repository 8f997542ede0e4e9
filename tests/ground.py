"""The ground under every test: a PostgreSQL and a Redis of this session's own, before Django reads its settings.

A plugin (`-p tests.ground`) and not part of conftest.py, because settings are read before a conftest is. Several
sessions may run beside each other: each has its own folder, and removes what a killed one left.
"""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from config.embedded import Embedded, stop_leftover_servers
from config.processes import FolderInUse, FolderLock
from config.stack import stop_leftover_processes

SESSIONS = Path(__file__).resolve().parent.parent / "var" / "test"
# What a test writes need not survive a power cut.
FAST_POSTGRES = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start the servers (the session's controller) or choose an own Redis database on them (an xdist worker)."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        server, _, _ = os.environ["REDIS_URL"].rpartition("/")
        os.environ["REDIS_URL"] = f"{server}/{int(worker.removeprefix('gw')) + 1}"
    else:
        start_session(early_config)
    return (yield)


def start_session(config: pytest.Config) -> None:
    """Start the servers of this session and set the environment; the end of pytest removes both servers and folder."""
    remove_ended_sessions()
    folder = SESSIONS / str(os.getpid())
    servers = Embedded(folder, postgres_settings=FAST_POSTGRES)
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    config.add_cleanup(servers.stop)
    servers.start()
    os.environ.update(
        DEMO="1",
        DEBUG="0",
        SECRET_KEY="known to every test",
        ALLOWED_HOSTS="127.0.0.1,localhost",
        SITE_URL="http://127.0.0.1:8000",
        DATABASE_URL=servers.database_url,
        DATABASE_CONN_MAX_AGE="0",
        REDIS_URL=servers.redis_url,
        EMAIL_URL="memorymail://",
        MEDIA_ROOT=str(folder / "media"),
        IDENTITY_ROOT=str(folder / "identity"),
        IDENTITY_PROVIDER="manual",
        # Playwright's fixtures run a loop in the thread of the test; nothing of ours is asynchronous.
        DJANGO_ALLOW_ASYNC_UNSAFE="1",
    )


def remove_ended_sessions() -> None:
    """Stop and remove what sessions left that were killed before they could tidy up."""
    for folder in SESSIONS.glob("*/"):
        lock = FolderLock(folder, "servers")
        try:
            lock.acquire()
        except FolderInUse:
            continue
        for servers in folder.glob("**/servers.lock"):
            stop_leftover_servers(servers.parent)
        for stack in folder.glob("**/stack.lock"):
            stop_leftover_processes(stack.parent)
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
