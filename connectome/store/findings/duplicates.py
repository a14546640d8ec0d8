"""Synapses that may be one, and what merging them writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from connectome.records import CleftState
from connectome.store.database import Database
from connectome.store.findings.building import write_rows

SIZES = """
SELECT mod(pre_segment_id, :parts)::bigint AS part, count(*) AS n
FROM synapse WHERE run_id = :run_id GROUP BY 1 ORDER BY 1
"""
REPEATED = """
WITH pair AS (
    SELECT pre_segment_id, post_segment_id FROM synapse
    WHERE run_id = :run_id AND mod(pre_segment_id, :parts) = :part
    GROUP BY 1, 2 HAVING count(*) > 1
)
SELECT s.cleft_id, s.pre_segment_id, s.post_segment_id, c.size_voxels, c.z_nm, c.y_nm, c.x_nm
FROM synapse s
JOIN pair USING (pre_segment_id, post_segment_id)
JOIN cleft c ON c.run_id = s.run_id AND c.cleft_id = s.cleft_id
WHERE s.run_id = :run_id
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


def cleft_count(database: Database, run_id: int) -> int:
    """How many clefts a run has, whatever became of them."""
    found = database.columns("SELECT count(*) AS n FROM cleft WHERE run_id = :run_id", {"run_id": run_id})
    return int(found["n"][0])


def synapses_per_part(database: Database, run_id: int, parts: int) -> dict[int, int]:
    """How many synapses each part holds, for the parts that hold any; a part is a remainder of the pre segment's id."""
    found = database.columns(SIZES, {"run_id": run_id, "parts": parts})
    return {int(part): int(n) for part, n in zip(found["part"], found["n"], strict=True)}


def repeated_synapses(database: Database, run_id: int, part: int, parts: int) -> dict[str, NDArray[Any]]:
    """The synapses of a part whose partners have several, with their clefts.

    Returns:
        cleft_id, pre_segment_id, post_segment_id, size_voxels, z_nm, y_nm, x_nm; ordered by the first three.
    """
    return database.columns(REPEATED, {"run_id": run_id, "part": part, "parts": parts})


def write_merged(connection: Connection, run_id: int, merged: dict[str, NDArray[Any]]) -> None:
    """Delete synapses that another one stands for, and record which.

    A cleft that is left without a synapse gets the state `duplicate`.

    Args:
        connection: inside a block's transaction.
        run_id: the run.
        merged: cleft_id, pre_segment_id, post_segment_id of the synapses to go, with kept_cleft_id and distance_nm.
    """
    if len(merged["cleft_id"]) == 0:
        return
    clefts = {"run_id": run_id, "clefts": np.unique(merged["cleft_id"]).tolist()}
    connection.execute(_with_arrays(LOCK, "clefts"), clefts)
    gone = {name: merged[f"{name[:-1]}_segment_id"].tolist() for name in ("pres", "posts")}
    connection.execute(
        _with_arrays(DELETE, "clefts", "pres", "posts"),
        {"run_id": run_id, "clefts": merged["cleft_id"].tolist(), **gone},
    )
    pairs = np.stack([merged["cleft_id"], merged["kept_cleft_id"]], 1)
    pairs, first = np.unique(pairs, axis=0, return_index=True)
    columns = {"cleft_id": pairs[:, 0], "kept_cleft_id": pairs[:, 1], "distance_nm": merged["distance_nm"][first]}
    write_rows(connection, "duplicate", run_id, columns)
    connection.execute(_with_arrays(MARK, "clefts"), clefts | {"state": CleftState.DUPLICATE.value})


def _with_arrays(statement: str, *names: str) -> Any:
    return text(statement).bindparams(*(bindparam(name, type_=ARRAY(BIGINT)) for name in names))
