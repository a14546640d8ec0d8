from __future__ import annotations

from tables import commit_block

from connectome.store.database import Database
from connectome.store.runs.blocks import (
    BlockMark,
    Stage,
    done_blocks,
    failed_blocks,
    mark_done,
    record_failure,
    record_stage,
    stage_progress,
    stage_totals,
)
from connectome.store.runs.records import RunRecord


def fail(database: Database, run: RunRecord, stage: Stage, block_id: int, error: str) -> None:
    record_failure(database, run.run_id, stage, BlockMark(block_id=block_id, voxels=10, worker="host:1"), error)


def test_progress_counts_what_is_done_and_what_failed(database: Database, run: RunRecord) -> None:
    record_stage(database, run.run_id, Stage.LABEL, blocks=9, voxels=90)
    record_stage(database, run.run_id, Stage.PREDICT, blocks=4, voxels=40)
    record_stage(database, run.run_id, Stage.PREDICT, blocks=5, voxels=50)
    for block_id in (0, 1):
        commit_block(database, run.run_id, Stage.PREDICT, block_id, voxels=10, seconds=2.0)
    fail(database, run, Stage.PREDICT, 3, "broken")
    predict, label = stage_progress(database, run.run_id)
    assert (predict.stage, predict.blocks, predict.done, predict.failed) == (Stage.PREDICT, 5, 2, 1)
    assert (predict.voxels, predict.done_voxels, predict.recent_blocks, predict.rate) == (50, 20, 2, 5.0)
    assert (label.blocks, label.done, label.rate) == (9, 0, None)
    assert done_blocks(database, run.run_id, Stage.PREDICT) == {0, 1}
    assert stage_totals(database, run.run_id)[Stage.PREDICT].blocks == 2


def test_attempts_add_up_and_a_done_block_is_no_longer_failed(database: Database, run: RunRecord) -> None:
    fail(database, run, Stage.LABEL, 3, "first")
    fail(database, run, Stage.LABEL, 3, "second\0 time")
    fail(database, run, Stage.ASSIGN, 1, "later")
    later, found = failed_blocks(database, run.run_id, 10)
    assert (later.stage, later.block_id) == (Stage.ASSIGN, 1)
    assert (found.attempts, found.error, found.worker) == (2, "second time", "host:1")
    commit_block(database, run.run_id, Stage.LABEL, 3, voxels=10)
    assert [block.block_id for block in failed_blocks(database, run.run_id, 10)] == [1]
    row = database.columns("SELECT state, attempts, error FROM block WHERE stage = 'label'")
    assert (row["state"][0], row["attempts"][0], row["error"][0]) == ("done", 3, None)
    fail(database, run, Stage.LABEL, 3, "too late")
    assert done_blocks(database, run.run_id, Stage.LABEL) == {3}


def test_marking_several_blocks_says_which_were_not_done(database: Database, run: RunRecord) -> None:
    fail(database, run, Stage.LABEL, 2, "broken")
    commit_block(database, run.run_id, Stage.LABEL, 1, voxels=10)
    marks = [BlockMark(block_id=block_id, voxels=10, seconds=0.5) for block_id in (1, 2, 3)]
    with database.begin() as connection:
        assert mark_done(connection, run.run_id, Stage.LABEL, marks) == {2, 3}
    assert done_blocks(database, run.run_id, Stage.LABEL) == {1, 2, 3}
