"""Whole versions of roots, each made in one transaction, and what there is of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import Connection, text

from connectome.errors import RootsNotFoundError
from connectome.store.database import Database
from connectome.store.edges import refresh_root_edges
from connectome.store.roots import create_roots, write_overrides, write_roots

Batches = Iterable[Mapping[str, NDArray[Any]]]
VERSIONS = """
SELECT v.roots_id, v.name, p.name AS parent, v.source, v.created_at,
       (SELECT count(*) FROM root r WHERE r.roots_id = v.roots_id) AS segments,
       (SELECT count(*) FROM synapse_root s WHERE s.roots_id = v.roots_id) AS reassigned
FROM roots v LEFT JOIN roots p ON p.roots_id = v.parent_roots_id ORDER BY v.roots_id
"""
FINISHED = "SELECT run_id, name FROM run WHERE state = 'finished' ORDER BY run_id"
IS_FRESH = "SELECT EXISTS (SELECT FROM root_refresh WHERE run_id = :run_id AND roots_id = :roots_id)"


@dataclass(frozen=True, kw_only=True)
class NewRoots:
    """A version to make: its name, what it is made from, and the version that it corrects (None: the segments)."""

    name: str
    source: str
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class RootsRecord:
    """A version: how many segments it maps, and how many synapses it assigns by their own points."""

    roots_id: int
    name: str
    parent: str | None
    source: str
    created_at: datetime
    segments: int
    reassigned: int


def roots_versions(database: Database) -> list[RootsRecord]:
    """All versions, the oldest first; the first is the segments as they are."""
    with database.begin() as connection:
        return [RootsRecord(**row._mapping) for row in connection.execute(text(VERSIONS))]


def find_roots(database: Database, name: str | None) -> int:
    """The number of a version; None: of the segments as they are.

    Raises:
        RootsNotFoundError: there is none of this name.
    """
    if name is None:
        return 0
    with database.begin() as connection:
        found = connection.scalar(text("SELECT roots_id FROM roots WHERE name = :name"), {"name": name})
        if found is None:
            names = ", ".join(connection.scalars(text("SELECT name FROM roots ORDER BY roots_id DESC LIMIT 10")))
            raise RootsNotFoundError(f"no version of roots is named '{name}': the database has {names}")
    return int(found)


def make_version(database: Database, new: NewRoots, batches: Batches) -> dict[str, int]:
    """Make a version of segments and their roots; the edges of all finished runs follow.

    Args:
        database: where to write.
        new: the version.
        batches: segment_id and root_id, int64 each.

    Returns:
        The number of edges of each finished run, by its name.

    Raises:
        RootsNotFoundError: no such parent. RootsConflictError: a version of this name exists.
        TableError: a segment is named twice.
    """
    parent = find_roots(database, new.parent)
    with database.begin() as connection:
        roots_id = create_roots(connection, new.name, source=new.source, parent=parent)
        for batch in batches:
            write_roots(connection, roots_id, batch["segment_id"], batch["root_id"])
        return _refresh_all(connection, roots_id)


def make_split_version(database: Database, new: NewRoots, run_id: int, batches: Batches) -> int:
    """Make a version in which some synapses of a run have roots of their own.

    Args:
        database: where to write.
        new: the version.
        run_id: the run of the synapses.
        batches: cleft_id, number, pre_root_id, post_root_id.

    Returns:
        The number of the run's edges.

    Raises:
        RootsNotFoundError: no such parent. RootsConflictError: a version of this name exists.
    """
    parent = find_roots(database, new.parent)
    with database.begin() as connection:
        roots_id = create_roots(connection, new.name, source=new.source, parent=parent)
        connection.execute(
            text("DELETE FROM synapse_root WHERE run_id = :run_id AND roots_id = :roots_id"),
            {"run_id": run_id, "roots_id": roots_id},
        )
        for batch in batches:
            write_overrides(connection, run_id, roots_id, batch)
        names = dict(connection.execute(text(FINISHED)).tuples().all())
        return _refresh_all(connection, roots_id)[names[run_id]]


def ensure_edges(database: Database, run_id: int, roots_id: int) -> None:
    """Make the edges of a run for a version unless they are there, as for a run that was finished after it.

    Raises:
        DatabaseError: they aren't there and the user may not write.
    """
    key = {"run_id": run_id, "roots_id": roots_id}
    with database.begin() as connection:
        if not connection.scalar(text(IS_FRESH), key):
            refresh_root_edges(connection, run_id, roots_id)


def _refresh_all(connection: Connection, roots_id: int) -> dict[str, int]:
    runs = connection.execute(text(FINISHED)).tuples().all()
    return {name: refresh_root_edges(connection, run_id, roots_id) for run_id, name in runs}
