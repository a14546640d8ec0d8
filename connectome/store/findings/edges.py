"""Edges, materialised: from the synapses of a run, and from its edges for a version of roots."""

from __future__ import annotations

from sqlalchemy import Connection, text

from connectome.errors import DatabaseError
from connectome.records import EDGE_SUMS
from connectome.store.address import database_errors
from connectome.store.database import Database
from connectome.store.schema.base import partition

WORK_MEM = "256MB"
# Adding up goes into a temporary table of its own: PostgreSQL uses several processes for that, but not for an INSERT.
ADD_UP = """
CREATE TEMP TABLE added_up ON COMMIT DROP AS
SELECT pre_segment_id, post_segment_id, {sums}, count(*) - count(confidence) AS unscored_count
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
VERSIONS = """
SELECT roots_id FROM roots JOIN run USING (data_set_id) WHERE run_id = :run_id ORDER BY roots_id
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"
MARK = "INSERT INTO root_refresh (run_id, roots_id) VALUES (:run_id, :roots_id)"

# A side whose supervoxel isn't named keeps what it has; one whose supervoxel is where its segment is needs nothing.
APPLY_SUPERVOXELS = """
INSERT INTO synapse_root (run_id, roots_id, cleft_id, number, pre_root_id, post_root_id)
SELECT :run_id, :roots_id, cleft_id, number, pre_own, post_own FROM (
    SELECT s.cleft_id, s.number, o.cleft_id IS NOT NULL AS kept,
           CASE WHEN p.root_id IS NULL THEN o.pre_root_id
                WHEN p.root_id <> coalesce(m.root_id, s.pre_segment_id) THEN p.root_id END AS pre_own,
           CASE WHEN q.root_id IS NULL THEN o.post_root_id
                WHEN q.root_id <> coalesce(n.root_id, s.post_segment_id) THEN q.root_id END AS post_own
    FROM synapse s
    LEFT JOIN supervoxel_root p ON p.roots_id = :roots_id
                               AND p.supervoxel_id = coalesce(s.pre_supervoxel_id, s.pre_segment_id)
    LEFT JOIN supervoxel_root q ON q.roots_id = :roots_id
                               AND q.supervoxel_id = coalesce(s.post_supervoxel_id, s.post_segment_id)
    LEFT JOIN synapse_root o ON o.run_id = s.run_id AND o.roots_id = :roots_id AND o.cleft_id = s.cleft_id
                            AND o.number = s.number
    LEFT JOIN root m ON m.roots_id = :roots_id AND m.segment_id = s.pre_segment_id
    LEFT JOIN root n ON n.roots_id = :roots_id AND n.segment_id = s.post_segment_id
    WHERE s.run_id = :run_id AND (p.root_id IS NOT NULL OR q.root_id IS NOT NULL)
) AS told WHERE kept OR pre_own IS NOT NULL OR post_own IS NOT NULL
ON CONFLICT (run_id, roots_id, cleft_id, number)
DO UPDATE SET pre_root_id = EXCLUDED.pre_root_id, post_root_id = EXCLUDED.post_root_id
"""
NAMES_SUPERVOXELS = "SELECT EXISTS (SELECT FROM supervoxel_root WHERE roots_id = :roots_id)"
MAY_WRITE = (
    "SELECT has_table_privilege('root_edge', 'INSERT') AND NOT current_setting('transaction_read_only')::boolean"
)
IS_FRESH = "SELECT EXISTS (SELECT FROM root_refresh WHERE run_id = :run_id AND roots_id = :roots_id)"


def refresh_edges(connection: Connection, run_id: int) -> int:
    """Make the edges of a run anew from its synapses; others see the old ones until the transaction ends.

    Returns:
        The number of edges.
    """
    names = _names(run_id)
    connection.execute(text(f"SET LOCAL work_mem = '{WORK_MEM}'"))
    _analyse(connection, names, "cleft", "synapse")
    connection.execute(text(ADD_UP.format(**names, sums=EDGE_SUMS)))
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


def refresh_all_roots(connection: Connection, run_id: int) -> None:
    """Make the edges of a run for all versions, as it is finished: who only reads can't make them later."""
    for roots_id in connection.scalars(text(VERSIONS), {"run_id": run_id}).all():
        apply_supervoxels(connection, roots_id, run_id)
        refresh_root_edges(connection, run_id, roots_id)


def lock_root_edges(connection: Connection, run_id: int, roots_id: int) -> None:
    """Wait until no other session makes these edges, and keep others from it until the transaction ends."""
    connection.execute(text(LOCK), {"key": f"root_edge {run_id} {roots_id}"})


def ensure_edges(database: Database, run_id: int, roots_id: int) -> None:
    """Make the edges of a run for a version unless they are there, as where both were made at once.

    Raises:
        DatabaseError: they aren't there and the user may not write: what the owner has to do.
    """
    key = {"run_id": run_id, "roots_id": roots_id}
    with database.begin() as connection:
        if connection.scalar(text(IS_FRESH), key):
            return
        if not connection.scalar(text(MAY_WRITE)):
            raise DatabaseError(
                "the edges of this run between these roots aren't made yet, and this login only reads",
                about="root_edges",
            )
        lock_root_edges(connection, run_id, roots_id)
        if not connection.scalar(text(IS_FRESH), key):  # another session may have made them meanwhile
            apply_supervoxels(connection, roots_id, run_id)
            refresh_root_edges(connection, run_id, roots_id)


def apply_supervoxels(connection: Connection, roots_id: int, run_id: int) -> None:
    """Give the synapses of a run the roots of their supervoxels, where the version names those."""
    if connection.scalar(text(NAMES_SUPERVOXELS), {"roots_id": roots_id}):
        connection.execute(text(APPLY_SUPERVOXELS), {"roots_id": roots_id, "run_id": run_id})


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
