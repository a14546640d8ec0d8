"""Proofreading's tables: versions of roots, and annotations of neurons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from connectome.errors import TableError
from connectome.store.database import Database
from connectome.store.proofreading.annotations import write_annotations
from connectome.store.proofreading.root_versions import NewRoots, find_roots, make_version
from connectome.tables.arrays import numpy_column
from connectome.tables.neuron_tables import AnnotationTable, read_roots


def import_roots(database: Database, path: Path, name: str, parent: str | None = None) -> dict[str, int]:
    """Make a version of roots of a table with segment_id and root_id.

    A segment without a row is its own root, or has the root that it has in `parent`. The edges of all finished runs
    follow in the same transaction; synapses stay as they are.

    Returns:
        The number of edges between roots of each finished run, by its name.

    Raises:
        TableError, SegmentIdError: the file can't be read, lacks a column, names a segment twice, or an id is wrong.
        RootsError: no such parent, or a version of this name exists.
    """
    new = NewRoots(name=name, source=str(path.absolute()), parent=parent)
    return make_version(database, new, _columns(path))


def import_annotations(database: Database, table: AnnotationTable, roots: str | None = None) -> dict[str, int]:
    """Write what a table says of neurons; what was said under the same label is replaced.

    Args:
        database: where to write.
        table: a row a neuron, a column a label.
        roots: the version that its ids belong to; None: they are segments.

    Returns:
        How many neurons got each label.

    Raises:
        TableError, SegmentIdError: the file can't be read, lacks a column, or an id is wrong.
        RootsError: no such version.
    """
    roots_id = find_roots(database, roots)
    batches = (
        {name: batch[name].to_numpy(zero_copy_only=False) for name in batch.schema.names} for batch in table.batches()
    )
    counts = write_annotations(database, roots_id, batches)
    if not counts:
        raise TableError(f"{table.path} says nothing of any neuron: nothing was imported")
    return counts


def _columns(path: Path) -> Iterator[dict[str, NDArray[Any]]]:
    for batch in read_roots(path):
        yield {name: numpy_column(batch[name]) for name in batch.schema.names}
