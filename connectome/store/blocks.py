"""Blocks: what is done, and the transaction that makes a block done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from connectome.errors import RunConflictError
from connectome.store.database import Database
from connectome.store.tables import BlockTable


class Stage(StrEnum):
    """The stages of a build, in order."""

    PREDICT = "predict"
    LABEL = "label"
    STITCH = "stitch"
    RELABEL = "relabel"
    ASSIGN = "assign"
    DEDUPLICATE = "deduplicate"
    EDGES = "edges"


@dataclass(kw_only=True)
class BlockTransaction:
    """A block while its rows are written.

    Attributes:
        connection: inside the block's one transaction.
        faces: set to store the labels on the block's faces with it.
        seconds: set to say how long the block took; else the time since the transaction began.
    """

    connection: Connection
    faces: bytes | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class StageTotal:
    """What the finished blocks of a stage add up to; seconds are summed over all workers."""

    blocks: int
    voxels: int
    seconds: float


def done_blocks(database: Database, run_id: int, stage: Stage) -> set[int]:
    """The ids of the blocks that are finished."""
    statement = select(BlockTable.block_id).where(BlockTable.run_id == run_id, BlockTable.stage == stage.value)
    with database.begin() as connection:
        return set(connection.scalars(statement))


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
    key = {"run_id": run_id, "stage": stage.value, "block_id": block_id}
    with database.begin() as connection:
        mark = insert(BlockTable).values(**key, voxels=voxels, seconds=0.0).on_conflict_do_nothing()
        if connection.execute(mark).rowcount == 0:
            raise RunConflictError(
                f"block {block_id} of stage {stage.value} is done already: does another process build this run?"
            )
        block = BlockTransaction(connection=connection)
        yield block
        seconds = time.monotonic() - began if block.seconds is None else block.seconds
        row = BlockTable.run_id == run_id, BlockTable.stage == stage.value, BlockTable.block_id == block_id
        connection.execute(update(BlockTable).where(*row).values(seconds=seconds, faces=block.faces))


def read_faces(database: Database, run_id: int, block_id: int, stage: Stage = Stage.LABEL) -> bytes | None:
    """The stored faces of a block; None if it isn't done or stored none."""
    row = BlockTable.run_id == run_id, BlockTable.stage == stage.value, BlockTable.block_id == block_id
    with database.begin() as connection:
        faces = connection.scalar(select(BlockTable.faces).where(*row))
    return None if faces is None else bytes(faces)


def stage_totals(database: Database, run_id: int) -> dict[Stage, StageTotal]:
    """The totals of every stage that has finished blocks, in the stages' order."""
    statement = (
        select(BlockTable.stage, func.count(), func.sum(BlockTable.voxels), func.sum(BlockTable.seconds))
        .where(BlockTable.run_id == run_id)
        .group_by(BlockTable.stage)
    )
    with database.begin() as connection:
        found = {Stage(stage): totals for stage, *totals in connection.execute(statement)}
    return {
        stage: StageTotal(blocks=int(found[stage][0]), voxels=int(found[stage][1]), seconds=float(found[stage][2]))
        for stage in Stage
        if stage in found
    }
