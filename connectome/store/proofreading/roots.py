"""Versions of proofreading: which root each segment belongs to, and synapses that a split gave to other roots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from connectome.errors import RootsError
from connectome.store.database import Database
from connectome.store.schema.tables import RootsTable
from connectome.store.transfer.copying import merge_columns

SEGMENTS = 0  # the version that is always there: every segment is its own root
NAMES_SHOWN = 10
INHERIT = (
    "UPDATE roots SET parent_roots_id = :parent WHERE roots_id = :roots_id",
    # What the version says of a segment holds for all its synapses, also for those that had a root of their own.
    """
    INSERT INTO synapse_root (run_id, roots_id, cleft_id, number, pre_root_id, post_root_id)
    SELECT run_id, :roots_id, cleft_id, number, pre_own, post_own FROM (
        SELECT o.run_id, o.cleft_id, o.number,
               CASE WHEN pre.segment_id IS NULL THEN o.pre_root_id END AS pre_own,
               CASE WHEN post.segment_id IS NULL THEN o.post_root_id END AS post_own
        FROM synapse_root o JOIN synapse s USING (run_id, cleft_id, number)
        LEFT JOIN root pre ON pre.roots_id = :roots_id AND pre.segment_id = s.pre_segment_id
        LEFT JOIN root post ON post.roots_id = :roots_id AND post.segment_id = s.post_segment_id
        WHERE o.roots_id = :parent
    ) AS kept WHERE pre_own IS NOT NULL OR post_own IS NOT NULL
    """,
    "INSERT INTO root (roots_id, segment_id, root_id) SELECT :roots_id, segment_id, root_id FROM root "
    "WHERE roots_id = :parent ON CONFLICT DO NOTHING",
    # What has become part of another neuron is none of the new version.
    "INSERT INTO annotation (roots_id, neuron_id, label, value) SELECT :roots_id, neuron_id, label, value "
    "FROM annotation a WHERE roots_id = :parent AND NOT EXISTS (SELECT FROM root r WHERE r.roots_id = :roots_id "
    "AND r.segment_id = a.neuron_id AND r.root_id <> a.neuron_id)",
)


@dataclass(frozen=True, kw_only=True)
class RootsRecord:
    """A version of proofreading.

    Attributes:
        parent_roots_id: the version it was made from; None: from none.
        source: the table or volume it was made from.
    """

    roots_id: int
    name: str
    parent_roots_id: int | None
    source: str
    created_at: datetime


def create_roots(connection: Connection, name: str, source: str) -> int:
    """Begin a new version; returns its number.

    Raises:
        RootsError: the name is taken.
    """
    statement = insert(RootsTable).values(name=name, source=source)
    statement = statement.on_conflict_do_nothing(index_elements=["name"])
    roots_id = connection.scalar(statement.returning(RootsTable.roots_id))
    if roots_id is None:
        raise RootsError(f"a version of roots named '{name}' exists already: history stays, so choose another name")
    return roots_id


def inherit(connection: Connection, roots_id: int, parent: RootsRecord) -> None:
    """Take over what the parent says and the version doesn't: roots, and annotations of neurons that still are some.

    Args:
        connection: inside the transaction that makes the version.
        roots_id: the version, with the segments that it names itself.
        parent: the version that it was made from.
    """
    for statement in INHERIT:
        connection.execute(text(statement), {"roots_id": roots_id, "parent": parent.roots_id})


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


@dataclass(frozen=True, kw_only=True)
class SynapseRoots:
    """Synapses and their roots where they don't follow from the segments: integers (n,) each.

    A root that follows from its segment is masked (or None): it stays so in versions that are made from this one.
    """

    cleft_id: ArrayLike
    number: ArrayLike
    pre_root_id: ArrayLike
    post_root_id: ArrayLike


def write_synapse_roots(connection: Connection, roots_id: int, run_id: int, synapses: SynapseRoots) -> int:
    """Say which roots synapses of a run belong to, whatever their segments; returns their number.

    Raises:
        SegmentIdError: an id of 2^63 or more.
    """
    return merge_columns(
        connection, "synapse_root", {"run_id": np.int64(run_id), "roots_id": np.int64(roots_id), **vars(synapses)}
    )


def list_roots(database: Database) -> list[RootsRecord]:
    """All versions, the newest first; the last is `segments`, which means no proofreading."""
    statement = select(RootsTable).order_by(RootsTable.roots_id.desc())
    with database.session() as session:
        return [_record(row) for row in session.scalars(statement)]


def get_roots(database: Database, name: str) -> RootsRecord:
    """The version of a name.

    Raises:
        RootsError: there is none; the message lists those that exist.
    """
    with database.session() as session:
        found = session.scalars(select(RootsTable).where(RootsTable.name == name)).one_or_none()
        if found is not None:
            return _record(found)
    names = [record.name for record in list_roots(database)]
    shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    raise RootsError(f"no version of roots named '{name}': the database has {shown}; connectome roots import makes one")


def _record(row: RootsTable) -> RootsRecord:
    return RootsRecord(
        roots_id=row.roots_id,
        name=row.name,
        parent_roots_id=row.parent_roots_id,
        source=row.source,
        created_at=row.created_at,
    )
