"""Whole versions of roots, each made in one transaction, and what there is of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from connectome.errors import DatabaseError, TableError
from connectome.store.database import Database
from connectome.store.findings.edges import lock_root_edges, refresh_root_edges
from connectome.store.proofreading.roots import (
    SEGMENTS,
    SynapseRoots,
    create_roots,
    get_roots,
    inherit,
    write_synapse_roots,
)
from connectome.store.repeated_keys import repeated_key
from connectome.store.transfer.copying import copy_columns

Batches = Iterable[Mapping[str, NDArray[Any]]]
FINISHED = "SELECT run_id, name FROM run WHERE state = 'finished' ORDER BY run_id"
MAY_WRITE = (
    "SELECT has_table_privilege('root_edge', 'INSERT') AND NOT current_setting('transaction_read_only')::boolean"
)
IS_FRESH = "SELECT EXISTS (SELECT FROM root_refresh WHERE run_id = :run_id AND roots_id = :roots_id)"


@dataclass(frozen=True, kw_only=True)
class NewRoots:
    """A version to make: its name, what it is made from, and the version that it corrects (None: the segments)."""

    name: str
    source: str
    parent: str | None = None


def find_roots(database: Database, name: str | None) -> int:
    """The number of a version; None: of the segments as they are.

    Raises:
        RootsError: there is none of this name.
    """
    return SEGMENTS if name is None else get_roots(database, name).roots_id


def make_version(database: Database, new: NewRoots, batches: Batches) -> dict[str, int]:
    """Make a version of segments and their roots; the edges of all finished runs follow.

    Args:
        database: where to write.
        new: the version.
        batches: segment_id and root_id, int64 each.

    Returns:
        The number of edges of each finished run, by its name.

    Raises:
        RootsError: no such parent, or a version of this name exists.
        TableError: a segment is named twice.
    """
    parent = None if new.parent is None else get_roots(database, new.parent)
    try:
        with database.begin() as connection:
            roots_id = create_roots(connection, new.name, new.source)
            for batch in batches:
                copy_columns(connection, "root", {"roots_id": np.int64(roots_id), **batch})
            if parent is not None:  # after the table, so that a segment that it names twice is noticed
                inherit(connection, roots_id, parent)
            connection.execute(text("ANALYZE root"))
            return _refresh_all(connection, roots_id)
    except DatabaseError as error:
        segment = repeated_key(error, "segment_id")
        if segment is None:
            raise
        raise TableError(f"{new.source} names segment {segment} twice: a segment has one root") from error


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
    parent = None if new.parent is None else get_roots(database, new.parent)
    with database.begin() as connection:
        roots_id = create_roots(connection, new.name, new.source)
        if parent is not None:
            inherit(connection, roots_id, parent)
        connection.execute(
            text("DELETE FROM synapse_root WHERE run_id = :run_id AND roots_id = :roots_id"),
            {"run_id": run_id, "roots_id": roots_id},
        )
        for batch in batches:
            write_synapse_roots(connection, roots_id, run_id, SynapseRoots(**batch))
        name = connection.scalar(text("SELECT name FROM run WHERE run_id = :run_id"), {"run_id": run_id})
        return _refresh_all(connection, roots_id)[str(name)]


def refresh_all_roots(connection: Connection, run_id: int) -> None:
    """Make the edges of a run for all versions, as it is finished: who only reads can't make them later."""
    for roots_id in connection.scalars(text("SELECT roots_id FROM roots WHERE roots_id <> 0 ORDER BY roots_id")).all():
        refresh_root_edges(connection, run_id, roots_id)


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
                "the edges of this run between these roots aren't made yet, and this login only reads: the database's "
                "owner makes them with connectome query edges --run RUN --roots VERSION"
            )
        lock_root_edges(connection, run_id, roots_id)
        if not connection.scalar(text(IS_FRESH), key):  # another session may have made them meanwhile
            refresh_root_edges(connection, run_id, roots_id)


def _refresh_all(connection: Connection, roots_id: int) -> dict[str, int]:
    runs = connection.execute(text(FINISHED)).all()
    return {name: refresh_root_edges(connection, run_id, roots_id) for run_id, name in runs}
