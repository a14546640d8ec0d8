"""Writing table files a batch at a time; a file appears whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet

from connectome.files import whole_file
from connectome.tables.kinds import FileKind


class BatchWriter(Protocol):
    """Takes the batches of one table."""

    def write_batch(self, batch: pa.RecordBatch) -> object:
        """Append the rows of a batch."""


@contextmanager
def write_batches(path: Path, kind: FileKind, schema: pa.Schema) -> Iterator[BatchWriter]:
    """A writer for a table; the file takes its place when the block ends well.

    Feather is compressed with LZ4, Parquet with zstd; CSV has a header and quotes texts only.

    Raises:
        StorageError: disk full, no such folder, no permission.
    """
    with whole_file(path) as file, _writer(kind, file, schema) as writer:
        yield writer


def write_table(path: Path, kind: FileKind, table: pa.Table) -> None:
    """Write a whole table.

    Raises:
        StorageError: disk full, no such folder, no permission.
    """
    with write_batches(path, kind, table.schema) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch)


@contextmanager
def _writer(kind: FileKind, file: object, schema: pa.Schema) -> Iterator[BatchWriter]:
    match kind:
        case FileKind.PARQUET:
            with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                yield writer
        case FileKind.FEATHER:
            with ipc.new_file(file, schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer:
                yield writer
        case FileKind.CSV:
            with csv.CSVWriter(file, schema) as writer:
                yield writer
        case FileKind.TSV:
            with csv.CSVWriter(file, schema, write_options=csv.WriteOptions(delimiter="\t")) as writer:
                yield writer


def csv_lines(batch: pa.RecordBatch) -> bytes:
    """The rows of a batch as CSV without a header, as PostgreSQL's COPY reads it: NULL is empty."""
    lines = io.BytesIO()
    csv.write_csv(pa.Table.from_batches([batch]), lines, csv.WriteOptions(include_header=False))
    return lines.getvalue()
