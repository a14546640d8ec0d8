from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from tables import commit_block

from connectome.errors import DatabaseError
from connectome.store.database import Database
from connectome.store.findings.edges import refresh_edges
from connectome.store.findings.imports import import_run
from connectome.store.queries.sql import run_sql
from connectome.store.runs.blocks import Stage
from connectome.store.runs.records import NewImport, NewRun, RunRecord, RunState
from connectome.store.runs.runs import create_run, delete_run, set_state

RUNS, BLOCKS, CLEFTS = 3, 4, 25
BEST = """
SELECT run.name, run.state, count(*), count(DISTINCT s.cleft_id), (SELECT sum(synapse_count) FROM edge e
       WHERE e.run_id = run.run_id)
FROM synapse_best s JOIN run USING (run_id) GROUP BY run.run_id, run.name, run.state
"""
WHOLE = ("finished", BLOCKS * CLEFTS, BLOCKS * CLEFTS, BLOCKS * CLEFTS)
Write = Callable[..., None]


@pytest.fixture
def build(new_run: Callable[[str], NewRun], write_clefts: Write, write_synapses: Write) -> Callable[..., int]:
    """Builds a run block by block, as the pipeline does."""

    def one(database: Database, name: str) -> int:
        run = create_run(database, new_run(name))
        for block_id in range(BLOCKS):
            ids = [1 + block_id * CLEFTS + i for i in range(CLEFTS)]

            def write(connection: Connection, ids: list[int] = ids) -> None:
                write_clefts(connection, run.run_id, ids)
                write_synapses(connection, run.run_id, [(i, 1 + i % 5, 10 + i % 3, 0.5) for i in ids])

            commit_block(database, run.run_id, Stage.ASSIGN, block_id, write)
        commit_block(database, run.run_id, Stage.EDGES, 0, lambda connection: refresh_edges(connection, run.run_id))
        set_state(database, run.run_id, RunState.FINISHED)
        return run.run_id

    return one


def test_two_builds_at_once_and_a_reader_who_sees_only_whole_runs(
    database: Database, build: Callable[..., int]
) -> None:
    stop, begin = threading.Event(), threading.Barrier(3)

    def builder(name: str) -> None:
        with Database(database.url) as own:
            begin.wait()
            earlier: list[int] = []
            for number in range(RUNS):
                earlier.append(build(own, f"{name}{number}"))
                if number:
                    delete_run(own, earlier[number - 1])

    def reader() -> set[str]:
        seen: set[str] = set()
        with Database(database.url) as own:
            begin.wait()
            while not stop.is_set():
                for name, *rest in run_sql(own, BEST).rows:
                    assert tuple(rest) == WHOLE
                    seen.add(name)
        return seen

    with ThreadPoolExecutor(3) as pool:
        reading = pool.submit(reader)
        try:
            for done in [pool.submit(builder, name) for name in "ab"]:
                done.result(timeout=120)
        finally:
            stop.set()
        assert reading.result(timeout=60)
    assert run_sql(database, "SELECT count(*) FROM run").rows == [(2,)]


def test_an_import_under_way_holds_up_neither_builds_nor_readers(database: Database, build: Callable[..., int]) -> None:
    with import_run(database, NewImport(name="slow", parameters={})) as loading:
        loading.write(
            "cleft", {"cleft_id": 1, "block_id": 0, "x_nm": 0.0, "y_nm": 0.0, "z_nm": 0.0, "state": "assigned"}
        )
        with ThreadPoolExecutor(1) as pool:
            run_id = pool.submit(build, database, "quick").result(timeout=60)
        assert run_sql(database, BEST).rows == [("quick", *WHOLE)]
    assert run_sql(database, "SELECT count(*) FROM run").rows == [(2,)]
    assert run_sql(database, f"SELECT count(*) FROM cleft WHERE run_id <> {run_id}").rows == [(1,)]


def test_a_run_that_is_being_read_is_deleted_once_the_reader_is_done_and_others_never_wait_long(
    database: Database, run: RunRecord
) -> None:
    with database.begin() as reader:
        reader.execute(text("SELECT count(*) FROM synapse"))
        with pytest.raises(DatabaseError, match=r"can't be deleted: queries have been using the tables for 0\.1 s"):
            delete_run(database, run.run_id, timeout_s=0.1)
        with ThreadPoolExecutor(1) as pool:
            deleting = pool.submit(delete_run, database, run.run_id)
            for _ in range(5):
                assert run_sql(database, "SELECT count(*) FROM synapse", timeout_s=5).rows == [(0,)]
            assert not deleting.done()
            reader.rollback()
            deleting.result(timeout=30)
    assert run_sql(database, "SELECT count(*) FROM run").rows == [(0,)]
