from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection
from tables import commit_block

from connectome.errors import RunConflictError, RunNotFoundError
from connectome.store.database import Database
from connectome.store.runs.blocks import Stage
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import NewRun, RunRecord, RunState
from connectome.store.runs.runs import create_run, delete_run, find_run, get_run, run_names, set_state
from connectome.store.schema.tables import METADATA

Write = Callable[..., None]
HOLD_LOCK = """
import sys
import time
from connectome.store.database import Database
from connectome.store.runs.lock import lock_run
with Database(sys.argv[1]) as database, lock_run(database, "first"):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_run_is_read_back_as_it_was_made(database: Database, new_run: Callable[[str], NewRun]) -> None:
    new = new_run("first")
    made = create_run(database, new)
    assert made == get_run(database, "first")
    assert made.state is RunState.RUNNING
    assert made.finished_at is None
    assert (made.image_url, made.segmentation_url) == (new.image.url, new.segmentation.url)
    assert (made.resolution_nm, made.offset_nm) == (new.segmentation.resolution_nm, new.segmentation.offset_nm)
    assert (made.detector_sha256, made.assigner_sha256) == (new.detector.sha256, new.assigner.sha256)
    assert (made.parameters, made.box, made.folder) == (new.parameters, new.box, new.folder)
    assert made.code_version == new.code_version


def test_a_run_needs_no_network_to_assign_partners(database: Database, new_run: Callable[[str], NewRun]) -> None:
    made = create_run(database, replace(new_run("first"), assigner=None))
    assert made == get_run(database, "first")
    assert made.assigner_sha256 is None


def test_a_model_records_its_method(database: Database, run: RunRecord) -> None:
    found = database.columns("SELECT role, method FROM model ORDER BY role")
    assert found["method"].tolist() == ["avan", "mask"]


def test_runs_share_volumes_and_models(database: Database, new_run: Callable[[str], NewRun]) -> None:
    create_run(database, new_run("first"))
    create_run(database, new_run("second"))
    assert database.columns("SELECT volume_id FROM volume")["volume_id"].size == 2
    assert database.columns("SELECT model_id FROM model")["model_id"].size == 2


def test_runs_on_one_segmentation_are_of_one_data_set_unless_another_is_named(
    database: Database, new_run: Callable[[str], NewRun]
) -> None:
    first, second = (create_run(database, new_run(name)) for name in ("first", "second"))
    assert first.data_set == second.data_set == "/data/segmentation.zarr"
    assert create_run(database, replace(new_run("third"), data_set="mouse 1")).data_set == "mouse 1"
    other = replace(new_run("fourth"), segmentation=replace(new_run("fourth").segmentation, url="/data/other.zarr"))
    assert create_run(database, other).data_set == "/data/other.zarr"


def test_a_name_is_taken_once(database: Database, run: RunRecord, new_run: Callable[[str], NewRun]) -> None:
    with pytest.raises(RunConflictError, match="a run named 'first' exists already"):
        create_run(database, new_run("first"))


def test_an_unknown_run_is_told_with_the_names_that_exist(database: Database, new_run: Callable[[str], NewRun]) -> None:
    assert find_run(database, "third") is None
    with pytest.raises(RunNotFoundError, match="no run named 'third': connectome build volume makes the first"):
        get_run(database, "third")
    create_run(database, new_run("first"))
    create_run(database, new_run("second"))
    assert run_names(database) == ["second", "first"]
    with pytest.raises(RunNotFoundError, match="no run named 'third': the database has second, first"):
        get_run(database, "third")


def test_a_finished_run_has_its_time(database: Database, run: RunRecord) -> None:
    set_state(database, run.run_id, RunState.FINISHED)
    assert get_run(database, "first").finished_at is not None
    set_state(database, run.run_id, RunState.RUNNING)
    assert get_run(database, "first").finished_at is None


def test_a_deleted_run_takes_all_its_rows_and_no_other(
    database: Database, new_run: Callable[[str], NewRun], write_clefts: Write, write_synapses: Write
) -> None:
    for name in ("first", "second"):
        made = create_run(database, new_run(name))

        def write(connection: Connection, run_id: int = made.run_id) -> None:
            write_clefts(connection, run_id, [1, 2])
            write_synapses(connection, run_id, [(1, 7, 8, 0.5)])

        commit_block(database, made.run_id, Stage.ASSIGN, 0, write)
    delete_run(database, get_run(database, "first").run_id)
    kept = get_run(database, "second").run_id
    for name, table in METADATA.tables.items():
        if "run_id" in table.columns:
            assert set(database.columns(f"SELECT run_id FROM {name}")["run_id"].tolist()) <= {kept}
    assert database.columns("SELECT cleft_id FROM cleft")["cleft_id"].size == 2


def test_deleting_the_run_row_alone_deletes_its_rows_too(
    database: Database, run: RunRecord, write_clefts: Write, write_synapses: Write, execute_sql: Callable[..., None]
) -> None:
    with database.begin() as connection:
        write_clefts(connection, run.run_id, [1])
        write_synapses(connection, run.run_id, [(1, 7, 8, 0.5)])
    execute_sql(database.url, "DELETE FROM run")
    assert database.columns("SELECT cleft_id FROM synapse")["cleft_id"].size == 0


def test_a_run_is_built_by_one_process_at_a_time_even_if_that_is_killed(database: Database, tmp_path: Path) -> None:
    with lock_run(database, "first"), lock_run(database, "second"):
        pass
    command = [sys.executable, "-c", HOLD_LOCK, database.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        taken = pytest.raises(RunConflictError, match="another process is building the run 'first'")
        with taken, lock_run(database, "first"):
            pytest.fail("two processes hold the lock")
        other.kill()
    for _ in range(100):
        try:
            with lock_run(database, "first"):
                break
        except RunConflictError:
            time.sleep(0.05)
    else:
        pytest.fail("the lock outlives its process")
