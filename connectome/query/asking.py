"""From a filter to the run and roots that it means, and from a query to its rows as Arrow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import SupportsIndex

from connectome.errors import SegmentIdError
from connectome.records import LARGEST_ID
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.proofreading.root_versions import ensure_edges, find_roots
from connectome.store.proofreading.roots import SEGMENTS
from connectome.store.queries.scope import Scope
from connectome.store.queries.streaming import Query, stream_query
from connectome.store.runs.finished import finished_run_id
from connectome.tables.results import Table, TableReceiver

Neurons = SupportsIndex | Iterable[SupportsIndex]


def find_scope(database: Database, where: Filter) -> Scope:
    """The run and the roots that a filter means.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, none at all, or it isn't finished.
        RootsError: no such version of the roots, or of another data set than the run.
    """
    run_id = finished_run_id(database, where.run)
    roots_id = find_roots(database, where.roots, run_id)
    if roots_id != SEGMENTS:
        ensure_edges(database, run_id, roots_id)
    return Scope(run_id=run_id, roots_id=roots_id, filter=where)


def ask(database: Database, query: Query, timeout_s: float) -> Table:
    """The rows of a query.

    Raises:
        QueryError: it took longer than `timeout_s`. DatabaseError: unreachable.
    """
    receiver = TableReceiver()
    stream_query(database, query, receiver, timeout_s=timeout_s)
    return receiver.table()


def neuron_ids(neurons: Neurons) -> list[int]:
    """The ids of one neuron or several: whole numbers of any library.

    Raises:
        SegmentIdError: one is less than 1, or 2^63 or more.
    """
    given = list(neurons) if isinstance(neurons, Iterable) else [neurons]
    ids = [value.__index__() for value in given]
    for value in ids:
        if not 0 < value <= LARGEST_ID:
            raise SegmentIdError(f"{value} is no neuron's id: ids go from 1 to 2^63 - 1")
    return ids
