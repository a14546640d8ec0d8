"""Versions of proofreading: which root each segment belongs to, and synapses that a split gave to other roots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from connectome.errors import RootsError, TableError
from connectome.store.database import Database
from connectome.store.queries.scope import roots_not_found, roots_of_another
from connectome.store.schema.tables import DataSetTable, RootsTable
from connectome.store.transfer.copying import merge_columns

WITH_DATA_SET = select(RootsTable, DataSetTable.name).outerjoin(
    DataSetTable, RootsTable.data_set_id == DataSetTable.data_set_id
)
CHAINED = """
SELECT chained.segment_id, chained.root_id FROM (
    SELECT segment_id, root_id FROM root WHERE roots_id = :roots_id
    UNION ALL
    SELECT p.segment_id, p.root_id FROM root p WHERE p.roots_id = :parent
    AND NOT EXISTS (SELECT FROM root o WHERE o.roots_id = :roots_id AND o.segment_id = p.segment_id)
    UNION ALL
    SELECT p.supervoxel_id, p.root_id FROM supervoxel_root p WHERE p.roots_id = :parent
) AS chained JOIN root n ON n.roots_id = :roots_id AND n.segment_id = chained.root_id
WHERE chained.segment_id <> chained.root_id AND n.root_id <> n.segment_id ORDER BY 1 LIMIT 1
"""
# UNION, so that a walk in a circle ends too
WALK = """
CREATE TEMP TABLE chain ON COMMIT DROP AS
WITH RECURSIVE walk(segment_id, reached) AS (
    SELECT a.segment_id, b.root_id FROM root a JOIN root b ON b.roots_id = :roots_id AND b.segment_id = a.root_id
    WHERE a.roots_id = :roots_id AND b.root_id <> b.segment_id AND a.segment_id <> a.root_id
    UNION
    SELECT w.segment_id, n.root_id FROM walk w
    JOIN root n ON n.roots_id = :roots_id AND n.segment_id = w.reached AND n.root_id <> n.segment_id
)
SELECT w.segment_id, min(w.reached) FILTER (WHERE n.segment_id IS NULL) AS root_id
FROM walk w LEFT JOIN root n ON n.roots_id = :roots_id AND n.segment_id = w.reached AND n.root_id <> n.segment_id
GROUP BY w.segment_id
"""
JOIN = """
UPDATE root SET root_id = chain.root_id FROM chain WHERE roots_id = :roots_id AND root.segment_id = chain.segment_id
"""
INHERIT = (
    "UPDATE roots SET parent_roots_id = :parent WHERE roots_id = :roots_id",
    # What the version says of a segment holds for all its synapses, also for those that had a root of their own.
    """
    INSERT INTO synapse_root (run_id, roots_id, cleft_id, number, pre_root_id, post_root_id)
    SELECT run_id, :roots_id, cleft_id, number, pre_own, post_own FROM (
        SELECT o.run_id, o.cleft_id, o.number,
               CASE WHEN pre.segment_id IS NULL THEN coalesce(p.root_id, o.pre_root_id) END AS pre_own,
               CASE WHEN post.segment_id IS NULL THEN coalesce(q.root_id, o.post_root_id) END AS post_own
        FROM synapse_root o JOIN synapse s USING (run_id, cleft_id, number)
        LEFT JOIN root pre ON pre.roots_id = :roots_id AND pre.segment_id = s.pre_segment_id
        LEFT JOIN root post ON post.roots_id = :roots_id AND post.segment_id = s.post_segment_id
        LEFT JOIN root p ON :follow AND p.roots_id = :roots_id AND p.segment_id = o.pre_root_id
        LEFT JOIN root q ON :follow AND q.roots_id = :roots_id AND q.segment_id = o.post_root_id
        WHERE o.roots_id = :parent
    ) AS kept WHERE pre_own IS NOT NULL OR post_own IS NOT NULL
    """,
    """
    INSERT INTO supervoxel_root (roots_id, supervoxel_id, root_id)
    SELECT :roots_id, o.supervoxel_id, coalesce(n.root_id, o.root_id) FROM supervoxel_root o
    LEFT JOIN root n ON :follow AND n.roots_id = :roots_id AND n.segment_id = o.root_id
    WHERE o.roots_id = :parent ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO root (roots_id, segment_id, root_id)
    SELECT :roots_id, o.segment_id, coalesce(n.root_id, o.root_id) FROM root o
    LEFT JOIN root n ON :follow AND n.roots_id = :roots_id AND n.segment_id = o.root_id
    WHERE o.roots_id = :parent ON CONFLICT DO NOTHING
    """,
    # What has become part of another neuron is none of the new version.
    """
    INSERT INTO annotation (data_set_id, roots_id, neuron_id, label, value)
    SELECT a.data_set_id, :roots_id, neuron_id, label, value
    FROM annotation a JOIN roots v ON v.roots_id = :roots_id AND v.data_set_id = a.data_set_id
    WHERE a.roots_id = :parent AND NOT EXISTS (SELECT FROM root r WHERE r.roots_id = :roots_id
    AND r.segment_id = a.neuron_id AND r.root_id <> a.neuron_id)
    """,
)


class Chains(StrEnum):
    """What to do about chains, A in B and B in C: B may mean the segment or the neuron that A became part of."""

    REFUSE = "refuse"
    JOIN = "join"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True)
class RootsRecord:
    """A version of proofreading.

    Attributes:
        parent_roots_id: the version it was made from; None: from none.
        source: the table or volume it was made from.
        data_set_id, data_set: the data set that its ids belong to; None for version 0, which holds for all.
    """

    roots_id: int
    name: str
    parent_roots_id: int | None
    source: str
    created_at: datetime
    data_set_id: int | None
    data_set: str | None


def create_roots(connection: Connection, name: str, source: str, data_set_id: int) -> int:
    """Begin a new version; returns its number.

    Raises:
        RootsError: the name is taken.
    """
    statement = insert(RootsTable).values(name=name, source=source, data_set_id=data_set_id)
    statement = statement.on_conflict_do_nothing(index_elements=["name"])
    roots_id: int | None = connection.scalar(statement.returning(RootsTable.roots_id))
    if roots_id is None:
        raise RootsError(f"a version of roots named '{name}' exists already: history stays, so choose another name")
    return roots_id


def join_chains(connection: Connection, roots_id: int, parent: RootsRecord | None, chains: Chains) -> int:
    """Deal with segments whose root the version names as a segment of another root, also by way of its parent.

    Args:
        connection: inside the transaction that makes the version.
        roots_id: the version, with the segments that it names itself.
        parent: the version that it was made from.
        chains: refuse them, join each to its end, or keep every row as it is.

    Returns:
        How many segments of the version were joined.

    Raises:
        TableError: a chain that is refused, or one without an end.
    """
    key = {"roots_id": roots_id}
    above = None if parent is None else parent.roots_id
    found = connection.execute(text(CHAINED), {**key, "parent": above}).one_or_none()
    if found is None or chains is Chains.KEEP:
        return 0
    if chains is Chains.REFUSE:
        raise TableError(
            f"the roots form a chain: {found.segment_id} belongs to {found.root_id}, which the table gives to another "
            "root",
            about="chains",
        )
    connection.execute(text(WALK), key)
    endless = connection.scalar(text("SELECT segment_id FROM chain WHERE root_id IS NULL ORDER BY 1 LIMIT 1"))
    if endless is not None:
        raise TableError(f"the roots of segment {endless} form a circle: a chain must have an end")
    joined = connection.execute(text(JOIN), key).rowcount
    connection.execute(text("DROP TABLE chain"))
    return joined


def inherit(connection: Connection, roots_id: int, parent: RootsRecord, *, follow: bool = False) -> None:
    """Take over what the parent says and the version doesn't: roots, and annotations of neurons that still are some.

    Args:
        connection: inside the transaction that makes the version.
        roots_id: the version, with the segments that it names itself.
        parent: the version that it was made from.
        follow: a root of the parent that the version names as a segment goes where the version says.
    """
    for statement in INHERIT:
        values = {"roots_id": roots_id, "parent": parent.roots_id, "follow": follow}
        connection.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})


def write_roots(connection: Connection, roots_id: int, segment_ids: ArrayLike, root_ids: ArrayLike) -> int:
    """Say which root segments belong to; what the version said of them before is replaced.

    Args:
        connection: inside a transaction.
        roots_id: the version.
        segment_ids: integers (n,), distinct, greater than 0.
        root_ids: integers (n,), greater than 0.

    Returns:
        The number of segments.

    Raises:
        SegmentIdError: an id of 2^63 or more.
    """
    columns = {"roots_id": np.int64(roots_id), "segment_id": segment_ids, "root_id": root_ids}
    count = merge_columns(connection, "root", columns)
    connection.execute(text("ANALYZE root"))
    return count


def write_synapse_roots(connection: Connection, roots_id: int, run_id: int, synapses: Mapping[str, ArrayLike]) -> int:
    """Say which roots synapses of a run belong to, whatever their segments; returns their number.

    Args:
        connection: in the transaction that makes the version.
        roots_id: the version.
        run_id: the run of the synapses.
        synapses: cleft_id, number, pre_root_id, post_root_id, integers (n,) each. A root that follows from its segment
            is masked (or None): it stays so in versions that are made from this one.

    Raises:
        SegmentIdError: an id of 2^63 or more.
    """
    return merge_columns(
        connection, "synapse_root", {"run_id": np.int64(run_id), "roots_id": np.int64(roots_id), **synapses}
    )


def list_roots(database: Database) -> list[RootsRecord]:
    """All versions, the newest first; the last is `segments`, which means no proofreading."""
    with database.session() as session:
        return [_record(*row) for row in session.execute(WITH_DATA_SET.order_by(RootsTable.roots_id.desc()))]


def get_roots(database: Database, name: str) -> RootsRecord:
    """The version of a name.

    Raises:
        RootsError: there is none; the message lists those that exist.
    """
    with database.session() as session:
        found = session.execute(WITH_DATA_SET.where(RootsTable.name == name)).one_or_none()
        if found is not None:
            return _record(*found)
    raise roots_not_found(name, [record.name for record in list_roots(database)])


def require_data_set(database: Database, name: str, data_set_id: int) -> RootsRecord:
    """The version of a name, which belongs to a data set or to all.

    Raises:
        RootsError: there is none, or it belongs to another data set.
    """
    found = get_roots(database, name)
    if found.data_set_id not in (None, data_set_id):
        with database.session() as session:
            wanted = session.scalar(select(DataSetTable.name).where(DataSetTable.data_set_id == data_set_id))
        raise roots_of_another(name, str(found.data_set), str(wanted))
    return found


def _record(row: RootsTable, data_set: str | None) -> RootsRecord:
    return RootsRecord(
        roots_id=row.roots_id,
        name=row.name,
        parent_roots_id=row.parent_roots_id,
        source=row.source,
        created_at=row.created_at,
        data_set_id=row.data_set_id,
        data_set=data_set,
    )
