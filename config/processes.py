"""Child processes that never outlive the one who started them.

Under `embedded.py` (the two servers) and `stack.py` (web, workers, beat): starting without a gap in which a
Ctrl-C could lose a child, stopping whole process groups in bounded time, and locking a data folder.
"""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 10


class StartRefused(Exception):  # noqa: N818 - it is an answer, not an error
    """Something could not be started; the text is one clear line (and log lines) for the person who tried."""


class FolderInUse(StartRefused):
    """Another live process works in this folder."""


def say(line: str) -> None:
    """Print a line at once; a terminal that has gone away is no reason to stop tidying up."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C, SIGTERM and SIGHUP until the block is done, then deliver the first that came."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(signum: int, frame: FrameType | None) -> None:
        arrived.append(signum)

    handlers = {signum: signal.signal(signum, remember) for signum in STOP_SIGNALS}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        if arrived:
            signal.raise_signal(arrived[0])


def free_port() -> int:
    """Return a loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_free(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: a connection of yesterday that still lingers does not count as use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class FolderLock:
    """The right to work in a folder: given to one process at a time, and given back by the system when it dies."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.lock"
        self._file: IO[str] | None = None

    def acquire(self, note: str = "") -> None:
        """Take the lock and leave a note for whoever is refused; raises FolderInUse with the holder's note."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise FolderInUse(f"{self.path.parent} is in use: {holder}") from None
        file.truncate(0)
        file.write(note or f"process {os.getpid()} works there")
        file.flush()
        self._file = file

    @property
    def is_held(self) -> bool:
        """Whether it is ours now."""
        return self._file is not None

    def release(self) -> None:
        """Give the lock back; twice does no harm."""
        if self._file:
            self._file.close()
            self._file = None


class Process:
    """One child in a process group of its own, writing to a log file."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.argv = argv
        self.log = log
        self._environment = environment
        self._folder = folder
        self._stop_signal = stop_signal
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return self._popen.pid if self._popen else None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs (or before it was started)."""
        return self._popen.poll() if self._popen else None

    def start(self) -> None:
        """Start the child; its own session keeps a Ctrl-C in the terminal from reaching it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # Between fork and assignment a signal would leave a child that nobody knows.
        with uninterrupted(), self.log.open("ab") as log:
            self._log_start = log.tell()
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
            )

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait until the child is ready; raises StartRefused with its last lines when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self.exit_code is not None:
                raise StartRefused(f"{self.name} ended with exit code {self.exit_code}; it last said:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise StartRefused(f"{self.name} was not ready in {seconds:.0f} s; it last said:\n{self.tail()}")
            time.sleep(0.05)

    def tail(self, lines: int = 15) -> str:
        """Return the last lines that this run has logged."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def ask_to_stop(self) -> None:
        """Send the polite signal and do not wait."""
        if self._popen and self._popen.poll() is None:
            self._popen.send_signal(self._stop_signal)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End the child politely within the time given, else by force, and its whole group with it."""
        if not self._popen:
            return
        with uninterrupted():
            self.ask_to_stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)
            # The group outlives its leader when the leader was killed: its children go too.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()
            self._popen = None


def stop_all(processes: Sequence[Process], seconds: float = STOP_SECONDS) -> None:
    """Stop these together: ask each, then wait for each until one common moment."""
    with uninterrupted():
        deadline = time.monotonic() + seconds
        for process in processes:
            process.ask_to_stop()
        for process in processes:
            process.stop(max(0.1, deadline - time.monotonic()))


def stop_leftovers(
    found: Sequence[psutil.Process], *, stop_signal: signal.Signals = signal.SIGTERM, seconds: float = STOP_SECONDS
) -> None:
    """Stop processes that an earlier, killed run left behind: politely, then by force."""
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(stop_signal)
    for process in _alive_after(found, seconds):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _alive_after(found, seconds)


def _alive_after(found: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until all have ended, and return those that have not in time; a corpse that nobody buries has ended."""
    deadline = time.monotonic() + seconds
    while alive := [process for process in found if _runs(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return alive


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
