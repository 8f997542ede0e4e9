"""The stack's processes: all up, all gone, and each death noticed."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from config.processes import FolderInUse, StartRefused
from config.stack import PROJECT, ProcessEnded, Stack, kept_secret, processes_of_stack

SUPERVISOR = """
import pathlib, signal, sys
from config.stack import Stack
folder, database_url, redis_url = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with Stack(pathlib.Path(folder), database_url=database_url, redis_url=redis_url):
    print("up", flush=True)
    signal.pause()
"""


NewStack = Callable[..., Stack]


@pytest.fixture
def new_stack(tmp_path: Path, own_servers: dict[str, str]) -> Iterator[NewStack]:
    """Return a function that makes a stack in the test's folder, on the test's own database."""
    made: list[Stack] = []

    def make(**options: Any) -> Stack:
        stack = Stack(tmp_path / "stack", **{**own_servers, **options})
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.stop()


@pytest.fixture
def stack(new_stack: NewStack) -> Stack:
    """Return a stack whose database is migrated, not yet started."""
    stack = new_stack()
    stack.manage("migrate", "--no-input")
    return stack


def supervise(stack: Stack) -> subprocess.Popen[bytes]:
    """Start a stack in the same folder from a process of its own."""
    command = [sys.executable, "-c", SUPERVISOR, str(stack.folder)]
    command += [stack.settings["DATABASE_URL"], stack.settings["REDIS_URL"]]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE)


def test_stack_answers_and_leaves_nothing_when_stopped(stack: Stack, new_stack: NewStack):
    with new_stack(web_processes=2, workers=2, worker_processes=1) as two_of_each:
        assert sorted(two_of_each.pids) == ["beat", "web", "worker-1", "worker-2"]
        assert httpx.get(f"{two_of_each.url}/").status_code == 200
        assert len(psutil.Process(two_of_each.pids["web"]).children()) >= 2
        two_of_each.check()

    assert processes_of_stack(stack.folder) == []
    names = {"beat.log", "manage-migrate.log", "web.log", "worker-1.log", "worker-2.log"}
    assert {path.name for path in (stack.folder / "logs").iterdir()} == names


@pytest.mark.parametrize("name", ["web", "worker-1", "beat"])
def test_stack_names_the_process_that_died(stack: Stack, name: str):
    stack.start()
    os.kill(stack.pids[name], signal.SIGKILL)

    with pytest.raises(
        ProcessEnded, match=rf"^{name} ended with exit code -9; it last said \(all of it: .*{name}.log\)"
    ):
        stack.wait_until(lambda: False)

    stack.stop()
    assert processes_of_stack(stack.folder) == []


def test_stack_starts_where_a_killed_supervisor_left_one_running(stack: Stack, capsys: pytest.CaptureFixture[str]):
    with supervise(stack) as supervisor:
        assert supervisor.stdout
        assert supervisor.stdout.readline() == b"up\n"
        left = {process.pid for process in processes_of_stack(stack.folder)} - {supervisor.pid}
        supervisor.kill()

    stack.start()

    assert {process.pid for process in processes_of_stack(stack.folder)} & left == set()
    # The worker may have forked another child since they were counted.
    said = re.search(r"^Stopping (\d+) processes that an earlier run left in", capsys.readouterr().out, re.MULTILINE)
    assert said
    assert int(said[1]) >= len(left)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_stack_stopped_in_the_middle_of_its_start_leaves_nothing(stack: Stack, signum: signal.Signals):
    with supervise(stack) as supervisor:
        while not processes_of_stack(stack.folder):
            time.sleep(0.01)
        supervisor.send_signal(signum)
        assert supervisor.wait(30) != 0
        assert supervisor.stdout
        assert supervisor.stdout.read() == b""

    assert processes_of_stack(stack.folder) == []


def test_stack_folder_is_for_one_stack_at_a_time(stack: Stack, new_stack: NewStack):
    stack.start()
    running = stack.pids

    with pytest.raises(FolderInUse, match=f"{stack.url} \\(process {os.getpid()}\\)"):
        new_stack().start()

    stack.check()
    assert stack.pids == running


def test_stack_whose_port_is_taken_says_so_and_leaves_nothing(new_stack: NewStack, listener: socket.socket):
    port = listener.getsockname()[1]
    taken = new_stack(port=port)

    with pytest.raises(StartRefused, match=f"^Port {port} is in use.$"):
        taken.start()

    assert processes_of_stack(taken.folder) == []


def test_stack_runs_its_commands_beside_the_rest_and_notices_their_end(new_stack: NewStack):
    stack = new_stack(commands=["check"])
    with pytest.raises(ProcessEnded, match=r"^check ended with exit code 0; "), stack:
        assert "check" in stack.pids
        stack.wait_until(lambda: False)
    assert processes_of_stack(stack.folder) == []


def test_stack_command_that_fails_is_told_with_its_last_lines(stack: Stack):
    with pytest.raises(StartRefused, match="Unknown command: 'fly'"):
        stack.manage("fly")


def test_stack_secret_is_made_once_and_kept(tmp_path: Path):
    secret = kept_secret(tmp_path / "deep" / "secret-key")
    assert kept_secret(tmp_path / "deep" / "secret-key") == secret
    assert len(secret) > 50
    assert (tmp_path / "deep" / "secret-key").stat().st_mode & 0o777 == 0o600


def test_stack_gets_its_settings_from_extra_env_last(new_stack: NewStack):
    stack = new_stack(extra_env={"LOG_LEVEL": "ERROR", "DEMO": "0"})
    assert (stack.environment["LOG_LEVEL"], stack.environment["DEMO"]) == ("ERROR", "0")
    assert stack.environment["SITE_URL"] == stack.url == f"http://127.0.0.1:{stack.port}"
