"""The rehearsal from end to end: one small sale, and nothing left however it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from config.crowd import report
from config.crowd.way import Via
from config.rehearsal import RUNS, InputRefused, chosen_fans, chosen_seed, chosen_via, remove_ended_runs
from config.stack import PROJECT, processes_of_stack


@pytest.mark.parametrize("value", ["19", "2001", "many", "-5", "1.5"])
def test_rehearsal_says_which_numbers_of_fans_do(value: str):
    with pytest.raises(InputRefused, match=f"^FANS={value} does not do: choose a number from 20 to 2000.$"):
        chosen_fans({"FANS": value})


def test_rehearsal_takes_fans_and_seed_from_the_environment():
    assert (chosen_fans({}), chosen_fans({"FANS": ""}), chosen_fans({"FANS": "500"})) == (50, 50, 500)
    assert chosen_seed({"SEED": "42"}) == 42
    assert chosen_seed({}) != chosen_seed({})
    with pytest.raises(InputRefused, match=r"^SEED=abc does not do: choose a whole number\.$"):
        chosen_seed({"SEED": "abc"})


def test_rehearsal_comes_by_the_pages_unless_told_otherwise():
    assert (chosen_via({}), chosen_via({"VIA": ""}), chosen_via({"VIA": "pages"})) == (Via.PAGES,) * 3
    assert chosen_via({"VIA": "api"}) == Via.API
    with pytest.raises(InputRefused, match=r"^VIA=API does not do: choose pages or api\.$"):
        chosen_via({"VIA": "API"})


@pytest.fixture
def start_rehearsal() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a rehearsal; whatever still runs at the end is stopped."""
    started: list[subprocess.Popen[str]] = []

    def start(**variables: str) -> subprocess.Popen[str]:
        own = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        process = subprocess.Popen(
            [sys.executable, "-m", "config.rehearsal"],
            cwd=PROJECT,
            env={**own, "DATABASE_CONN_MAX_AGE": "600", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


def is_gone(run: subprocess.Popen[str]) -> bool:
    """Whether nothing is left of a rehearsal: no folder, no process of its stack, no child."""
    folder = RUNS / str(run.pid)
    servers = [
        process for process in psutil.process_iter(["cmdline"]) if str(folder) in (process.info["cmdline"] or [])
    ]
    return not folder.exists() and processes_of_stack(folder / "stack") == servers == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize("via", Via)
def test_rehearsal_sells_out_and_removes_everything(start_rehearsal: Callable[..., subprocess.Popen[str]], via: Via):
    run = start_rehearsal(FANS="20", SEED="4", VIA=via)
    said, _ = run.communicate(timeout=220)

    figures = json.loads(said.splitlines()[-1])
    assert run.returncode == 0, said
    assert {name: figures[name] for name in report.MUST_BE_ZERO} == dict.fromkeys(report.MUST_BE_ZERO, 0)
    assert (figures["via"], figures["fans"]) == (via, 20)
    assert (figures["answers_304"] > 0, figures["answers_repeated"] > 0) == (via == Via.API, via == Via.API)
    assert figures["tickets_sold"] > 0
    assert [way for way, number in figures["came"].items() if not number] == []
    assert figures["misbehaviour"]["guesses codes"] == 1
    assert "SEED=4 repeats this crowd." in said
    assert "With fewer than 50 fans some misbehaviour may not come about: not judged here." in said
    assert is_gone(run)


@pytest.mark.timeout(120)
def test_rehearsal_that_is_stopped_leaves_nothing(start_rehearsal: Callable[..., subprocess.Popen[str]]):
    run = start_rehearsal(FANS="20", SEED="4")
    wait_for_line(run, "SEED=4 repeats this crowd.")
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=60)

    assert (run.returncode, said.splitlines()[-1]) == (130, "The rehearsal was stopped; nothing is left of it.")
    assert is_gone(run)


@pytest.mark.timeout(120)
def test_rehearsal_removes_what_a_killed_one_left(start_rehearsal: Callable[..., subprocess.Popen[str]]):
    run = start_rehearsal(FANS="20", SEED="4")
    wait_for_line(run, "SEED=4 repeats this crowd.")
    run.kill()
    run.wait()
    assert not is_gone(run)

    remove_ended_runs()

    assert is_gone(run)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"FANS": "3"}, "FANS=3 does not do: choose a number from 20 to 2000.\n"),
        ({"VIA": "soap"}, "VIA=soap does not do: choose pages or api.\n"),
    ],
)
def test_rehearsal_with_a_wrong_choice_says_so_and_starts_nothing(
    start_rehearsal: Callable[..., subprocess.Popen[str]], wrong: dict[str, str], told: str
):
    run = start_rehearsal(**wrong)
    said, _ = run.communicate(timeout=60)
    assert (run.returncode, said) == (2, told)
    assert is_gone(run)


def wait_for_line(run: subprocess.Popen[str], beginning: str) -> None:
    assert run.stdout
    for line in run.stdout:
        if line.startswith(beginning):
            return
    pytest.fail(f"The rehearsal ended without {beginning!r}")
