"""Proofreading's tables: versions of roots, and annotations of neurons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from connectome.errors import TableError
from connectome.store.database import Database
from connectome.store.proofreading.annotations import neuron_names, write_annotations
from connectome.store.proofreading.data_sets import DataSet, choose_data_set
from connectome.store.proofreading.root_versions import NewRoots, make_version
from connectome.store.proofreading.roots import Chains, require_data_set
from connectome.store.queries.scope import SEGMENTS
from connectome.tables.arrays import numpy_column
from connectome.tables.neuron_tables import AnnotationTable, RootTable


@dataclass(frozen=True, kw_only=True)
class RootsReport:
    """The report of an import of roots.

    Attributes:
        supervoxels: whether its ids are supervoxels.
        ids: how many ids it names.
        found: how many of them the finished runs of the data set hold.
        joined: how many rows of chains were taken to their end.
        without_root: rows left out, as an id is missing or 0.
        edges: the number of edges between roots of each finished run, by its name.
    """

    version: str
    data_set: str
    supervoxels: bool
    ids: int
    found: int
    joined: int
    without_root: int
    edges: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class AnnotationReport:
    """The report of an import of annotations.

    Attributes:
        labels: how many neurons got each label.
        in_runs: how many of the neurons the finished runs of the data set hold.
        without_id, retired: rows left out, as their id is missing or 0, or as the table marks them as not valid.
        ambiguous: neurons of which the table says several things, once a label each.
    """

    data_set: str
    labels: dict[str, int]
    in_runs: int
    without_id: int
    retired: int
    ambiguous: int


def import_roots(
    database: Database,
    table: Path | RootTable,
    name: str,
    parent: str | None = None,
    *,
    data_set: DataSet | None = None,
    chains: Chains = Chains.REFUSE,
) -> RootsReport:
    """Make a version of roots of a table with segment_id or supervoxel_id, and root_id.

    What the table doesn't name is its own root, or has the root that it has in `parent`. The edges of all finished runs
    of the data set (None: the oldest) follow in the same transaction; synapses stay as they are.

    Raises:
        TableError, SegmentIdError: the file can't be read, lacks a column, names an id twice, an id is wrong, or roots
            form a chain that is refused.
        RootsError: no such parent, or a version of this name exists.
    """
    table = table if isinstance(table, RootTable) else RootTable(path=table)
    chosen = data_set or choose_data_set(database)
    new = NewRoots(name=name, source=str(table.path.absolute()), data_set_id=chosen.data_set_id, parent=parent)
    made = make_version(database, new, _columns(table), supervoxels=table.supervoxels, chains=chains)
    return RootsReport(
        version=name,
        data_set=chosen.name,
        supervoxels=table.supervoxels,
        ids=made.ids,
        found=made.found,
        joined=made.joined,
        without_root=table.without_root,
        edges=made.edges,
    )


def import_annotations(
    database: Database, table: AnnotationTable, roots: str | None = None, *, data_set: DataSet | None = None
) -> AnnotationReport:
    """Write what a table says of neurons; what was said under the same label is replaced.

    Args:
        database: where to write.
        table: a row a neuron, a column a label.
        roots: the version that its ids belong to; None: they are segments.
        data_set: what the ids belong to; None: the oldest.

    Raises:
        TableError, SegmentIdError: the file can't be read, lacks a column, or an id is wrong.
        RootsError: no such version, or of another data set.
    """
    chosen = data_set or choose_data_set(database)
    roots_id = SEGMENTS if roots is None else require_data_set(database, roots, chosen.data_set_id).roots_id
    table = replace(table, names=neuron_names(database, chosen.data_set_id, roots_id))
    batches = (
        {name: batch[name].to_numpy(zero_copy_only=False) for name in batch.schema.names} for batch in table.batches()
    )
    written = write_annotations(database, chosen.data_set_id, roots_id, batches)
    if not written.labels:
        raise TableError(f"{table.path} says nothing of any neuron: nothing was imported")
    return AnnotationReport(
        data_set=chosen.name,
        labels=written.labels,
        in_runs=written.in_runs,
        without_id=table.without_id,
        retired=table.retired,
        ambiguous=table.ambiguous,
    )


def _columns(table: RootTable) -> Iterator[dict[str, NDArray[Any]]]:
    for batch in table.batches():
        yield {name: numpy_column(batch[name]) for name in batch.schema.names}
