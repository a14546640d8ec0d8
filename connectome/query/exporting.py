"""Runs to tables: synapses and edges streamed from the database into files, in the columns people know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from connectome.errors import ConfigError
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.queries.library import ready_query
from connectome.store.queries.scope import SEGMENTS, find_scope
from connectome.store.queries.streaming import stream_query
from connectome.tables.column_sets import SYNAPSE_SCHEMA
from connectome.tables.kinds import Columns
from connectome.tables.neuprint import write_neuprint
from connectome.tables.results import BatchReceiver
from connectome.tables.synapse_writing import TableTarget, write_edges, write_synapses

Tell = Callable[[str], object]
PARTNERS = {f"{side}_segment_id": f"{side}_id AS {side}_segment_id" for side in ("pre", "post")}
# with roots as partners, the segments would be lost: they are what later proofreading moves
KEPT_SEGMENTS = {
    f"{side}_supervoxel_id": f"coalesce({side}_supervoxel_id, {side}_segment_id) AS {side}_supervoxel_id"
    for side in ("pre", "post")
}


def export_synapses(
    database: Database,
    target: TableTarget,
    where: Filter,
    tell: Tell = lambda notice: None,
    *,
    partners: Path | None = None,
) -> int:
    """Write synapses, ordered by cleft; returns how many.

    Args:
        database: where the run is.
        target: the file, its kind, its columns and the unit of its positions; neuPrint's points.
        where: which run and roots, which synapses, which edges; with roots, these are the partners that are written.
        tell: is told which run answers where the filter names none.
        partners: where neuPrint's second table goes.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        ConfigError: neuPrint's second file is missing, or not neuPrint's columns are asked for.
        TableError: these columns can't hold the run. StorageError: a file can't be written.
    """
    if (target.columns is Columns.NEUPRINT) != (partners is not None):
        raise ConfigError("neuPrint's columns are two tables, and only those", about="partners")
    scope = find_scope(database, where, tell)
    spelled = PARTNERS if scope.roots_id == SEGMENTS else PARTNERS | KEPT_SEGMENTS
    columns = ", ".join(spelled.get(name, name) for name in SYNAPSE_SCHEMA.names)
    query = scope.query(f"SELECT {columns} FROM synapses ORDER BY cleft_id, number")
    opened = (
        write_synapses(target)
        if partners is None
        else write_neuprint(target.path, partners, target.kind, target.unit_nm)
    )
    with opened as writer:
        receiver = BatchReceiver(lambda batch: writer.write_batch(batch.cast(SYNAPSE_SCHEMA)))
        stream_query(database, query, receiver)
        receiver.flush()
    return receiver.rows


def export_edges(database: Database, target: TableTarget, where: Filter, tell: Tell = lambda notice: None) -> int:
    """Write edges, ordered by their neurons; returns how many.

    `tell` is told which run answers where the filter names none.

    Raises:
        RunNotFoundError, IncompleteRunError, RootsError: no such run or roots, or it isn't finished.
        StorageError: the file can't be written.
    """
    query = ready_query("edges").asked(find_scope(database, where, tell))
    with write_edges(target) as writer:
        receiver = BatchReceiver(writer.write_batch)
        stream_query(database, query, receiver)
        receiver.flush()
    return receiver.rows
