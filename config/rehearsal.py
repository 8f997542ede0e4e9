"""`make rehearse`: a sale of the concert on the real stack, with a crowd that misbehaves, in a few minutes.

Run as `python -m config.rehearsal`. FANS is how many come, SEED repeats a crowd, VIA is by which way
(pages or api). Its servers, ports and folder are its
own and are removed at the end, however it ends. The exit code is 0 when nothing went wrong; the last line is JSON.
"""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from config.crowd.plans import FEWEST_FANS
from config.crowd.way import Via
from config.demo import Stopped, stop_once
from config.embedded import Embedded, stop_leftover_servers
from config.processes import STOP_SIGNALS, FolderInUse, FolderLock, Process, StartRefused, say
from config.stack import PROJECT, Stack, stop_leftover_processes

RUNS = PROJECT / "var" / "rehearsal"
DEFAULT_FANS = "50"
FANS = range(FEWEST_FANS, 2001)
# What a sale needs however few come, and what each fan adds; and the time to get ready before and to report after.
LEAST_SECONDS, SECONDS_A_FAN, AROUND_SECONDS = 150, 1.0, 240
# Holds must lapse soon, and a few hundred askers of the board are many for one machine that is crowd and shop at once.
SETTINGS = {
    "PAYMENT_GRACE_SECONDS": "8",
    "BOARD_POLLS_PER_SECOND": "30",
    "LOG_LEVEL": "WARNING",
    "IDENTITY_PROVIDER": "instant",
    # The crowd is many people on one machine: it says whose address a request came from, as a proxy does.
    "BEHIND_PROXY": "1",
}


TRACEBACK_LINES = 60


class InputRefused(Exception):  # noqa: N818 - it is an answer, not an error
    """FANS, SEED or VIA is not what it should be."""


def main() -> int:
    """Rehearse once and return the exit code: 0, 1 when something went wrong with the sale, 2 when it did not begin."""
    for signum in STOP_SIGNALS:
        signal.signal(signum, stop_once)
    try:
        return rehearse(chosen_fans(os.environ), chosen_seed(os.environ), chosen_via(os.environ))
    except Stopped:
        say("\nThe rehearsal was stopped; nothing is left of it.")
        return 130
    except (InputRefused, StartRefused) as refusal:
        print(refusal, file=sys.stderr)
        return 2


def chosen_fans(environment: Mapping[str, str]) -> int:
    """Return how many fans FANS asks for; raises InputRefused."""
    value = environment.get("FANS") or DEFAULT_FANS
    if not value.isdecimal() or int(value) not in FANS:
        raise InputRefused(f"FANS={value} does not do: choose a number from {FANS.start} to {FANS.stop - 1}.")
    return int(value)


def chosen_seed(environment: Mapping[str, str]) -> int:
    """Return the number that SEED gives, or else one drawn anew; raises InputRefused."""
    value = environment.get("SEED") or str(random.SystemRandom().randrange(1_000_000))
    if not value.isdecimal():
        raise InputRefused(f"SEED={value} does not do: choose a whole number.")
    return int(value)


def chosen_via(environment: Mapping[str, str]) -> Via:
    """Return the way in that VIA asks for, by the pages unless it says otherwise; raises InputRefused."""
    value = environment.get("VIA") or Via.PAGES
    if value not in list(Via):
        raise InputRefused(f"VIA={value} does not do: choose {' or '.join(Via)}.")
    return Via(value)


def rehearse(fans: int, seed: int, via: Via) -> int:
    """Bring everything up in a folder of this run's own, rehearse, and remove it all; return the exit code."""
    remove_ended_runs()
    folder = RUNS / str(os.getpid())
    try:
        say(f"Rehearsing with {fans} fans, VIA={via}.")
        say("Starting PostgreSQL, Redis, two web processes, two workers and beat.")
        with Embedded(folder) as servers:
            stack = Stack(
                folder / "stack",
                database_url=servers.database_url,
                redis_url=servers.redis_url,
                web_processes=2,
                workers=2,
                worker_processes=2,
                extra_env=SETTINGS,
            )
            stack.manage("migrate", "--no-input")
            with stack:
                return run_sale(stack, fans, seed, via)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_ended_runs() -> None:
    """Stop and remove what runs left that were killed before they could tidy up."""
    for folder in RUNS.glob("*/"):
        lock = FolderLock(folder, "servers")
        try:
            lock.acquire()
        except FolderInUse:
            continue
        stop_leftover_servers(folder)
        stop_leftover_processes(folder / "stack")
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def run_sale(stack: Stack, fans: int, seed: int, via: Via) -> int:
    """Run the crowd against the stack, pass on what it says, and return its exit code.

    Raises StartRefused when a process of the stack ends meanwhile or the time is up.
    """
    limit = LEAST_SECONDS + fans * SECONDS_A_FAN
    options = [f"--fans={fans}", f"--seed={seed}", f"--via={via}", f"--limit-seconds={limit}"]
    command = [sys.executable, "manage.py", "rehearse", *options]
    log = stack.folder / "logs" / "rehearse.log"
    crowd = Process("rehearse", command, log=log, environment=stack.environment, folder=PROJECT)
    deadline = time.monotonic() + limit + AROUND_SECONDS
    try:
        crowd.start()
        with log.open() as said:
            while crowd.exit_code is None:
                stack.check()
                if time.monotonic() > deadline:
                    raise StartRefused(f"The rehearsal did not end within {limit + AROUND_SECONDS:.0f} s.")
                time.sleep(0.2)
                pass_on(said)
            pass_on(said)
        if crowd.exit_code:
            say_last_tracebacks(stack.folder / "logs")
        return crowd.exit_code
    finally:
        crowd.stop()


def say_last_tracebacks(logs: Path) -> None:
    """Print the last traceback of each process: the folder with the logs is about to be removed."""
    for log in sorted(logs.glob("*.log")):
        _, found, last = log.read_text(errors="replace").rpartition("Traceback (most recent call last):")
        if found:
            lines = last.strip("\n").splitlines()[:TRACEBACK_LINES]
            print("\n".join([f"{log.name} has a traceback, the last of which is:", *lines]), file=sys.stderr)


def pass_on(said: IO[str]) -> None:
    """Print what has been said since the last time."""
    news = said.read().rstrip("\n")
    if news:
        say(news)


if __name__ == "__main__":
    sys.exit(main())
