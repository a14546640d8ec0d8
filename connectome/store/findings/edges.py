"""Edges, materialised: from the synapses of a run, and from its edges for a version of roots."""

from __future__ import annotations

from sqlalchemy import Connection, text

from connectome.store.address import database_errors
from connectome.store.database import Database
from connectome.store.schema.base import partition

WORK_MEM = "256MB"
# Adding up goes into a temporary table of its own: PostgreSQL uses several processes for that, but not for an INSERT.
ADD_UP = """
CREATE TEMP TABLE added_up ON COMMIT DROP AS
SELECT pre_segment_id, post_segment_id, count(*) AS synapse_count, coalesce(sum(size_voxels), 0) AS size_voxels,
       avg(confidence::float8) AS mean_confidence, count(*) - count(confidence) AS unscored_count
FROM {synapse} JOIN {cleft} USING (cleft_id) GROUP BY pre_segment_id, post_segment_id
"""
EDGES = """
INSERT INTO {edge} (run_id, pre_segment_id, post_segment_id, synapse_count, size_voxels, mean_confidence,
                    unscored_count)
SELECT {run_id}, pre_segment_id, post_segment_id, synapse_count, size_voxels, mean_confidence, unscored_count
FROM added_up ORDER BY pre_segment_id, post_segment_id
"""
# Edges go over whole, but those with a synapse whose roots don't follow from its segments go over synapse by synapse.
ROOT_EDGES = """
WITH mapping AS MATERIALIZED (
    SELECT segment_id, root_id FROM root WHERE roots_id = {roots_id}
), parted AS MATERIALIZED (
    SELECT DISTINCT pre_segment_id, post_segment_id FROM {synapse_root} JOIN {synapse} USING (cleft_id, number)
    WHERE roots_id = {roots_id}
), part AS (
    SELECT coalesce(pre.root_id, e.pre_segment_id) AS pre_root_id,
           coalesce(post.root_id, e.post_segment_id) AS post_root_id,
           e.synapse_count, e.size_voxels, e.unscored_count,
           (e.synapse_count - e.unscored_count) * e.mean_confidence AS confidence
    FROM {edge} e LEFT JOIN mapping pre ON pre.segment_id = e.pre_segment_id
    LEFT JOIN mapping post ON post.segment_id = e.post_segment_id
    LEFT JOIN parted ON parted.pre_segment_id = e.pre_segment_id AND parted.post_segment_id = e.post_segment_id
    WHERE parted.pre_segment_id IS NULL
    UNION ALL
    SELECT coalesce(o.pre_root_id, pre.root_id, s.pre_segment_id),
           coalesce(o.post_root_id, post.root_id, s.post_segment_id),
           1, coalesce(c.size_voxels, 0), (s.confidence IS NULL)::integer, s.confidence::float8
    FROM parted JOIN {synapse} s USING (pre_segment_id, post_segment_id) JOIN {cleft} c USING (cleft_id)
    LEFT JOIN {synapse_root} o ON o.roots_id = {roots_id} AND o.cleft_id = s.cleft_id AND o.number = s.number
    LEFT JOIN mapping pre ON pre.segment_id = s.pre_segment_id
    LEFT JOIN mapping post ON post.segment_id = s.post_segment_id
)
INSERT INTO {root_edge} (run_id, roots_id, pre_root_id, post_root_id, synapse_count, size_voxels, unscored_count,
                         mean_confidence)
SELECT {run_id}, {roots_id}, pre_root_id, post_root_id, sum(synapse_count), sum(size_voxels), sum(unscored_count),
       CASE WHEN sum(unscored_count) < sum(synapse_count)
            THEN least(1.0, sum(confidence) / (sum(synapse_count) - sum(unscored_count))) END
FROM part GROUP BY pre_root_id, post_root_id ORDER BY pre_root_id, post_root_id
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"
MARK = "INSERT INTO root_refresh (run_id, roots_id) VALUES (:run_id, :roots_id)"


def refresh_edges(connection: Connection, run_id: int) -> int:
    """Make the edges of a run anew from its synapses; others see the old ones until the transaction ends.

    Returns:
        The number of edges.
    """
    names = _names(run_id)
    connection.execute(text(f"SET LOCAL work_mem = '{WORK_MEM}'"))
    _analyse(connection, names, "cleft", "synapse")
    connection.execute(text(ADD_UP.format(**names)))
    connection.execute(text(f"DELETE FROM {names['edge']}"))
    count = connection.execute(text(EDGES.format(**names))).rowcount
    connection.execute(text("DROP TABLE added_up"))
    _analyse(connection, names, "edge")
    return count


def refresh_root_edges(connection: Connection, run_id: int, roots_id: int) -> int:
    """Make the edges of a run between the roots of a version anew, from its edges; synapses stay untouched.

    Returns:
        The number of edges.
    """
    names = {**_names(run_id), "roots_id": int(roots_id)}
    key = {"run_id": run_id, "roots_id": roots_id}
    lock_root_edges(connection, run_id, roots_id)
    connection.execute(text(f"SET LOCAL work_mem = '{WORK_MEM}'"))
    connection.execute(text("DELETE FROM root_refresh WHERE run_id = :run_id AND roots_id = :roots_id"), key)
    connection.execute(text(MARK), key)
    count = connection.execute(text(ROOT_EDGES.format(**names))).rowcount
    _analyse(connection, names, "root_edge")
    return count


def lock_root_edges(connection: Connection, run_id: int, roots_id: int) -> None:
    """Wait until no other session makes these edges, and keep others from it until the transaction ends."""
    connection.execute(text(LOCK), {"key": f"root_edge {run_id} {roots_id}"})


def vacuum_edges(database: Database, run_id: int) -> None:
    """Mark the edges of a run as visible to everybody, so that index scans needn't look into the table.

    Autovacuum would do it a minute later.

    Raises:
        DatabaseError: unreachable, or the run was deleted meanwhile.
    """
    with database_errors(database.url), database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.execute(text(f"VACUUM {partition('edge', run_id)}"))


def _names(run_id: int) -> dict[str, object]:
    tables = ("cleft", "synapse", "edge", "synapse_root", "root_edge")
    return {"run_id": int(run_id), **{table: partition(table, run_id) for table in tables}}


def _analyse(connection: Connection, names: dict[str, object], *tables: str) -> None:
    """Tell the planner what the tables hold, without waiting for autovacuum."""
    for table in tables:
        connection.execute(text(f"ANALYZE {names[table]}"))
