from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectome.errors import DatabaseError, RunConflictError
from connectome.store.database import Database
from connectome.store.runs.blocks import Stage, StageTotal, block_transaction, done_blocks, read_faces, stage_totals
from connectome.store.runs.records import RunRecord

Write = Callable[..., None]


def clefts(database: Database) -> list[int]:
    return sorted(database.columns("SELECT cleft_id FROM cleft")["cleft_id"].tolist())


def test_a_block_commits_its_rows_with_its_done_mark(database: Database, run: RunRecord, write_clefts: Write) -> None:
    with block_transaction(database, run.run_id, Stage.STITCH, 3, voxels=1000) as block:
        write_clefts(block.connection, run.run_id, [4, 5])
        assert done_blocks(database, run.run_id, Stage.STITCH) == set()
    assert done_blocks(database, run.run_id, Stage.STITCH) == {3}
    assert done_blocks(database, run.run_id, Stage.ASSIGN) == set()
    assert clefts(database) == [4, 5]


def test_an_error_inside_leaves_no_rows_and_no_mark(database: Database, run: RunRecord, write_clefts: Write) -> None:
    with pytest.raises(ZeroDivisionError), block_transaction(database, run.run_id, Stage.STITCH, 3, voxels=1) as block:
        write_clefts(block.connection, run.run_id, [4, 5])
        _ = 1 / 0
    assert clefts(database) == []
    assert done_blocks(database, run.run_id, Stage.STITCH) == set()


def test_rows_that_the_database_refuses_leave_no_mark(database: Database, run: RunRecord, write_clefts: Write) -> None:
    with (
        pytest.raises(DatabaseError, match="duplicate key"),
        block_transaction(database, run.run_id, Stage.STITCH, 3, voxels=1) as block,
    ):
        write_clefts(block.connection, run.run_id, [4, 4])
    assert done_blocks(database, run.run_id, Stage.STITCH) == set()


def test_a_block_is_done_once(database: Database, run: RunRecord, write_clefts: Write) -> None:
    with block_transaction(database, run.run_id, Stage.STITCH, 3, voxels=1) as block:
        write_clefts(block.connection, run.run_id, [4])
    with (
        pytest.raises(RunConflictError, match="block 3 of stage stitch is done already"),
        block_transaction(database, run.run_id, Stage.STITCH, 3, voxels=1) as block,
    ):
        write_clefts(block.connection, run.run_id, [5])
    assert clefts(database) == [4]


def test_two_workers_on_one_block_write_it_once(database: Database, run: RunRecord, write_clefts: Write) -> None:
    together = threading.Barrier(2)

    def work(cleft_id: int) -> bool:
        together.wait()
        try:
            with block_transaction(database, run.run_id, Stage.LABEL, 0, voxels=1) as block:
                write_clefts(block.connection, run.run_id, [cleft_id])
        except RunConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, [1, 2])) == [False, True]
    assert len(clefts(database)) == 1


def test_faces_are_stored_with_their_block(database: Database, run: RunRecord) -> None:
    with block_transaction(database, run.run_id, Stage.LABEL, 0, voxels=1) as block:
        block.faces = bytes(range(256)) * 10
    with block_transaction(database, run.run_id, Stage.LABEL, 1, voxels=1):
        pass
    assert read_faces(database, run.run_id, 0) == bytes(range(256)) * 10
    assert read_faces(database, run.run_id, 1) is None
    assert read_faces(database, run.run_id, 2) is None


def test_totals_add_up_per_stage_in_order(database: Database, run: RunRecord) -> None:
    for stage, block_id, voxels, seconds in [
        (Stage.LABEL, 0, 10, 1.0),
        (Stage.PREDICT, 0, 10, 2.0),
        (Stage.PREDICT, 1, 5, 0.5),
    ]:
        with block_transaction(database, run.run_id, stage, block_id, voxels=voxels) as block:
            block.seconds = seconds
    assert list(stage_totals(database, run.run_id).items()) == [
        (Stage.PREDICT, StageTotal(blocks=2, voxels=15, seconds=2.5)),
        (Stage.LABEL, StageTotal(blocks=1, voxels=10, seconds=1.0)),
    ]
