"""A database that goes away: what waits for it, and what is taken again when it is back."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from connectome.errors import DatabaseError, DatabaseUnavailableError, QueryError
from connectome.store.database import Database, retried
from connectome.store.runs.lock import lock_run, runs_under_way
from connectome.store.server.embedded import EmbeddedServer


def count(database: Database) -> int:
    return int(database.columns("SELECT count(*) AS n FROM run")["n"][0])


def test_a_restart_is_waited_for_and_the_lock_is_taken_again(data_folder: Path) -> None:
    server = EmbeddedServer(data_folder / "postgres")
    with Database.open(None, data_folder, create=True) as database, lock_run(database, "first") as lock:
        assert runs_under_way(database, ["first", "other"]) == {"first"}
        server.stop()
        with pytest.raises(DatabaseUnavailableError):
            count(database)
        threading.Timer(1.0, server.start).start()
        assert retried(lambda: count(database), total_s=60, before=lock.hold) == 0
        assert runs_under_way(database, ["first", "other"]) == {"first"}
    with Database.open(None, data_folder) as database:
        assert runs_under_way(database, ["first"]) == set()


def test_waiting_has_an_end() -> None:
    database = Database("postgresql://someone@127.0.0.1:1/none")
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailableError, match="can't reach the database"):
        retried(lambda: count(database), total_s=0.5)
    assert time.monotonic() - began < 30


def test_what_would_fail_again_is_not_tried_again() -> None:
    tries = []

    def refuse() -> None:
        tries.append(1)
        raise QueryError("wrong")

    with pytest.raises(DatabaseError, match="wrong"):
        retried(refuse)
    assert len(tries) == 1
