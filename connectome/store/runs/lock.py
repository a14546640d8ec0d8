"""The lock that keeps two processes from building one run."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from connectome.errors import RunConflictError
from connectome.store.address import database_errors
from connectome.store.database import Database

HELD = """
SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class RunLock:
    """A lock that goes with the process, however it ends. A restart of the database ends it too: see `hold`."""

    def __init__(self, database: Database, name: str) -> None:
        """Name the lock of a run; `hold` takes it."""
        self._database = database
        self._name = name
        self._connection: Connection | None = None
        self._one_at_a_time = threading.Lock()

    def hold(self) -> None:
        """Take the lock, or take it again if its connection was lost.

        Raises:
            RunConflictError: another process has it. DatabaseError: unreachable.
        """
        with self._one_at_a_time, database_errors(self._database.url):
            if self._alive():
                return
            connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _key(self._name)}):
                connection.close()
                raise RunConflictError(
                    f"another process is building the run '{self._name}': wait until it ends, or stop it"
                )
            self._connection = connection

    def release(self) -> None:
        """Give it back; it is gone already where the connection is."""
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _key(self._name)})
            self._drop()

    def _alive(self) -> bool:
        """True if the connection that took the lock still stands."""
        if self._connection is None:
            return False
        with suppress(DBAPIError):
            self._connection.execute(text("SELECT 1"))
            return True
        self._drop()
        return False

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.close()
        self._connection = None


@contextmanager
def lock_run(database: Database, name: str) -> Iterator[RunLock]:
    """Keep other processes from building the same run; the lock goes with the process, however it ends.

    Raises:
        RunConflictError: another process builds it.
    """
    lock = RunLock(database, name)
    lock.hold()
    try:
        yield lock
    finally:
        lock.release()


def runs_under_way(database: Database, names: Sequence[str]) -> set[str]:
    """Those of the runs that a process is building right now."""
    with database.begin() as connection:
        held = set(connection.scalars(text(HELD)))
    return {name for name in names if _key(name) in held}


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"run {name}".encode()).digest()[:8], signed=True)
