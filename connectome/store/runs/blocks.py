"""Blocks: what is done, and the transaction that makes a block done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from connectome.errors import RunConflictError
from connectome.store.database import Database
from connectome.store.schema.tables import BlockTable


class Stage(StrEnum):
    """The stages of a build, in order."""

    PREDICT = "predict"
    LABEL = "label"
    STITCH = "stitch"
    RELABEL = "relabel"
    ASSIGN = "assign"
    DEDUPLICATE = "deduplicate"
    EDGES = "edges"


class BlockState(StrEnum):
    """What became of a block that was tried; one without a row wasn't."""

    DONE = "done"
    FAILED = "failed"


@dataclass(kw_only=True)
class BlockTransaction:
    """A block while its rows are written.

    Attributes:
        connection: inside the block's transaction; other blocks may be written in it too.
        faces: set to store the labels on the block's faces with it.
        seconds: set to say how long the block took; else the time since the transaction began.
    """

    connection: Connection
    faces: bytes | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class BlockMark:
    """A block that was tried: its size in the stage's unit, how long it took, who tried it."""

    block_id: int
    voxels: int
    seconds: float = 0.0
    worker: str | None = None


@dataclass(frozen=True, kw_only=True)
class StageTotal:
    """What the finished blocks of a stage add up to; seconds are summed over all workers."""

    blocks: int
    voxels: int
    seconds: float


def done_blocks(database: Database, run_id: int, stage: Stage) -> set[int]:
    """The ids of the blocks that are finished."""
    statement = select(BlockTable.block_id).where(
        BlockTable.run_id == run_id, BlockTable.stage == stage.value, BlockTable.state == BlockState.DONE.value
    )
    with database.begin() as connection:
        return set(connection.scalars(statement))


def mark_done(connection: Connection, run_id: int, stage: Stage, marks: Sequence[BlockMark]) -> set[int]:
    """Say that blocks are done; takes effect when the transaction commits.

    Another transaction that comes to one of the blocks waits here until this one commits or fails.

    Returns:
        The ids of the blocks that weren't done before: those whose rows are to be written.
    """
    values = [{"run_id": run_id, "stage": stage.value, "state": BlockState.DONE.value} | asdict(mark) for mark in marks]
    new = insert(BlockTable).values(values)
    mark = new.on_conflict_do_update(
        constraint="pk_block",
        set_={
            "state": BlockState.DONE.value,
            "error": null(),
            "attempts": BlockTable.attempts + 1,
            "finished_at": func.now(),
            **{name: new.excluded[name] for name in ("voxels", "seconds", "worker")},
        },
        where=BlockTable.state == BlockState.FAILED.value,
    )
    return set(connection.scalars(mark.returning(BlockTable.block_id)))


def store_faces(connection: Connection, run_id: int, stage: Stage, block_id: int, faces: bytes) -> None:
    """Keep the labels on a block's faces with its mark."""
    connection.execute(update(BlockTable).where(*_row(run_id, stage, block_id)).values(faces=faces))


@contextmanager
def block_transaction(
    database: Database, run_id: int, stage: Stage, block_id: int, *, voxels: int
) -> Iterator[BlockTransaction]:
    """Write a block's rows and its done mark in one transaction; an error leaves neither.

    A second process that comes to the same block waits here until the first commits or fails.

    Raises:
        RunConflictError: the block is done already. DatabaseError: unreachable, or PostgreSQL refused a statement.
    """
    began = time.monotonic()
    with database.begin() as connection:
        if not mark_done(connection, run_id, stage, [BlockMark(block_id=block_id, voxels=voxels)]):
            raise RunConflictError(
                f"block {block_id} of stage {stage.value} is done already: does another process build this run?"
            )
        block = BlockTransaction(connection=connection)
        yield block
        seconds = time.monotonic() - began if block.seconds is None else block.seconds
        row = _row(run_id, stage, block_id)
        connection.execute(update(BlockTable).where(*row).values(seconds=seconds, faces=block.faces))


def read_faces(database: Database, run_id: int, block_id: int, stage: Stage = Stage.LABEL) -> bytes | None:
    """The stored faces of a block; None if it isn't done or stored none."""
    with database.begin() as connection:
        faces = connection.scalar(select(BlockTable.faces).where(*_row(run_id, stage, block_id)))
    return None if faces is None else bytes(faces)


def stage_totals(database: Database, run_id: int) -> dict[Stage, StageTotal]:
    """The totals of every stage that has finished blocks, in the stages' order."""
    statement = (
        select(BlockTable.stage, func.count(), func.sum(BlockTable.voxels), func.sum(BlockTable.seconds))
        .where(BlockTable.run_id == run_id, BlockTable.state == BlockState.DONE.value)
        .group_by(BlockTable.stage)
    )
    with database.begin() as connection:
        found = {Stage(stage): totals for stage, *totals in connection.execute(statement)}
    return {
        stage: StageTotal(blocks=int(found[stage][0]), voxels=int(found[stage][1]), seconds=float(found[stage][2]))
        for stage in Stage
        if stage in found
    }


def _row(run_id: int, stage: Stage, block_id: int) -> tuple[ColumnElement[bool], ...]:
    return BlockTable.run_id == run_id, BlockTable.stage == stage.value, BlockTable.block_id == block_id
