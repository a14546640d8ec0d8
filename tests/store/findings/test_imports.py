from __future__ import annotations

from typing import Any

import pytest

from connectome.errors import DatabaseError, InputError, RunConflictError, SegmentIdError
from connectome.store.database import Database
from connectome.store.findings.imports import RunLoading, import_run
from connectome.store.runs.records import NewImport, RunKind, RunState
from connectome.store.runs.runs import delete_run, find_run, get_run

NEW = NewImport(name="imported", parameters={"file": "a.csv"})
CLEFT = {"block_id": 0, "x_nm": 1.0, "y_nm": 2.0, "z_nm": 3.0, "state": "assigned"}
POINTS = {f"{role}_{axis}_nm": 1.0 for role in ("pre", "post") for axis in "xyz"}


def write(loading: RunLoading, cleft_ids: list[int], **changes: Any) -> None:
    loading.write("cleft", {"cleft_id": cleft_ids, **CLEFT})
    rows = {"cleft_id": cleft_ids, "pre_segment_id": 5, "post_segment_id": 6, "confidence": 1.0, **POINTS}
    loading.write("synapse", rows | changes)


def tables(database: Database) -> int:
    return int(database.columns("SELECT count(*) AS n FROM pg_class WHERE relname LIKE 'synapse%'")["n"][0])


def test_an_imported_run_is_finished_and_has_no_inputs(database: Database) -> None:
    with import_run(database, NEW) as loading:
        write(loading, [1, 2**63 - 1])
    run = get_run(database, "imported")
    assert (run.kind, run.state, run.parameters) == (RunKind.IMPORT, RunState.FINISHED, {"file": "a.csv"})
    with pytest.raises(InputError, match="run 'imported' was imported: it has no image"):
        _ = run.box
    indexes = database.columns(f"SELECT indexname AS name FROM pg_indexes WHERE tablename = 'synapse_{run.run_id}'")
    assert len(indexes["name"]) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cleft_id": [1, 9]}, "violates foreign key"),
        ({"cleft_id": [1, 1]}, "could not create unique index"),
        ({"confidence": 1.5}, "ck_synapse_scores"),
        ({"pre_segment_id": 0}, "ck_synapse_segment_ids"),
    ],
)
def test_rows_that_break_the_rules_leave_nothing_behind(
    database: Database, changes: dict[str, Any], message: str
) -> None:
    before = tables(database)
    with pytest.raises(DatabaseError, match=message), import_run(database, NEW) as loading:
        write(loading, [1, 2], **changes)
    assert find_run(database, "imported") is None
    assert tables(database) == before


def test_an_error_of_the_reader_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(SegmentIdError), import_run(database, NEW) as loading:
        write(loading, [1, 2], pre_segment_id=2**63)
    with import_run(database, NEW) as loading:
        write(loading, [1, 2])
    with pytest.raises(RunConflictError, match="a run named 'imported' exists already"), import_run(database, NEW):
        pytest.fail("the name is taken")


def test_a_deleted_import_takes_its_partitions_along(database: Database) -> None:
    before = tables(database)
    with import_run(database, NEW) as loading:
        write(loading, [1, 2])
    assert tables(database) > before
    delete_run(database, loading.run_id)
    assert tables(database) == before
