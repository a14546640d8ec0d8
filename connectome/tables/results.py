"""Query results as Arrow: CSV lines become batches as they arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv

Table = pa.Table
RecordBatch = pa.RecordBatch
FLUSH_BYTES = 8 * 2**20
TYPES = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "text": pa.string(),
}


class BatchReceiver:
    """Parses CSV lines (see `connectome.store.queries.streaming.Receiver`) into batches and hands each on.

    The lines lie in Arrow's memory: its threads let go of what they parse some time after the batch is there, and where
    that is a Python object they need the interpreter, and abort the process if it is just ending.

    Attributes:
        schema: known once the result has begun.
        rows: how many were handed on.
    """

    def __init__(self, on_batch: Callable[[pa.RecordBatch], object]) -> None:
        """Hand every batch to `on_batch`."""
        self.schema = pa.schema([])
        self.rows = 0
        self._on_batch = on_batch
        self._lines = pa.BufferOutputStream()

    def begin(self, columns: Sequence[tuple[str, str]]) -> None:
        """Learn the columns: their names, and their types as PostgreSQL calls them."""
        self.schema = pa.schema([pa.field(name, TYPES[kind]) for name, kind in columns])

    def write(self, lines: bytes) -> None:
        """Take whole lines."""
        self._lines.write(lines)
        if self._lines.tell() >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand on what was taken so far; call it once more at the end."""
        if self._lines.tell() == 0:
            return
        lines, self._lines = self._lines.getvalue(), pa.BufferOutputStream()
        table = csv.read_csv(
            pa.BufferReader(lines),
            read_options=csv.ReadOptions(column_names=self.schema.names, block_size=2 * FLUSH_BYTES),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=self.schema,
                null_values=[""],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        self.rows += table.num_rows
        for batch in table.to_batches():
            self._on_batch(batch)


class TableReceiver(BatchReceiver):
    """Gathers a whole result."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._batches: list[pa.RecordBatch] = []
        super().__init__(self._batches.append)

    def table(self) -> pa.Table:
        """The result; call it once all lines were taken."""
        self.flush()
        return pa.Table.from_batches(self._batches, schema=self.schema)


def python_rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """The rows as Python values; 32-bit floats as the shortest number that they stand for."""
    columns = []
    for column in table.columns:
        if pa.types.is_float32(column.type):
            column = column.cast(pa.string()).cast(pa.float64())
        columns.append(column.to_pylist())
    return zip(*columns, strict=True)
