"""`make demo`: the reference's concert on sale on this machine, until Ctrl-C.

Run as `python -m config.demo`. PORT moves it, CROWD=0 leaves the made-up fans out; with DATABASE_URL and REDIS_URL set
it starts no servers of its own.
"""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config.embedded import Embedded
from config.processes import STOP_SIGNALS, FolderInUse, FolderLock, StartRefused, is_port_free, say
from config.stack import PROJECT, Stack

FOLDER = PROJECT / "var" / "demo"
DEFAULT_PORT = "8000"
# Nobody is there who could compare a visitor with a document.
SETTINGS = {"IDENTITY_PROVIDER": "instant"}


@dataclass(frozen=True)
class Crowd:
    """The made-up fans who stand in line: what runs for them, and how the concert is loaded for it."""

    commands: tuple[str, ...]
    load_options: tuple[str, ...]


# With a crowd, a visitor stands in line for a minute, as so few are let in; without, the pace is the reference's.
CROWDS = {"0": Crowd((), ()), "1": Crowd(("crowd",), ("--rate=30",))}


class Stopped(Exception):  # noqa: N818 - it is an answer, not an error
    """Somebody asked the demo to stop: Ctrl-C, a SIGTERM, or the terminal has gone."""


def main(folder: Path = FOLDER) -> int:
    """Run the demo until it is asked to stop; return the exit code, with one clear line on stderr unless 0."""
    for signum in STOP_SIGNALS:
        signal.signal(signum, stop_once)
    try:
        run_demo(folder, os.environ)
    except Stopped:
        say("\nThe demo has stopped. Its data is kept for the next time; `make clean` removes it.")
        return 0
    except StartRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def stop_once(signum: int, frame: FrameType | None) -> None:
    """Stop on the first signal; later ones must not disturb the tidying up."""
    for other in STOP_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Stopped


def run_demo(folder: Path, environment: Mapping[str, str]) -> None:
    """Bring everything up, print address and accounts, and wait; raises StartRefused or Stopped."""
    port = chosen_port(environment.get("PORT") or DEFAULT_PORT)
    crowd = chosen_crowd(environment.get("CROWD") or "1")
    lock = FolderLock(folder, "demo")
    try:
        lock.acquire(f"http://127.0.0.1:{port} (process {os.getpid()})")
    except FolderInUse as refusal:
        raise StartRefused(f"A demo is running already: {refusal}. Use that one, or stop it first.") from None
    try:
        if not is_port_free(port):
            raise StartRefused(f"Port {port} is in use. Stop what listens there, or run: make demo PORT={port + 1}")
        serve(folder, port, crowd, environment)
    finally:
        lock.release()


def chosen_port(value: str) -> int:
    """Return the port that PORT asks for; raises StartRefused when it is none."""
    if not value.isdecimal() or not 1 <= int(value) <= 65535:
        raise StartRefused(f"PORT={value} is no port: choose a number from 1 to 65535, for example PORT=8001.")
    return int(value)


def chosen_crowd(value: str) -> Crowd:
    """Return the crowd that CROWD asks for; raises StartRefused when it says neither."""
    if value not in CROWDS:
        raise StartRefused(f"CROWD={value} does not do: 0 leaves the crowd out, 1 brings it.")
    return CROWDS[value]


def serve(folder: Path, port: int, crowd: Crowd, environment: Mapping[str, str]) -> None:
    """Start servers (unless the environment names some) and stack, and wait until asked to stop."""
    given = {name for name in ("DATABASE_URL", "REDIS_URL") if environment.get(name)}
    if len(given) == 1:
        raise StartRefused(f"Only {given.pop()} is set: set both DATABASE_URL and REDIS_URL, or neither.")
    if given:
        say("Using the PostgreSQL and Redis of DATABASE_URL and REDIS_URL.")
        serve_stack(folder, port, crowd, database_url=environment["DATABASE_URL"], redis_url=environment["REDIS_URL"])
        return
    say("Starting PostgreSQL and Redis.")
    servers = Embedded(folder)
    try:
        servers.start()
        serve_stack(folder, port, crowd, database_url=servers.database_url, redis_url=servers.redis_url)
    finally:
        servers.stop()


def serve_stack(folder: Path, port: int, crowd: Crowd, *, database_url: str, redis_url: str) -> None:
    """Migrate, load the concert, start the stack and wait until asked to stop, or until the terminal is gone."""
    # Looked for before anything is said: whoever reads the last line may close the terminal at once.
    terminals = [descriptor for descriptor in range(3) if os.isatty(descriptor)]
    stack = Stack(
        folder,
        database_url=database_url,
        redis_url=redis_url,
        port=port,
        commands=crowd.commands,
        extra_env=SETTINGS,
    )
    write_environment(folder / "environment", stack.settings)
    try:
        say("Preparing the database.")
        stack.manage("migrate", "--no-input")
        accounts = stack.manage("load_concert", *crowd.load_options)
        say("Starting web server, worker and beat.")
        stack.start()
        say(f"\nFairline is on sale at {stack.url}\n\n{accounts}\n\nLogs: {folder / 'logs'}\nCtrl-C stops everything.")
        # A terminal that closes sends its signal to whoever leads its session, and that is not always us.
        stack.wait_until(lambda: not all(os.isatty(descriptor) for descriptor in terminals))
    finally:
        stack.stop()


def write_environment(path: Path, settings: Mapping[str, str]) -> None:
    """Write the variables for `manage.py` beside the demo; readable by us alone, as the secret key is in it."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


if __name__ == "__main__":
    sys.exit(main())
