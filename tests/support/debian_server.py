"""Debian's own PostgreSQL for tests: a server in a folder, run by an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = Path("/usr/lib/postgresql")
OLDEST = 13
PACKAGE = "postgresql-15"
USER = "postgres"  # Debian's package makes it; root lets it run the server
SETTINGS = """
listen_addresses = ''
fsync = off
max_connections = 50
shared_buffers = 64MB
"""


class NoServerError(Exception):
    """Debian's PostgreSQL isn't here."""


def programs() -> Path:
    """The folder of the newest version's programs; in CI the package is installed if there is none.

    Raises:
        NoServerError: there is none.
    """
    found = _installed()
    if found is None and os.environ.get("CI"):
        _install()
        found = _installed()
    if found is None:
        raise NoServerError(f"Debian's PostgreSQL isn't installed: apt-get install {PACKAGE}")
    return found


@contextmanager
def debian_server(folder: Path) -> Iterator[str]:
    """Start a server with files in `folder`, its log in `folder`/server.log; gives its URL, and stops it at the end.

    Raises:
        NoServerError: Debian's PostgreSQL isn't here.
    """
    binaries = programs()
    folder.mkdir(parents=True)
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data, log = str(folder / "data"), str(folder / "server.log")

    def run(program: str, *arguments: str) -> None:
        command = [str(binaries / program), "-D", data, *arguments]
        with (folder.parent / f"{program}.txt").open("w") as output:  # a server would keep a pipe open for ever
            subprocess.run(command, check=True, stdout=output, stderr=output, cwd="/", **identity)

    run("initdb", "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C")
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.write(SETTINGS)
    run("pg_ctl", "start", "-w", "-l", log, "-o", f"-k {folder}")
    try:
        yield f"postgresql://{USER}@/{USER}?host={folder}"
    finally:
        run("pg_ctl", "stop", "-m", "immediate")


def _installed() -> Path | None:
    versions = [path for path in PROGRAMS.glob("*") if path.name.isdigit() and int(path.name) >= OLDEST]
    folders = [path / "bin" for path in sorted(versions, key=lambda path: int(path.name))]
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


def _install() -> None:
    """Install the package without starting its server.

    Raises:
        NoServerError: that isn't possible.
    """
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") is None:
        raise NoServerError("there is no apt-get to install Debian's PostgreSQL with")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-qy", "--no-install-recommends", PACKAGE]):
        done = subprocess.run([*sudo, "apt-get", *arguments], capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            raise NoServerError(f"apt-get {arguments[0]} failed: {done.stderr.strip()[-300:]}")
