"""What tests of the ground share."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import create_database


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Return a socket that listens on a loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def own_servers(tmp_path: Path) -> dict[str, str]:
    """Return the addresses of an empty database of this test's own, and of the worker's Redis."""
    name = f"stack_{os.getpid()}_{abs(hash(tmp_path.name))}"
    return {
        "database_url": create_database(os.environ["DATABASE_URL"], name),
        "redis_url": os.environ["REDIS_URL"],
    }
