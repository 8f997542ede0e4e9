"""`make demo` as a person meets it: up, told where, stopped, and clear when it cannot."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

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
            env={**bare, "PORT": str(free_port()), **environment},
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
