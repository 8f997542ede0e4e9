"""Children end when they should, and never outlive who started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from config.processes import FolderInUse, FolderLock, Process, StartRefused, is_port_free, stop_all, uninterrupted
from config.stack import PROJECT

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"


def python(tmp_path: Path, script: str) -> Process:
    return Process("child", [sys.executable, "-c", script], log=tmp_path / "child.log")


def test_process_that_ignores_sigterm_is_killed_in_time(tmp_path: Path):
    child = python(tmp_path, STUBBORN)
    child.start()
    child.wait_until(lambda: child.tail() == "up", 10)
    pid, began = child.pid, time.monotonic()

    child.stop(seconds=0.5)

    assert time.monotonic() - began < 5
    assert not psutil.pid_exists(pid or 0)


def test_process_takes_its_children_with_it(tmp_path: Path):
    child = python(tmp_path, PARENT)
    child.start()
    child.wait_until(lambda: child.tail() != "", 10)
    grandchild = psutil.Process(int(child.tail()))

    child.stop()

    for _ in range(100):
        if not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.05)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_processes_are_stopped_together_and_not_one_after_another(tmp_path: Path):
    children = [python(tmp_path, STUBBORN) for _ in range(3)]
    for child in children:
        child.start()
    began = time.monotonic()

    stop_all(children, seconds=1)

    assert time.monotonic() - began < 2.5
    assert [child.pid for child in children] == [None, None, None]


def test_process_that_ends_early_is_told_with_its_last_lines(tmp_path: Path):
    child = python(tmp_path, "raise SystemExit('the cable is out')")
    child.start()

    with pytest.raises(StartRefused) as told:
        child.wait_until(lambda: False, 10)

    assert str(told.value) == "child ended with exit code 1; it last said:\nthe cable is out"
    child.stop()


def test_process_that_never_gets_ready_is_given_up_on(tmp_path: Path):
    child = python(tmp_path, "import time; time.sleep(60)")
    child.start()

    with pytest.raises(StartRefused, match="child was not ready in 0 s"):
        child.wait_until(lambda: False, 0.2)

    child.stop()


def test_process_tail_shows_this_run_and_not_the_last(tmp_path: Path):
    (tmp_path / "child.log").write_text("yesterday\n")
    child = python(tmp_path, "print('today')")
    child.start()
    child.wait_until(lambda: child.exit_code == 0, 10)

    assert child.tail() == "today"
    child.stop()


def test_signal_waits_until_the_block_is_done():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        done.append("block")
    assert done == ["block"]


def test_folder_lock_is_for_one_holder_and_tells_the_note(tmp_path: Path):
    first, second = FolderLock(tmp_path, "demo"), FolderLock(tmp_path, "demo")
    first.acquire("the first was here")

    with pytest.raises(FolderInUse, match="the first was here"):
        second.acquire()

    first.release()
    second.acquire()
    second.release()


def test_folder_lock_dies_with_its_holder(tmp_path: Path):
    script = (
        "import pathlib, signal; from config.processes import FolderLock; lock = FolderLock(pathlib.Path('{}'), 'x')"
    )
    script = script.format(tmp_path) + "; lock.acquire(); print('locked', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(FolderInUse):
            FolderLock(tmp_path, "x").acquire()
        holder.kill()
    freed = FolderLock(tmp_path, "x")
    freed.acquire()
    freed.release()


def test_port_is_free_until_somebody_listens(listener):
    port = listener.getsockname()[1]
    assert is_port_free(port) is False
    listener.close()
    assert is_port_free(port) is True
