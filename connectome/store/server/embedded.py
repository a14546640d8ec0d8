"""The embedded PostgreSQL server: lives in a data folder, starts when needed, outlives the process that started it.

A lock file tells whether a server is alive: the server itself holds the lock, so it goes with its last process, however
that ended. A process id left behind by a crash or a reboot is never mistaken for a server.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2

from connectome.errors import DatabaseError, StorageError
from connectome.store.server.postgres import Postgres

DATABASE = "connectome"
PORT = 5432  # a part of the socket's name
OWN: dict[str, Any] = {
    "user": "postgres",
    "port": PORT,
    "hostaddr": "",
    "options": "",
}  # whatever PGPORT and the like say


USERS = """
SELECT format('%s of user %s since %s', coalesce(nullif(application_name, ''), 'a program'), usename,
              to_char(backend_start, 'YYYY-MM-DD HH24:MI'))
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY backend_start
"""


class EmbeddedServer:
    """The server of one folder. Nothing is started before `start`."""

    def __init__(self, folder: Path, *, timeout_s: float = 120.0) -> None:
        """Name the server of `folder`.

        Args:
            folder: the place of PostgreSQL's own files, usually DATA_FOLDER/postgres.
            timeout_s: how long to wait for a start; recovery after a crash takes a while.
        """
        self._timeout_s = timeout_s
        self.folder = folder.expanduser().absolute()
        self._postgres = Postgres(self.folder)

    @property
    def exists(self) -> bool:
        """True if the folder holds a database, running or not."""
        with _folder_errors(self.folder):
            return (self.folder / "PG_VERSION").exists()

    @property
    def running(self) -> bool:
        """True if the server answers."""
        return self._answers()

    @property
    def url(self) -> str:
        """The URL of the running server, as psql and SQLAlchemy read it.

        Raises:
            DatabaseError: it isn't running.
        """
        place = self._postgres.socket_of_server()
        if place is None:
            raise DatabaseError(f"the database server in {self.folder} isn't running: connectome db url starts it")
        return f"postgresql://postgres@/{DATABASE}?host={quote(place)}&port={PORT}"

    def start(self) -> str:
        """Start the server unless it runs, creating its files at first; returns its URL.

        Raises:
            StorageError: the folder can't be written. DatabaseError: PostgreSQL doesn't start.
        """
        if self._answers():
            return self.url
        with _folder_errors(self.folder):
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with self._starting() as lock:
                if lock is not None:
                    self._postgres.prepare()
                    self._postgres.start(lock, self._timeout_s)
        self._ensure_database()
        return self.url

    def stop(self) -> bool:
        """Stop the server; returns whether one was running."""
        with _folder_errors(self.folder):
            if not self.exists or self._try_lock():
                return False
            self._postgres.stop()
        return True

    def users(self) -> list[str]:
        """Who is connected to the running server: program, user and since when; nobody where it is down."""
        place = self._postgres.socket_of_server()
        if place is None:
            return []
        with suppress(psycopg2.Error), closing(psycopg2.connect(host=place, dbname="postgres", **OWN)) as connection:
            cursor = connection.cursor()
            cursor.execute(USERS)
            return [row[0] for row in cursor.fetchall()]
        return []

    @contextmanager
    def _starting(self) -> Iterator[int | None]:
        """Hold the lock that a server is alive, or None once another process's server answers."""
        descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(PermissionError):  # another user who could open it could hold the lock
            os.fchmod(descriptor, 0o600)
        try:
            deadline = time.monotonic() + self._timeout_s
            while not _locked(descriptor):
                if self._answers("postgres"):
                    yield None
                    return
                if time.monotonic() > deadline:
                    raise DatabaseError(
                        f"the database in {self.folder} is in use by a server that doesn't answer here (another "
                        f"machine or container?): stop it there, or choose another data folder or another database"
                    )
                time.sleep(0.1)
            yield descriptor
        finally:
            os.close(descriptor)

    @property
    def _lock_path(self) -> Path:
        return self.folder.with_name(self.folder.name + ".lock")

    def _try_lock(self) -> bool:
        """True if the lock is free, so that no server is alive."""
        if not self._lock_path.exists():
            return True
        descriptor = os.open(self._lock_path, os.O_RDWR)
        try:
            return _locked(descriptor)
        finally:
            os.close(descriptor)

    def _answers(self, database: str = DATABASE) -> bool:
        with _folder_errors(self.folder):
            place = self._postgres.socket_of_server()
        if place is None:
            return False
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(host=place, dbname=database, connect_timeout=5, **OWN).close()
            return True
        return False

    def _ensure_database(self) -> None:
        """Create the database inside the server unless it is there."""
        try:
            place = self._postgres.socket_of_server()
            with closing(psycopg2.connect(host=place, dbname="postgres", **OWN)) as connection:
                connection.autocommit = True
                cursor = connection.cursor()
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    with suppress(psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
                        cursor.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg2.Error as error:
            raise DatabaseError(
                f"the database server in {self.folder} doesn't work: {' '.join(str(error).split())}"
            ) from error


def _locked(descriptor: int) -> bool:
    """Try to take the lock; whether that worked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _folder_errors(folder: Path) -> Iterator[None]:
    """Translate what the operating system says about the folder into one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"the data folder {folder.parent} can't be used for the database ({reason}): choose another data folder, "
            "or name the URL of a server"
        ) from error
