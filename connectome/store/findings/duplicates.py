"""Synapses that may be one, and what merging them writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from connectome.records import CleftState, Synapses
from connectome.store.database import Database
from connectome.store.transfer.copying import copy_columns

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


def cleft_count(database: Database, run_id: int) -> int:
    """How many clefts a run has, whatever became of them."""
    found = database.columns("SELECT count(*) AS n FROM cleft WHERE run_id = :run_id", {"run_id": run_id})
    return int(found["n"][0])


def synapses_per_part(database: Database, run_id: int, parts: int) -> dict[int, int]:
    """How many synapses each part holds, for the parts that hold any; a part is a remainder of the pre segment's id."""
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
