"""Tables of neurons: which root each segment belongs to, and what is said of each neuron."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import TableError
from connectome.tables.fields import read_ids
from connectome.tables.reading import column_names, read_batches

SEGMENT_COLUMNS = ("segment_id", "supervoxel_id", "pt_supervoxel_id")
ROOT_COLUMNS = ("root_id", "pt_root_id")
NEURON_COLUMNS = ("neuron_id", "root_id", "pt_root_id", "segment_id", "bodyId", "body")


@dataclass(frozen=True, kw_only=True)
class AnnotationTable:
    """A table with a row a neuron and a column a label.

    Attributes:
        path: the file.
        id_column: the neurons' ids; None: the first of NEURON_COLUMNS that it has.
        labels: which columns, and the label that each becomes; empty: all others, by their names.
    """

    path: Path
    id_column: str | None = None
    labels: Mapping[str, str] | None = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The annotations: neuron_id int64, label and value text; empty values are left out.

        Raises:
            TableError, SegmentIdError: the file can't be read, lacks a column, or an id isn't a neuron's.
        """
        names = column_names(self.path)
        id_column = self.id_column or _first(self.path, names, NEURON_COLUMNS)
        labels = dict(self.labels) if self.labels else {name: name for name in names if name != id_column}
        missing = [name for name in (id_column, *labels) if name not in names]
        if missing:
            raise TableError(f"{self.path} has no column {missing[0]}: its columns are {', '.join(names[:20])}")
        if not all(label.strip() for label in labels.values()):
            raise TableError(f"{self.path} has a column without a name: choose the columns with --label COLUMN=LABEL")
        types = {name: pa.uint64() if name == id_column else pa.string() for name in (id_column, *labels)}
        for batch in read_batches(self.path, types, types):
            ids = _neuron_ids(batch[id_column], f"{self.path}: column {id_column}")
            for name, label in labels.items():
                yield self._of_label(ids, batch[name], label)

    def _of_label(self, ids: pa.Array, column: pa.Array, label: str) -> pa.RecordBatch:
        if pa.types.is_nested(column.type):
            raise TableError(f"{self.path}: column {label} holds {column.type}, where a label has one value")
        values = column.cast(pa.string())
        kept = pc.and_(pc.is_valid(values), pc.not_equal(values, ""))
        found = pa.record_batch({"neuron_id": ids, "value": values}).filter(pc.fill_null(kept, False))
        labels = pa.repeat(label, found.num_rows)
        return pa.record_batch([found["neuron_id"], labels, found["value"]], names=["neuron_id", "label", "value"])


def read_roots(path: Path) -> Iterator[pa.RecordBatch]:
    """The roots of segments: segment_id and root_id, int64.

    Raises:
        TableError, SegmentIdError: the file can't be read, lacks a column, or an id is missing or too large.
    """
    names = column_names(path)
    columns = (_first(path, names, SEGMENT_COLUMNS), _first(path, names, ROOT_COLUMNS))
    for batch in read_batches(path, columns, dict.fromkeys(columns, pa.uint64())):
        ids = [_neuron_ids(batch[name], f"{path}: column {name}") for name in columns]
        yield pa.record_batch(ids, names=["segment_id", "root_id"])


def _first(path: Path, names: Sequence[str], wanted: Sequence[str]) -> str:
    found = next((name for name in wanted if name in names), None)
    if found is None:
        raise TableError(f"{path} has no column {' or '.join(wanted)}: its columns are {', '.join(names[:20])}")
    return found


def _neuron_ids(column: pa.Array, where: str) -> pa.Array:
    ids = read_ids(column, where)
    if ids.null_count or (len(ids) and pc.min(ids).as_py() < 1):
        raise TableError(f"{where} lacks an id in some row: ids are 1 or more")
    return ids
