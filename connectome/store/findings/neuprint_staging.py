"""neuPrint's tables inside an import: staged as they are, then joined into clefts and synapses by PostgreSQL."""

from __future__ import annotations

import io
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, text

from connectome.store.findings.imports import RunLoading
from connectome.store.schema.base import partition

STAGED = """
CREATE TEMPORARY TABLE staged_point (
    point_id bigint NOT NULL, pre boolean NOT NULL, body bigint NOT NULL, x_nm double precision NOT NULL,
    y_nm double precision NOT NULL, z_nm double precision NOT NULL, score real
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_partner (pre_id bigint NOT NULL, post_id bigint NOT NULL) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_pair (
    cleft_id bigint NOT NULL, pre_segment_id bigint NOT NULL, post_segment_id bigint NOT NULL, source_id bigint,
    pre_score real, post_score real, pre_x_nm double precision NOT NULL, pre_y_nm double precision NOT NULL,
    pre_z_nm double precision NOT NULL, post_x_nm double precision NOT NULL, post_y_nm double precision NOT NULL,
    post_z_nm double precision NOT NULL, pre_supervoxel_id bigint, post_supervoxel_id bigint
) ON COMMIT DROP
"""
PAIR_COLUMNS = (
    "cleft_id",
    "pre_segment_id",
    "post_segment_id",
    "source_id",
    "pre_score",
    "post_score",
    "pre_x_nm",
    "pre_y_nm",
    "pre_z_nm",
    "post_x_nm",
    "post_y_nm",
    "post_z_nm",
    "pre_supervoxel_id",
    "post_supervoxel_id",
)
ANALYZE = "ANALYZE staged_point; ANALYZE staged_partner; ANALYZE staged_pair"
TWICE = "SELECT point_id FROM staged_point GROUP BY point_id, pre HAVING count(*) > 1 LIMIT 1"
JOINED = """
CREATE TEMPORARY TABLE staged_synapse ON COMMIT DROP AS
SELECT row_number() OVER (PARTITION BY cleft_id ORDER BY post_place, pre_segment_id, post_segment_id) - 1 AS number, *
FROM (
    SELECT a.point_id AS cleft_id, b.point_id AS post_place, a.body AS pre_segment_id, b.body AS post_segment_id,
           CASE WHEN b.point_id >= 0 THEN b.point_id END AS source_id, a.score AS pre_score, b.score AS post_score,
           a.x_nm AS pre_x_nm, a.y_nm AS pre_y_nm, a.z_nm AS pre_z_nm,
           b.x_nm AS post_x_nm, b.y_nm AS post_y_nm, b.z_nm AS post_z_nm,
           NULL::bigint AS pre_supervoxel_id, NULL::bigint AS post_supervoxel_id
    FROM staged_partner p
    JOIN staged_point a ON a.point_id = p.pre_id AND a.pre
    JOIN staged_point b ON b.point_id = p.post_id AND NOT b.pre
    WHERE a.body > 0 AND b.body > 0
    UNION ALL
    SELECT cleft_id, source_id, pre_segment_id, post_segment_id, source_id, pre_score, post_score,
           pre_x_nm, pre_y_nm, pre_z_nm, post_x_nm, post_y_nm, post_z_nm, pre_supervoxel_id, post_supervoxel_id
    FROM staged_pair
) AS synapses
"""
CLEFTS = """
INSERT INTO {cleft} (run_id, cleft_id, block_id, x_nm, y_nm, z_nm, state)
SELECT {run_id}, cleft_id, 0, pre_x_nm, pre_y_nm, pre_z_nm, 'assigned' FROM staged_synapse WHERE number = 0
ORDER BY cleft_id
"""
SYNAPSES = """
INSERT INTO {synapse} (run_id, cleft_id, number, pre_segment_id, post_segment_id, pre_score, post_score,
    confidence, pre_x_nm, pre_y_nm, pre_z_nm, post_x_nm, post_y_nm, post_z_nm, source_id,
    pre_supervoxel_id, post_supervoxel_id)
SELECT {run_id}, cleft_id, number, pre_segment_id, post_segment_id, pre_score, post_score,
    pre_score * post_score, pre_x_nm, pre_y_nm, pre_z_nm, post_x_nm, post_y_nm, post_z_nm,
    source_id, pre_supervoxel_id, post_supervoxel_id
FROM staged_synapse ORDER BY cleft_id, number
"""


class Staged(StrEnum):
    """The two tables, and the one that holds a row a synapse instead."""

    POINT = "point"
    PARTNER = "partner"
    PAIR = "pair"


class NeuprintStaging:
    """The two tables of one import.

    A point's id is a BIGINT; ids from 2^63 on are wrapped to negative ones and mean that the point has no id.
    """

    def __init__(self, loading: RunLoading) -> None:
        """Make the temporary tables in the import's transaction."""
        self._connection: Connection = loading.connection
        self._run_id = loading.run_id
        self._connection.exec_driver_sql(STAGED)

    def write(self, table: Staged, lines: bytes) -> None:
        """Append CSV lines: point_id, pre, body, x_nm, y_nm, z_nm, score; or pre_id, post_id; or PAIR_COLUMNS."""
        cursor: Any = self._connection.connection.cursor()
        cursor.copy_expert(f"COPY staged_{table.value} FROM STDIN (FORMAT csv)", io.BytesIO(lines))

    def repeated_point(self) -> int | None:
        """The id of a point that is there twice; None: there is none."""
        point_id: int | None = self._connection.scalar(text(TWICE))
        return point_id

    def join(self) -> tuple[int, int, int]:
        """Make the clefts and synapses of the run.

        Returns:
            Clefts, synapses, and rows left out as a point is missing or lies in no body.
        """
        run = self._connection
        run.exec_driver_sql(ANALYZE)
        partners = run.scalar(text("SELECT count(*) FROM staged_partner")) or 0
        run.exec_driver_sql(JOINED)
        names = {
            "run_id": int(self._run_id),
            **{table: partition(table, self._run_id) for table in ("cleft", "synapse")},
        }
        clefts = run.exec_driver_sql(CLEFTS.format(**names)).rowcount
        synapses = run.exec_driver_sql(SYNAPSES.format(**names)).rowcount
        left_out = partners - synapses if partners else 0
        return clefts, synapses, left_out
