"""Whole versions of roots, each made in one transaction, and what there is of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from connectome.errors import DatabaseError, TableError
from connectome.store.address import repeated_key
from connectome.store.database import Database
from connectome.store.findings.edges import apply_supervoxels, refresh_root_edges
from connectome.store.proofreading.roots import (
    Chains,
    RootsRecord,
    create_roots,
    inherit,
    join_chains,
    require_data_set,
    write_synapse_roots,
)
from connectome.store.transfer.copying import copy_columns

Batches = Iterable[Mapping[str, NDArray[Any]]]
FINISHED = "SELECT run_id, name FROM run WHERE state = 'finished' AND data_set_id = :data_set_id ORDER BY run_id"
SEGMENTS_FOUND = """
SELECT count(*) FROM (
    SELECT r.segment_id FROM root r JOIN edge e ON e.pre_segment_id = r.segment_id
    WHERE r.roots_id = :roots_id AND e.run_id = ANY(:runs)
    UNION
    SELECT r.segment_id FROM root r JOIN edge e ON e.post_segment_id = r.segment_id
    WHERE r.roots_id = :roots_id AND e.run_id = ANY(:runs)
) AS found
"""
SUPERVOXELS_FOUND = """
SELECT count(*) FROM (
    SELECT r.supervoxel_id FROM supervoxel_root r
    JOIN synapse s ON coalesce(s.pre_supervoxel_id, s.pre_segment_id) = r.supervoxel_id
    WHERE r.roots_id = :roots_id AND s.run_id = ANY(:runs)
    UNION
    SELECT r.supervoxel_id FROM supervoxel_root r
    JOIN synapse s ON coalesce(s.post_supervoxel_id, s.post_segment_id) = r.supervoxel_id
    WHERE r.roots_id = :roots_id AND s.run_id = ANY(:runs)
) AS found
"""


@dataclass(frozen=True, kw_only=True)
class NewRoots:
    """A version to make.

    Attributes:
        name: of the version.
        source: the table or volume that it is made from.
        data_set_id: the data set whose ids it holds.
        parent: the version that it corrects; None: the segments.
    """

    name: str
    source: str
    data_set_id: int
    parent: str | None = None


@dataclass(kw_only=True)
class MadeRoots:
    """The report of making a version.

    Attributes:
        ids: how many segments or supervoxels its table names.
        found: how many of them the finished runs of its data set hold.
        joined: how many rows of chains were taken to their end.
        edges: the number of edges of each finished run of its data set, by its name.
    """

    ids: int = 0
    found: int = 0
    joined: int = 0
    edges: dict[str, int] = field(default_factory=dict)


def make_version(
    database: Database, new: NewRoots, batches: Batches, *, supervoxels: bool = False, chains: Chains = Chains.REFUSE
) -> MadeRoots:
    """Make a version of segments (or supervoxels) and their roots; the edges of its data set's finished runs follow.

    Args:
        database: where to write.
        new: the version.
        batches: segment_id (or supervoxel_id) and root_id, int64 each.
        supervoxels: the table names supervoxels; a synapse without any has its segments as such.
        chains: what to do about a root that the table names as a segment of another root.

    Raises:
        RootsError: no such parent, or a version of this name exists.
        TableError: an id is named twice, or roots form a chain that is refused or has no end.
    """
    parent = _parent(database, new)
    table, key = ("supervoxel_root", "supervoxel_id") if supervoxels else ("root", "segment_id")
    made = MadeRoots()
    try:
        with database.begin() as connection:
            roots_id = create_roots(connection, new.name, new.source, new.data_set_id)
            for batch in batches:
                made.ids += copy_columns(connection, table, {"roots_id": np.int64(roots_id), **batch})
            if not made.ids:
                raise TableError(f"{new.source} names no {key.removesuffix('_id')} with a root: nothing was imported")
            connection.execute(text(f"ANALYZE {table}"))
            runs = [run_id for run_id, _ in connection.execute(text(FINISHED), {"data_set_id": new.data_set_id})]
            count = SUPERVOXELS_FOUND if supervoxels else SEGMENTS_FOUND
            made.found = connection.scalar(text(count), {"roots_id": roots_id, "runs": runs}) or 0
            if not supervoxels:
                made.joined = join_chains(connection, roots_id, parent, chains)
            if parent is not None:  # after the table, so that an id that it names twice is noticed
                inherit(connection, roots_id, parent, follow=chains is Chains.JOIN)
            connection.execute(text("ANALYZE root"))
            made.edges = _refresh_all(connection, roots_id, new.data_set_id)
            return made
    except DatabaseError as error:
        repeated = repeated_key(error, key)
        if repeated is None:
            raise
        what = key.removesuffix("_id")
        raise TableError(f"{new.source} names {what} {repeated} twice: a {what} has one root") from error


def make_split_version(database: Database, new: NewRoots, run_id: int, batches: Batches) -> int:
    """Make a version in which some synapses of a run have roots of their own.

    Args:
        database: where to write.
        new: the version.
        run_id: the run of the synapses.
        batches: cleft_id, number, pre_root_id, post_root_id; a root that follows from its segment is masked.

    Returns:
        The number of the run's edges.

    Raises:
        RootsError: no such parent, or a version of this name exists.
    """
    parent = _parent(database, new)
    with database.begin() as connection:
        roots_id = create_roots(connection, new.name, new.source, new.data_set_id)
        if parent is not None:
            inherit(connection, roots_id, parent)
        connection.execute(
            text("DELETE FROM synapse_root WHERE run_id = :run_id AND roots_id = :roots_id"),
            {"run_id": run_id, "roots_id": roots_id},
        )
        for batch in batches:
            write_synapse_roots(connection, roots_id, run_id, batch)
        name = connection.scalar(text("SELECT name FROM run WHERE run_id = :run_id"), {"run_id": run_id})
        return _refresh_all(connection, roots_id, new.data_set_id, read=run_id)[str(name)]


def _parent(database: Database, new: NewRoots) -> RootsRecord | None:
    """The parent of a version.

    Raises:
        RootsError: there is none of its name, or it belongs to another data set.
    """
    return None if new.parent is None else require_data_set(database, new.parent, new.data_set_id)


def _refresh_all(connection: Connection, roots_id: int, data_set_id: int, *, read: int | None = None) -> dict[str, int]:
    """Make the edges of all finished runs of a data set; the synapses of `read` have their roots already."""
    counts = {}
    for run_id, name in connection.execute(text(FINISHED), {"data_set_id": data_set_id}).all():
        if run_id != read:
            apply_supervoxels(connection, roots_id, run_id)
        counts[name] = refresh_root_edges(connection, run_id, roots_id)
    return counts
