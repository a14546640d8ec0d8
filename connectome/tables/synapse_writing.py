"""Writing synapses and edges in somebody's columns, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from connectome.tables.column_sets import COLUMN_SETS, EDGE_NAMES, EDGE_TYPES, ColumnSet
from connectome.tables.fields import FieldKind, write_values
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.positions import UnitNm, axis_of
from connectome.tables.synapse_reading import AXES
from connectome.tables.writing import BatchWriter, write_batches


@dataclass(frozen=True, kw_only=True)
class TableTarget:
    """A table file to write.

    Attributes:
        path: the file; it is replaced once the new one is whole.
        kind: CSV, Feather or Parquet.
        columns: whose columns it gets.
        unit_nm: nm a unit of its positions (z, y, x).
    """

    path: Path
    kind: FileKind
    columns: Columns
    unit_nm: UnitNm = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class _SynapseWriter:
    writer: BatchWriter
    column_set: ColumnSet
    schema: pa.Schema
    unit_nm: UnitNm

    def write_batch(self, batch: pa.RecordBatch) -> None:
        columns = []
        for spec in self.column_set.fields:
            unit = self.unit_nm[AXES[axis_of(spec)]] if spec.kind is FieldKind.POSITION else 1.0
            columns.append(write_values(spec, batch[spec.ours], unit))
        self.writer.write_batch(pa.record_batch(columns, schema=self.schema))


@dataclass(frozen=True)
class _EdgeWriter:
    writer: BatchWriter
    names: dict[str, str]
    schema: pa.Schema

    def write_batch(self, batch: pa.RecordBatch) -> None:
        columns = [batch[ours].cast(kind) for ours, kind in zip(self.names, self.schema.types, strict=True)]
        self.writer.write_batch(pa.record_batch(columns, schema=self.schema))


@contextmanager
def write_synapses(target: TableTarget) -> Iterator[BatchWriter]:
    """A writer that takes batches of SYNAPSE_SCHEMA (see `neuprint` for its two tables).

    Raises:
        StorageError: disk full, no such folder, no permission.
    """
    column_set = COLUMN_SETS[target.columns]
    schema = pa.schema([pa.field(spec.names[0], spec.written_type) for spec in column_set.fields])
    with write_batches(target.path, target.kind, schema) as writer:
        yield _SynapseWriter(writer, column_set, schema, target.unit_nm)


@contextmanager
def write_edges(target: TableTarget) -> Iterator[BatchWriter]:
    """A writer that takes batches of edges: those of the query `edges`.

    Raises:
        StorageError: disk full, no such folder, no permission.
    """
    names = EDGE_NAMES[target.columns]
    schema = pa.schema([pa.field(name, EDGE_TYPES[ours]) for ours, name in names.items()])
    with write_batches(target.path, target.kind, schema) as writer:
        yield _EdgeWriter(writer, names, schema)
