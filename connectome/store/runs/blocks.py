"""Blocks: what is done, and the transaction that makes a block done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

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
    """

    connection: Connection
    faces: bytes | None = None


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
    row = (BlockTable.run_id == run_id, BlockTable.stage == stage.value, BlockTable.block_id == block_id)
    connection.execute(update(BlockTable).where(*row).values(faces=faces))


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
