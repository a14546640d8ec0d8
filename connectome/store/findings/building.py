"""What the stages of a build read and write, as arrays; every write goes into a block's transaction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from connectome.geometry import BlockGrid, Grid
from connectome.records import AXES, Clefts, Synapses, Table
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


def write_table(connection: Connection, run_id: int, rows: Table, **others: ArrayLike) -> int:
    """Append rows of one run; returns their number. Synapses are numbered within their cleft, in order.

    Args:
        connection: inside a transaction.
        run_id: the run.
        rows: their SQL table and columns follow from them.
        others: columns that the SQL table has besides, one value a row or one for all.
    """
    if isinstance(rows, Synapses):
        others["number"] = place_in_group(rows.cleft_id)
    return copy_columns(connection, rows.table, {"run_id": np.int64(run_id), **rows.to_sql(), **others})


def write_renamed(
    connection: Connection, run_id: int, fragment_id: NDArray[np.int64], cleft_id: NDArray[np.int64]
) -> int:
    """Say which clefts fragments became part of; returns their number."""
    return copy_columns(
        connection, "fragment_cleft", {"run_id": np.int64(run_id), "fragment_id": fragment_id, "cleft_id": cleft_id}
    )


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


def write_clefts(connection: Connection, run_id: int, grid: Grid, blocks: BlockGrid, min_size_voxels: int) -> int:
    """Add up a run's fragments into clefts, inside PostgreSQL and in exact integers; returns their number.

    Args:
        connection: inside a transaction.
        run_id: the run.
        grid: the working grid.
        blocks: those that clefts are assigned in.
        min_size_voxels: smaller objects are dropped.
    """
    first = [a // b for a, b in zip(blocks.box.start, blocks.block_shape, strict=True)]
    values: dict[str, Any] = {"run_id": run_id, "min_size_voxels": min_size_voxels}
    for i, axis in enumerate(AXES):
        values |= {f"b{axis}": blocks.block_shape[i], f"f{axis}": first[i], f"n{axis}": blocks.counts[i]}
        values |= {f"r{axis}": float(grid.resolution_nm[i]), f"o{axis}": float(grid.offset_nm[i])}
    del values["nz"]
    return connection.execute(text(AGGREGATE), values).rowcount


def fragment_targets(database: Database, run_id: int, block_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fragments of a block and the clefts that they became; 0: dropped. Both int64 (n,)."""
    found = database.columns(TARGETS, {"run_id": run_id, "block_id": block_id})
    return found["fragment_id"], found["cleft_id"]


def block_clefts(database: Database, run_id: int, block_id: int, grid: Grid) -> Clefts:
    """The clefts whose centre lies in a block, by ascending id; `grid`: the working grid that the build uses."""
    columns = (CleftTable.__table__.c[name] for name in Clefts.columns())
    statement = select(*columns).where(CleftTable.run_id == run_id, CleftTable.block_id == block_id)
    found = database.columns(statement.order_by(CleftTable.cleft_id))
    # the database has positions in nm (see AGGREGATE); corners of voxels, so this is exact
    for i, axis in enumerate(AXES):
        for name in (f"start_{axis}_nm", f"stop_{axis}_nm"):
            found[name] = np.rint((found[name] - grid.offset_nm[i]) / grid.resolution_nm[i])
    return Clefts.of_sql(found)


def clefts_per_block(database: Database, run_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The blocks that hold clefts' centres, ascending, and how many each holds; both int64 (n,)."""
    found = database.columns(
        "SELECT block_id, count(*) AS n FROM cleft WHERE run_id = :run_id GROUP BY 1 ORDER BY 1", {"run_id": run_id}
    )
    return found["block_id"], found["n"]


def set_cleft_states(connection: Connection, run_id: int, cleft_id: NDArray[np.int64], state: NDArray[np.str_]) -> None:
    """Record what became of clefts; `state`: one of `CleftState` for each id."""
    for one in np.unique(state).tolist():
        ids = bindparam("ids", cleft_id[state == one].tolist(), type_=ARRAY(BIGINT))
        statement = text("UPDATE cleft SET state = :state WHERE run_id = :run_id AND cleft_id = ANY(:ids)")
        connection.execute(statement.bindparams(ids), {"state": one, "run_id": run_id})
