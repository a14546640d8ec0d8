"""Findings as the stages of a build read and write them, in arrays; every write goes into a block's transaction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from connectome.geometry import BlockGrid, Grid
from connectome.records import AXES, Clefts, CleftState, Synapses, Table
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
SIZES = """
SELECT mod(pre_segment_id, :parts)::bigint AS part, count(*) AS n
FROM synapse WHERE run_id = :run_id GROUP BY 1 ORDER BY 1
"""
REPEATED = f"""
WITH pair AS (
    SELECT pre_segment_id, post_segment_id FROM synapse
    WHERE run_id = :run_id AND mod(pre_segment_id, :parts) = :part
    GROUP BY 1, 2 HAVING count(*) > 1
)
SELECT {", ".join(f"{table}.{name}" for name, table in Synapses.columns().items())}
FROM synapse
JOIN pair USING (pre_segment_id, post_segment_id)
JOIN cleft ON cleft.run_id = synapse.run_id AND cleft.cleft_id = synapse.cleft_id
WHERE synapse.run_id = :run_id
ORDER BY 1, 2, 3
"""
LOCK = "SELECT FROM cleft WHERE run_id = :run_id AND cleft_id = ANY(:clefts) ORDER BY cleft_id FOR UPDATE"
DELETE = """
DELETE FROM synapse s USING unnest(:clefts, :pres, :posts) AS gone (cleft_id, pre_segment_id, post_segment_id)
WHERE s.run_id = :run_id AND s.cleft_id = gone.cleft_id AND s.pre_segment_id = gone.pre_segment_id
AND s.post_segment_id = gone.post_segment_id
"""
MARK = """
UPDATE cleft c SET state = :state
WHERE c.run_id = :run_id AND c.cleft_id = ANY(:clefts)
AND NOT EXISTS (SELECT FROM synapse s WHERE s.run_id = c.run_id AND s.cleft_id = c.cleft_id)
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
    first = blocks.cells.start
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


def cleft_count(database: Database, run_id: int) -> int:
    """The number of clefts that a run has, whatever became of them."""
    found = database.columns("SELECT count(*) AS n FROM cleft WHERE run_id = :run_id", {"run_id": run_id})
    return int(found["n"][0])


def synapses_per_part(database: Database, run_id: int, parts: int) -> dict[int, int]:
    """The number of synapses in each part that holds any; a part is a remainder of the pre segment's id."""
    found = database.columns(SIZES, {"run_id": run_id, "parts": parts})
    return {int(part): int(n) for part, n in zip(found["part"], found["n"], strict=True)}


def repeated_synapses(database: Database, run_id: int, part: int, parts: int) -> Synapses:
    """The synapses of a part whose partners have several, ordered by cleft and partners."""
    return Synapses.of_sql(database.columns(REPEATED, {"run_id": run_id, "part": part, "parts": parts}))


def write_merged(
    connection: Connection,
    run_id: int,
    gone: Synapses,
    kept_cleft_id: NDArray[np.int64],
    distance_nm: NDArray[np.float64],
) -> None:
    """Delete synapses that another one stands for, and record which.

    A cleft that is left without a synapse gets the state `duplicate`.

    Args:
        connection: inside a block's transaction.
        run_id: the run.
        gone: the synapses to delete.
        kept_cleft_id: the cleft of the synapse that stands for each.
        distance_nm: from each one's cleft to that one.
    """
    if len(gone) == 0:
        return
    clefts = {"run_id": run_id, "clefts": np.unique(gone.cleft_id).tolist()}
    connection.execute(_with_arrays(LOCK, "clefts"), clefts)
    columns = (gone.cleft_id, gone.pre_segment_id, gone.post_segment_id)
    names = ("clefts", "pres", "posts")
    values = {name: column.tolist() for name, column in zip(names, columns, strict=True)}
    connection.execute(_with_arrays(DELETE, *names), {"run_id": run_id, **values})
    pairs = np.stack([gone.cleft_id, kept_cleft_id], 1)
    pairs, first = np.unique(pairs, axis=0, return_index=True)
    merged = {"cleft_id": pairs[:, 0], "kept_cleft_id": pairs[:, 1], "distance_nm": distance_nm[first]}
    copy_columns(connection, "duplicate", {"run_id": run_id, **merged})
    connection.execute(_with_arrays(MARK, "clefts"), clefts | {"state": CleftState.DUPLICATE.value})


def _with_arrays(statement: str, *names: str) -> Any:
    return text(statement).bindparams(*(bindparam(name, type_=ARRAY(BIGINT)) for name in names))
