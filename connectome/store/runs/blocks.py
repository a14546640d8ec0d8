"""Stages and blocks of a run: the transaction that makes a block done, progress and failures, seen from any process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, func, null, select, text, update
from sqlalchemy.dialects.postgresql import insert

from connectome.store.database import Database
from connectome.store.schema.tables import BlockTable, StageTable

RECENT_S = 60
PROGRESS = """
SELECT stage, s.blocks, s.voxels, s.unit, count(*) FILTER (WHERE b.state = 'done') AS done,
       count(*) FILTER (WHERE b.state = 'failed') AS failed,
       coalesce(sum(b.voxels) FILTER (WHERE b.state = 'done'), 0) AS done_voxels,
       coalesce(sum(b.seconds) FILTER (WHERE b.state = 'done'), 0) AS seconds,
       count(*) FILTER (WHERE b.state = 'done' AND b.finished_at > now() - make_interval(secs => :recent)) AS recent
FROM stage s LEFT JOIN block b USING (run_id, stage) WHERE s.run_id = :run_id
GROUP BY stage, s.blocks, s.voxels, s.unit
"""


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
    """The state of a block that was tried; one without a row wasn't."""

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
    """The totals of a stage's finished blocks; seconds are summed over all workers."""

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


@dataclass(frozen=True, kw_only=True)
class StageProgress:
    """The progress of a stage.

    Attributes:
        blocks: all of it; those neither done nor failed are still to do.
        voxels, done_voxels: in `unit`: voxels, clefts or synapses.
        seconds: that the done blocks took, summed over all workers.
        recent_blocks: done in the last minute.
    """

    stage: Stage
    blocks: int
    done: int
    failed: int
    voxels: int
    done_voxels: int
    unit: str
    seconds: float
    recent_blocks: int

    @property
    def rate(self) -> float | None:
        """Units a second of one worker; None before a block is done."""
        return self.done_voxels / self.seconds if self.seconds > 0 else None


@dataclass(frozen=True, kw_only=True)
class FailedBlock:
    """A block whose last attempt failed."""

    stage: Stage
    block_id: int
    attempts: int
    error: str
    worker: str | None
    failed_at: datetime


def record_stage(
    database: Database, run_id: int, stage: Stage, *, blocks: int, voxels: int, unit: str = "voxels"
) -> None:
    """Say what a stage has to do, done or not: blocks, and what they add up to in its unit."""
    totals = {"blocks": blocks, "voxels": voxels, "unit": unit}
    statement = insert(StageTable).values(run_id=run_id, stage=stage.value, **totals)
    with database.begin() as connection:
        connection.execute(statement.on_conflict_do_update(constraint="pk_stage", set_=totals))


def record_failure(database: Database, run_id: int, stage: Stage, block: BlockMark, error: str) -> None:
    """Say that an attempt at a block failed; one that is done stays done."""
    values = {"voxels": block.voxels, "error": error.replace("\0", ""), "worker": block.worker}
    key = {"run_id": run_id, "stage": stage.value, "block_id": block.block_id}
    statement = insert(BlockTable).values(**key, **values, state=BlockState.FAILED.value, seconds=0.0)
    statement = statement.on_conflict_do_update(
        constraint="pk_block",
        set_={**values, "attempts": BlockTable.attempts + 1, "finished_at": func.now()},
        where=BlockTable.state == BlockState.FAILED.value,
    )
    with database.begin() as connection:
        connection.execute(statement)


def stage_progress(database: Database, run_id: int) -> list[StageProgress]:
    """The stages that a run has begun, in their order."""
    with database.begin() as connection:
        rows = connection.execute(text(PROGRESS), {"run_id": run_id, "recent": RECENT_S}).mappings()
        found = {row["stage"]: row for row in rows}
    return [
        StageProgress(
            stage=stage,
            blocks=row["blocks"],
            done=row["done"],
            failed=row["failed"],
            voxels=row["voxels"],
            done_voxels=int(row["done_voxels"]),
            unit=row["unit"],
            seconds=float(row["seconds"]),
            recent_blocks=row["recent"],
        )
        for stage in Stage
        if (row := found.get(stage.value)) is not None
    ]


def failed_blocks(database: Database, run_id: int, limit: int) -> list[FailedBlock]:
    """Up to `limit` failed blocks of a run, those of the latest stage first, by ascending id."""
    statement = (
        select(BlockTable)
        .where(BlockTable.run_id == run_id, BlockTable.state == BlockState.FAILED.value)
        .order_by(func.array_position([stage.value for stage in Stage], BlockTable.stage).desc(), BlockTable.block_id)
        .limit(limit)
    )
    with database.session() as session:
        return [
            FailedBlock(
                stage=Stage(row.stage),
                block_id=row.block_id,
                attempts=row.attempts,
                error=row.error or "",
                worker=row.worker,
                failed_at=row.finished_at,
            )
            for row in session.scalars(statement)
        ]
