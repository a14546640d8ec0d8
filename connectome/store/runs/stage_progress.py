"""How far the stages of a run are, and which blocks failed: seen from any process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from connectome.store.database import Database
from connectome.store.runs.blocks import BlockMark, BlockState, Stage
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


@dataclass(frozen=True, kw_only=True)
class StageProgress:
    """How far a stage is.

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


@dataclass(frozen=True, kw_only=True)
class StageSize:
    """What a stage has to do: blocks, and what they add up to in its unit."""

    blocks: int
    voxels: int
    unit: str = "voxels"


def record_stage(database: Database, run_id: int, stage: Stage, size: StageSize) -> None:
    """Say what a stage has to do, done or not."""
    totals = {"blocks": size.blocks, "voxels": size.voxels, "unit": size.unit}
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
