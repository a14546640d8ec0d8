"""The partners' points of synapses, for looking them up in another segmentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from connectome.store.database import Database

ROWS_A_BATCH = 200_000
POINTS = """
SELECT s.cleft_id, s.number,
       coalesce(p.root_id, s.pre_segment_id) AS pre_mapped, coalesce(q.root_id, s.post_segment_id) AS post_mapped,
       coalesce(o.pre_root_id, p.root_id, s.pre_segment_id) AS pre_id,
       coalesce(o.post_root_id, q.root_id, s.post_segment_id) AS post_id,
       s.pre_x_nm, s.pre_y_nm, s.pre_z_nm, s.post_x_nm, s.post_y_nm, s.post_z_nm
FROM synapse s
LEFT JOIN synapse_root o ON o.run_id = s.run_id AND o.roots_id = :roots_id AND o.cleft_id = s.cleft_id
                        AND o.number = s.number
LEFT JOIN root p ON p.roots_id = :roots_id AND p.segment_id = s.pre_segment_id
LEFT JOIN root q ON q.roots_id = :roots_id AND q.segment_id = s.post_segment_id
WHERE s.run_id = :run_id AND (s.cleft_id, s.number) > (:cleft_id, :number)
ORDER BY s.cleft_id, s.number LIMIT :rows
"""


def partner_points(
    database: Database, run_id: int, roots_id: int, rows: int = ROWS_A_BATCH
) -> Iterator[dict[str, NDArray[Any]]]:
    """The synapses of a run in batches, ordered by cleft.

    Args:
        database: where the run is.
        run_id: the run.
        roots_id: the version whose roots are wanted.
        rows: at most so many a batch.

    Returns:
        cleft_id and number; pre_id and post_id, the roots; pre_mapped and post_mapped, those that follow from the
        segments alone; the points pre_x_nm ... post_z_nm.
    """
    last = {"cleft_id": 0, "number": -1}
    while True:
        found = database.columns(POINTS, {"run_id": run_id, "roots_id": roots_id, "rows": rows, **last})
        if len(found["cleft_id"]) == 0:
            return
        yield found
        last = {name: int(found[name][-1]) for name in last}


def synapse_count(database: Database, run_id: int) -> int:
    """The number of synapses that a run has."""
    found = database.columns("SELECT count(*) AS n FROM synapse WHERE run_id = :run_id", {"run_id": run_id})
    return int(found["n"][0])
