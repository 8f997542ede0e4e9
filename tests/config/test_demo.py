"""`make demo` as a person meets it: up, told where, stopped, and clear when it cannot."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from config.concert import QUEUE_SLUG
from config.crowd.background import LINE, NEWCOMERS_A_SECOND
from config.embedded import stop_leftover_servers
from config.processes import free_port
from config.stack import PROJECT, processes_of_stack, stop_leftover_processes

SCRIPT = "import pathlib, sys; from config.demo import main; sys.exit(main(pathlib.Path(sys.argv[1])))"
Demo = subprocess.Popen[str]


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Return a function that starts the demo in the test's folder, without a terminal; all are ended afterwards."""
    started: list[Demo] = []
    bare = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}

    def start(stdin: int = subprocess.DEVNULL, **environment: str) -> Demo:
        demo = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, tmp_path],
            cwd=PROJECT,
            env={**bare, "PORT": str(free_port()), "CROWD": "0", **environment},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(demo)
        return demo

    yield start
    for demo in started:
        if demo.poll() is None:
            demo.kill()
        demo.communicate()
    stop_leftover_processes(tmp_path)
    stop_leftover_servers(tmp_path)


def wait_until_up(demo: Demo) -> str:
    """Read what the demo prints until it is on sale; return its address."""
    assert demo.stdout
    for line in demo.stdout:
        if found := re.fullmatch(r"Fairline is on sale at (\S+)\n", line):
            return found[1]
    raise AssertionError(demo.communicate()[1])


def servers_of(folder: Path) -> set[str]:
    return {name for name in ("postgres/postmaster.pid", "redis/redis.pid") if (folder / name).exists()}


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_demo_comes_up_and_stops_on_each_signal_leaving_nothing(tmp_path: Path, start_demo, signum: signal.Signals):
    demo = start_demo()
    url = wait_until_up(demo)
    assert httpx.get(f"{url}/").status_code == 200

    demo.send_signal(signum)
    out, err = demo.communicate(timeout=30)

    assert (demo.returncode, err) == (0, "")
    assert "The demo has stopped." in out
    assert processes_of_stack(tmp_path) == []
    assert servers_of(tmp_path) == set()


def test_demo_keeps_its_key_and_data_and_says_so_after_a_kill(tmp_path: Path, start_demo):
    first = start_demo()
    wait_until_up(first)
    before = (tmp_path / "secret-key").read_text()
    first.kill()
    first.wait()
    assert processes_of_stack(tmp_path) != []

    second = start_demo()
    assert httpx.get(f"{wait_until_up(second)}/").status_code == 200

    assert (tmp_path / "secret-key").read_text() == before
    assert f"SECRET_KEY={before}\n" in (tmp_path / "environment").read_text()
    second.send_signal(signal.SIGINT)
    second.communicate(timeout=30)
    assert processes_of_stack(tmp_path) == []


def test_demo_that_runs_already_is_pointed_to(start_demo):
    first = start_demo()
    url = wait_until_up(first)

    second = start_demo()
    out, err = second.communicate(timeout=30)

    assert (second.returncode, out) == (1, "")
    assert err.startswith("A demo is running already: ")
    assert f"{url} (process {first.pid}). Use that one, or stop it first.\n" in err
    assert httpx.get(f"{url}/").status_code == 200


def test_demo_says_what_to_do_when_the_port_is_in_use(tmp_path: Path, start_demo, listener):
    port = listener.getsockname()[1]

    demo = start_demo(PORT=str(port))

    told = f"Port {port} is in use. Stop what listens there, or run: make demo PORT={port + 1}\n"
    assert (*demo.communicate(timeout=30), demo.returncode) == ("", told, 1)
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "80.5"])
def test_demo_refuses_a_port_that_is_none(start_demo, port: str):
    demo = start_demo(PORT=port)
    told = f"PORT={port} is no port: choose a number from 1 to 65535, for example PORT=8001.\n"
    assert (*demo.communicate(timeout=30), demo.returncode) == ("", told, 1)


def test_demo_wants_both_servers_or_none(start_demo):
    demo = start_demo(DATABASE_URL="postgres://localhost/fairline")
    told = "Only DATABASE_URL is set: set both DATABASE_URL and REDIS_URL, or neither.\n"
    assert (*demo.communicate(timeout=30), demo.returncode) == ("", told, 1)


@pytest.mark.parametrize("crowd", ["yes", "2"])
def test_demo_refuses_a_crowd_that_is_neither_there_nor_not(start_demo, crowd: str):
    demo = start_demo(CROWD=crowd)
    told = f"CROWD={crowd} does not do: 0 leaves the crowd out, 1 brings it.\n"
    assert (*demo.communicate(timeout=30), demo.returncode) == ("", told, 1)


def read_board(url: str) -> dict[str, Any]:
    return dict(httpx.get(f"{url}/api/v1/queues/{QUEUE_SLUG}/board/").json())


def wait_for_board(url: str, is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    while not is_there(board := read_board(url)):
        time.sleep(0.5)
    return board


def break_connections(database_url: str) -> None:
    """End every connection to a database, as a server does that is restarted."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_demo_has_a_crowd_that_moves_on_through_broken_connections_and_stops_with_it(
    tmp_path: Path, start_demo, own_servers: dict[str, str]
):
    demo = start_demo(CROWD="1", DATABASE_URL=own_servers["database_url"], REDIS_URL=own_servers["redis_url"])
    url = wait_until_up(demo)
    before = wait_for_board(url, lambda board: board["waiting"] >= 4 and board["admitted_through"] >= 2)

    break_connections(own_servers["database_url"])

    moved = wait_for_board(
        url,
        lambda board: (
            board["admitted_through"] > before["places_given"] and board["places_given"] > before["places_given"] + 4
        ),
    )
    assert moved["waiting"] <= LINE + NEWCOMERS_A_SECOND
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=30)
    assert demo.returncode == 0
    assert processes_of_stack(tmp_path) == []


def test_demo_without_a_crowd_has_nobody_in_line(start_demo, own_servers: dict[str, str]):
    demo = start_demo(DATABASE_URL=own_servers["database_url"], REDIS_URL=own_servers["redis_url"])
    board = read_board(wait_until_up(demo))
    assert (board["waiting"], board["places_given"], board["rate"]["high"]) == (0, 0, 300.0)


def test_demo_uses_the_servers_it_is_given(tmp_path: Path, start_demo, own_servers: dict[str, str]):
    demo = start_demo(DATABASE_URL=own_servers["database_url"], REDIS_URL=own_servers["redis_url"])

    assert httpx.get(f"{wait_until_up(demo)}/").status_code == 200

    assert servers_of(tmp_path) == set()
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=30)
    assert processes_of_stack(tmp_path) == []


def test_demo_stops_when_its_terminal_goes_away(tmp_path: Path, start_demo):
    terminal, end = os.openpty()
    demo = start_demo(stdin=end)
    os.close(end)
    wait_until_up(demo)

    # No signal comes with it: the demo does not lead the terminal's session.
    os.close(terminal)

    demo.communicate(timeout=30)
    assert demo.returncode == 0
    assert processes_of_stack(tmp_path) == []
    assert servers_of(tmp_path) == set()


@pytest.mark.parametrize("line", ["Starting PostgreSQL and Redis.", "Preparing the database.", "Starting web server"])
def test_demo_stopped_in_the_middle_of_its_start_leaves_nothing(tmp_path: Path, start_demo, line: str):
    demo = start_demo()
    assert demo.stdout
    while not demo.stdout.readline().startswith(line):
        assert demo.poll() is None

    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=30)

    assert demo.returncode == 0
    assert processes_of_stack(tmp_path) == []
    assert servers_of(tmp_path) == set()
