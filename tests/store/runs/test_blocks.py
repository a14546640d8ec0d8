from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import Connection
from tables import commit_block

from connectome.errors import DatabaseError
from connectome.store.database import Database
from connectome.store.findings.building import read_borders
from connectome.store.runs.blocks import Stage, StageTotal, done_blocks, stage_totals
from connectome.store.runs.records import RunRecord

Write = Callable[..., None]


def clefts(database: Database) -> list[int]:
    return sorted(database.columns("SELECT cleft_id FROM cleft")["cleft_id"].tolist())


def test_a_block_commits_its_rows_with_its_done_mark(database: Database, run: RunRecord, write_clefts: Write) -> None:
    def write(connection: Connection) -> None:
        write_clefts(connection, run.run_id, [4, 5])
        assert done_blocks(database, run.run_id, Stage.STITCH) == set()

    commit_block(database, run.run_id, Stage.STITCH, 3, write, voxels=1000)
    assert done_blocks(database, run.run_id, Stage.STITCH) == {3}
    assert done_blocks(database, run.run_id, Stage.ASSIGN) == set()
    assert clefts(database) == [4, 5]


def test_an_error_inside_leaves_no_rows_and_no_mark(database: Database, run: RunRecord, write_clefts: Write) -> None:
    def write(connection: Connection) -> None:
        write_clefts(connection, run.run_id, [4, 5])
        _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        commit_block(database, run.run_id, Stage.STITCH, 3, write)
    assert clefts(database) == []
    assert done_blocks(database, run.run_id, Stage.STITCH) == set()


def test_rows_that_the_database_refuses_leave_no_mark(database: Database, run: RunRecord, write_clefts: Write) -> None:
    with pytest.raises(DatabaseError, match="duplicate key"):
        commit_block(database, run.run_id, Stage.STITCH, 3, lambda c: write_clefts(c, run.run_id, [4, 4]))
    assert done_blocks(database, run.run_id, Stage.STITCH) == set()


def test_a_block_is_done_once(database: Database, run: RunRecord, write_clefts: Write) -> None:
    for cleft_id in (4, 5):
        commit_block(database, run.run_id, Stage.STITCH, 3, lambda c, n=cleft_id: write_clefts(c, run.run_id, [n]))
    assert clefts(database) == [4]


def test_two_workers_on_one_block_write_it_once(database: Database, run: RunRecord, write_clefts: Write) -> None:
    together = threading.Barrier(2)

    def work(cleft_id: int) -> None:
        together.wait()
        commit_block(database, run.run_id, Stage.LABEL, 0, lambda c: write_clefts(c, run.run_id, [cleft_id]))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [1, 2]))
    assert len(clefts(database)) == 1


def test_borders_are_stored_with_their_blocks(database: Database, run: RunRecord) -> None:
    border = np.arange(20).reshape(10, 2)
    commit_block(database, run.run_id, Stage.LABEL, 0, faces=border.tobytes())
    commit_block(database, run.run_id, Stage.LABEL, 1)
    commit_block(database, run.run_id, Stage.PREDICT, 2, faces=border.tobytes())
    (found,) = read_borders(database, run.run_id, range(3))
    assert np.array_equal(found, border)
    assert read_borders(database, run.run_id, range(1, 3)) == []


def test_totals_add_up_per_stage_in_order(database: Database, run: RunRecord) -> None:
    for stage, block_id, voxels, seconds in [
        (Stage.LABEL, 0, 10, 1.0),
        (Stage.PREDICT, 0, 10, 2.0),
        (Stage.PREDICT, 1, 5, 0.5),
    ]:
        commit_block(database, run.run_id, stage, block_id, voxels=voxels, seconds=seconds)
    assert list(stage_totals(database, run.run_id).items()) == [
        (Stage.PREDICT, StageTotal(blocks=2, voxels=15, seconds=2.5)),
        (Stage.LABEL, StageTotal(blocks=1, voxels=10, seconds=1.0)),
    ]
