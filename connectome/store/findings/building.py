"""What the stages of a build read and write, as arrays; every write goes into a block's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from connectome.geometry import BlockGrid, NmTriple
from connectome.store.database import Database
from connectome.store.runs.blocks import Stage
from connectome.store.schema.tables import BlockTable, CleftTable
from connectome.store.transfer.copying import copy_columns

AGGREGATE = """
WITH whole AS (
    SELECT coalesce(c.cleft_id, f.fragment_id) AS cleft_id, sum(f.size_voxels) AS n,
           sum(f.sum_z) AS sz, sum(f.sum_y) AS sy, sum(f.sum_x) AS sx,
           min(f.start_z) AS az, min(f.start_y) AS ay, min(f.start_x) AS ax,
           max(f.stop_z) AS bz, max(f.stop_y) AS by, max(f.stop_x) AS bx,
           sum(f.score_sum) AS score_sum, max(f.score_max) AS score_max
    FROM fragment f LEFT JOIN fragment_cleft c USING (run_id, fragment_id)
    WHERE f.run_id = :run_id
    GROUP BY 1
    HAVING sum(f.size_voxels) >= :min_size_voxels
), centred AS (
    SELECT *, div(sz, n)::integer AS cz, div(sy, n)::integer AS cy, div(sx, n)::integer AS cx FROM whole
)
INSERT INTO cleft (run_id, cleft_id, block_id, size_voxels, x_nm, y_nm, z_nm, start_x_nm, start_y_nm, start_z_nm,
                   stop_x_nm, stop_y_nm, stop_z_nm, centre_z, centre_y, centre_x, mean_score, max_score, state)
SELECT :run_id, cleft_id, ((cz / :bz - :fz) * :ny + (cy / :by - :fy)) * :nx + (cx / :bx - :fx), n,
       :ox + (sx::float8 / n::float8 + 0.5) * :rx, :oy + (sy::float8 / n::float8 + 0.5) * :ry,
       :oz + (sz::float8 / n::float8 + 0.5) * :rz,
       :ox + ax * :rx, :oy + ay * :ry, :oz + az * :rz, :ox + bx * :rx, :oy + by * :ry, :oz + bz * :rz,
       cz, cy, cx, (score_sum / (255.0 * n))::real, (score_max / 255.0)::real, 'detected'
FROM centred ORDER BY 3, cleft_id
"""
TARGETS = """
SELECT f.fragment_id AS fragment_id, coalesce(k.cleft_id, 0) AS cleft_id
FROM fragment f LEFT JOIN fragment_cleft c USING (run_id, fragment_id)
LEFT JOIN cleft k ON k.run_id = f.run_id AND k.cleft_id = coalesce(c.cleft_id, f.fragment_id)
WHERE f.run_id = :run_id AND f.block_id = :block_id
"""


@dataclass(frozen=True, kw_only=True)
class CleftRules:
    """How fragments become rows of clefts.

    Attributes:
        min_size_voxels: smaller objects are dropped.
        grid: the blocks that clefts are assigned in.
        resolution_nm, offset_nm: of the working grid (z, y, x).
    """

    min_size_voxels: int
    grid: BlockGrid
    resolution_nm: NmTriple
    offset_nm: NmTriple


def write_rows(
    connection: Connection, table: str, run_id: int, columns: Mapping[str, ArrayLike | Sequence[Any]]
) -> int:
    """Append rows of one run to a table; returns their number. Synapses are numbered within their cleft, in order."""
    rows = {"run_id": np.int64(run_id), **columns}
    if table == "synapse" and "number" not in rows:
        rows["number"] = place_in_group(np.asarray(rows["cleft_id"]))
    return copy_columns(connection, table, rows)


def place_in_group(groups: NDArray[Any]) -> NDArray[np.int64]:
    """How many earlier elements are equal to each: int64 (n,); a cleft's rows get 0, 1, 2 ..."""
    order = np.argsort(groups, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(groups[order]) != 0][: len(groups)])
    lengths = np.diff(np.r_[first, len(groups)])
    places = np.empty(len(groups), np.int64)
    places[order] = np.arange(len(groups)) - np.repeat(first, lengths)
    return places


def read_borders(database: Database, run_id: int, block_ids: range) -> list[NDArray[np.int64]]:
    """The border voxels that the label stage stored with these blocks: int64 (n, 2) each, voxel index and fragment."""
    statement = select(BlockTable.faces).where(
        BlockTable.run_id == run_id,
        BlockTable.stage == Stage.LABEL.value,
        BlockTable.block_id >= block_ids.start,
        BlockTable.block_id < block_ids.stop,
    )
    with database.begin() as connection:
        found = [bytes(faces) for faces in connection.scalars(statement) if faces is not None]
    return [np.frombuffer(faces, np.int64).reshape(-1, 2) for faces in found]


def write_clefts(connection: Connection, run_id: int, rules: CleftRules) -> int:
    """Add up a run's fragments into clefts, inside PostgreSQL and in exact integers; returns their number."""
    first = [a // b for a, b in zip(rules.grid.box.start, rules.grid.block_shape, strict=True)]
    values: dict[str, Any] = {"run_id": run_id, "min_size_voxels": rules.min_size_voxels}
    for i, axis in enumerate("zyx"):
        values |= {f"b{axis}": rules.grid.block_shape[i], f"f{axis}": first[i], f"n{axis}": rules.grid.counts[i]}
        values |= {f"r{axis}": float(rules.resolution_nm[i]), f"o{axis}": float(rules.offset_nm[i])}
    del values["nz"]
    return connection.execute(text(AGGREGATE), values).rowcount


def fragment_targets(database: Database, run_id: int, block_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fragments of a block and the clefts that they became; 0: dropped. Both int64 (n,)."""
    found = database.columns(TARGETS, {"run_id": run_id, "block_id": block_id})
    return found["fragment_id"], found["cleft_id"]


def block_clefts(database: Database, run_id: int, block_id: int) -> dict[str, NDArray[Any]]:
    """The clefts whose centre lies in a block, by ascending id.

    Returns:
        cleft_id, centre_z, centre_y, centre_x, size_voxels, mean_score, max_score, and bounding boxes: start_z_nm ...
        stop_x_nm.
    """
    statement = (
        select(
            CleftTable.cleft_id,
            CleftTable.centre_z,
            CleftTable.centre_y,
            CleftTable.centre_x,
            CleftTable.size_voxels,
            CleftTable.mean_score,
            CleftTable.max_score,
            CleftTable.start_z_nm,
            CleftTable.start_y_nm,
            CleftTable.start_x_nm,
            CleftTable.stop_z_nm,
            CleftTable.stop_y_nm,
            CleftTable.stop_x_nm,
        )
        .where(CleftTable.run_id == run_id, CleftTable.block_id == block_id)
        .order_by(CleftTable.cleft_id)
    )
    return database.columns(statement)


def clefts_per_block(database: Database, run_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The blocks that hold clefts' centres, ascending, and how many each holds; both int64 (n,)."""
    found = database.columns(
        "SELECT block_id, count(*) AS n FROM cleft WHERE run_id = :run_id GROUP BY 1 ORDER BY 1", {"run_id": run_id}
    )
    return found["block_id"], found["n"]


def set_cleft_states(connection: Connection, run_id: int, states: Mapping[str, Sequence[int]]) -> None:
    """Record what became of clefts: state -> cleft ids."""
    for state, cleft_ids in states.items():
        ids = bindparam("ids", list(cleft_ids), type_=ARRAY(BIGINT))
        statement = text("UPDATE cleft SET state = :state WHERE run_id = :run_id AND cleft_id = ANY(:ids)")
        connection.execute(statement.bindparams(ids), {"state": state, "run_id": run_id})
