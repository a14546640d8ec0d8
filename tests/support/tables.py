"""Small tables of rows that a test writes out, and blocks committed as a build commits them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from sqlalchemy import Connection

from connectome.pipeline.engines.attempt import ReadyBlock, commit
from connectome.pipeline.stages.stage import Computed
from connectome.records import Edges, Synapses
from connectome.store.database import Database
from connectome.store.runs.blocks import BlockMark, Stage

Point = tuple[float, float, float]


def synapse(
    cleft_id: int,
    pre: int,
    post: int,
    confidence: float = 0.5,
    size_voxels: int = 100,
    centroid_nm: Point = (0.0, 0.0, 0.0),
) -> Synapses:
    """A table of one synapse."""
    return Synapses(
        cleft_id=np.array([cleft_id]),
        pre_segment_id=np.array([pre]),
        post_segment_id=np.array([post]),
        confidence=np.array([confidence]),
        size_voxels=np.array([size_voxels]),
        centroid_nm=np.array([centroid_nm], float),
    )


def synapses(tables: Iterable[Synapses]) -> Synapses:
    """One table of several."""
    return Synapses.concatenated(tables)


def edges(rows: Iterable[tuple[int, int, int, int, float]]) -> Edges:
    """From (pre, post, synapses, voxels, mean confidence)."""
    columns = zip(*rows, strict=True)
    names = Edges.described()
    found = {name: np.array(values) for name, values in zip(names, columns, strict=False)}
    return Edges(**found) if found else Edges.empty()


def commit_block(
    database: Database,
    run_id: int,
    stage: Stage,
    block_id: int,
    write: Callable[[Connection], object] = lambda connection: None,
    *,
    voxels: int = 1,
    seconds: float = 0.0,
    faces: bytes | None = None,
) -> None:
    """Write a block's rows and its done mark, as every engine does."""

    def rows(transaction: object) -> None:
        write(transaction.connection)
        transaction.faces = faces

    mark = BlockMark(block_id=block_id, voxels=voxels, seconds=seconds)
    commit(database, run_id, stage, [ReadyBlock(mark=mark, computed=Computed(write_rows=rows))])
