"""The processes of a running Fairline: web server, workers and beat, started and stopped together.

The demo, the rehearsal and the browser tests run it; a production has an init system for that. The servers of
the data (`embedded.py`) are not part of it.
"""

import contextlib
import http.client
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from config.processes import FolderLock, Process, StartRefused, free_port, is_port_free, say, stop_all, stop_leftovers

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STEP_SECONDS = 300
# Marks every process of a stack, so that the next run in the folder finds what a killed one left.
MARK = "FAIRLINE_STACK"


class ProcessEnded(StartRefused):
    """A process that should run for as long as the stack has ended."""


class Stack:
    """All processes of one sale: `with Stack(folder, ...) as stack: stack.url`, or start() and stop().

    `check()` tells when one of them has ended; `manage()` runs a management command in the same environment.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        redis_url: str,
        port: int | None = None,
        web_processes: int = 1,
        web_threads: int = 8,
        workers: int = 1,
        worker_processes: int = 2,
        commands: Sequence[str] = (),
        extra_env: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a stack that keeps its logs and uploads in the folder; without a port it finds a free one.

        `commands` are management commands that run beside the rest for as long as it does.
        """
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._lock = FolderLock(self.folder, "stack")
        self._processes: list[Process] = []
        self._web = (web_processes, web_threads)
        self._workers = (workers, worker_processes)
        self._commands = commands
        self.settings = {
            "DEMO": "1",
            "SECRET_KEY": kept_secret(self.folder / "secret-key"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SITE_URL": self.url,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "EMAIL_URL": "consolemail://",
            "MEDIA_ROOT": str(self.folder / "media"),
            "IDENTITY_ROOT": str(self.folder / "identity"),
            **(extra_env or {}),
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the stack gets, on top of our own environment."""
        return {
            **os.environ,
            **self.settings,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            MARK: str(self.folder),
        }

    @property
    def processes(self) -> dict[str, Process]:
        """Each process by its name (web, worker-1, beat, ...); one that was stopped can be started again."""
        return {process.name: process for process in self._processes}

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each process by its name."""
        return {name: process.pid for name, process in self.processes.items() if process.pid}

    def start(self) -> None:
        """Start everything and wait until the web server answers; raises StartRefused with nothing left running."""
        self._lock.acquire(f"{self.url} (process {os.getpid()})")
        try:
            stop_leftover_processes(self.folder)
            if not is_port_free(self.port):
                raise StartRefused(f"Port {self.port} is in use.")
            self._processes = [self._web_process(), *self._worker_processes(), self._beat_process()]
            self._processes += [self._process(command, "manage.py", command) for command in self._commands]
            for process in self._processes:
                process.start()
            self._processes[0].wait_until(self._answers, START_SECONDS)
            self.check()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything that was started; twice does no harm."""
        stop_all(self._processes)
        self._processes = []
        self._lock.release()

    def check(self) -> None:
        """Return when everything runs; raises ProcessEnded that names what ended, with its last lines."""
        for process in self._processes:
            if process.exit_code is not None:
                raise ProcessEnded(
                    f"{process.name} ended with exit code {process.exit_code}; "
                    f"it last said (all of it: {process.log}):\n{process.tail()}"
                )

    def wait_until(self, is_over: Callable[[], bool]) -> None:
        """Wait until it is over; raises ProcessEnded when a process ends before that."""
        while not is_over():
            self.check()
            time.sleep(0.5)

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end and return what it printed; raises StartRefused when it fails."""
        step = self._process(f"manage-{arguments[0]}", "manage.py", *arguments)
        try:
            step.start()
            step.wait_until(lambda: step.exit_code == 0, STEP_SECONDS)
            return step.tail(1000)
        finally:
            step.stop()

    def _web_process(self) -> Process:
        processes, threads = self._web
        return self._process(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"),
            *("--host", "127.0.0.1", "--port", str(self.port)),
            *("--workers", str(processes), "--blocking-threads", str(threads), "--workers-kill-timeout", "5"),
            "config.wsgi:application",
        )

    def _worker_processes(self) -> list[Process]:
        count, concurrency = self._workers
        return [
            self._process(
                f"worker-{number}",
                *("-m", "celery", "-A", "config", "worker", "--hostname", f"worker-{number}@%h"),
                *("--concurrency", str(concurrency), "--without-gossip", "--without-mingle"),
            )
            for number in range(1, count + 1)
        ]

    def _beat_process(self) -> Process:
        schedule = self.folder / "beat"
        # A schedule that a kill left half-written would stop beat; sweeps need no memory of earlier ones.
        shutil.rmtree(schedule, ignore_errors=True)
        schedule.mkdir(parents=True)
        return self._process("beat", "-m", "celery", "-A", "config", "beat", "--schedule", str(schedule / "schedule"))

    def _process(self, name: str, *arguments: str) -> Process:
        return Process(
            name,
            [sys.executable, *arguments],
            log=self.folder / "logs" / f"{name}.log",
            # PostgreSQL shows the name in pg_stat_activity.
            environment={**self.environment, "PGAPPNAME": f"fairline {name}"},
            folder=PROJECT,
        )

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("HEAD", "/")
            connection.getresponse()
            return True
        return False


def kept_secret(path: Path) -> str:
    """Return the secret kept in this file; the first call makes it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        making = path.with_suffix(".new")
        making.touch(mode=0o600)
        making.write_text(secrets.token_urlsafe(50))
        # Only a whole secret gets the name: an empty one would be kept for good.
        making.rename(path)
    return path.read_text()


def stop_leftover_processes(folder: Path) -> None:
    """Stop the processes of a stack that a killed run left in the folder, and say so."""
    left = processes_of_stack(folder)
    if left:
        say(f"Stopping {len(left)} processes that an earlier run left in {folder}.")
        stop_leftovers(left)


def processes_of_stack(folder: Path) -> list[psutil.Process]:
    """Return every live process of a stack in this folder, children of children too."""
    return [process for process in psutil.process_iter() if _is_marked(process, str(folder.resolve()))]


def _is_marked(process: psutil.Process, folder: str) -> bool:
    # A process of somebody else, or one that has just gone, is not ours to look into.
    with contextlib.suppress(psutil.Error):
        return process.environ().get(MARK) == folder
    return False
