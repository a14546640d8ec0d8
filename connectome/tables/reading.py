"""Reading table files as batches of Arrow columns, with memory bounded by the batch."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet

from connectome.errors import TableError
from connectome.tables.kinds import FileKind, kind_of

ROWS_A_BATCH = 262_144
CSV_BLOCK_BYTES = 16 * 2**20
DELIMITERS = (",", "\t", ";", "|", " ")
CSV_CELL = (
    r"In CSV column #(?P<column>\d+): (?:Row #(?P<row>\d+): )?CSV conversion error to (?P<type>\w+): "
    r"invalid value (?P<value>.*)"
)


def column_names(path: Path) -> list[str]:
    """The names of a table's columns.

    Raises:
        TableError: there is no such file, it isn't a table, or two columns have one name.
    """
    names = _names(path)
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise TableError(f"{path} has two columns named '{twice}': rename or leave out one")
    return names


def _names(path: Path) -> list[str]:
    with reading_errors(path):
        match kind_of(path):
            case FileKind.PARQUET:
                with parquet.ParquetFile(path) as file:
                    return list(file.schema_arrow.names)
            case FileKind.FEATHER:
                with pa.memory_map(str(path)) as source:
                    return list(ipc.open_file(source).schema.names)
            case FileKind.CSV | FileKind.TSV:
                read = csv.ReadOptions(block_size=CSV_BLOCK_BYTES)
                with csv.open_csv(path, read, _parting(path)) as reader:
                    return list(reader.schema.names)


def delimiter_of(path: Path) -> str:
    """What parts the columns of a text table: the character that its first line has most of; a tab in `.tsv`.

    Raises:
        TableError: the file can't be read.
    """
    if kind_of(path) is FileKind.TSV:
        return "\t"
    line = first_line(path)
    outside = re.sub(r'"[^"]*"', "", line)
    counts = {delimiter: outside.count(delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter]) if any(counts.values()) else ","


def first_line(path: Path) -> str:
    """The first line of a text table, compressed or not, without its end.

    Raises:
        TableError: the file can't be read.
    """
    with reading_errors(path), gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        return file.readline().decode("utf-8-sig").rstrip("\r\n")


def _parting(path: Path) -> csv.ParseOptions:
    return csv.ParseOptions(delimiter=delimiter_of(path))


def read_batches(
    path: Path,
    columns: Iterable[str],
    csv_types: Mapping[str, pa.DataType],
    rows: int = ROWS_A_BATCH,
    *,
    names: Sequence[str] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of a table in their order, a batch at a time.

    Args:
        path: a CSV, Feather (version 2) or Parquet file.
        columns: the columns to read; the table has them (see `column_names`).
        csv_types: what to read the columns of a CSV file as; Feather and Parquet tell their own types.
        rows: at most so many rows a batch.
        names: of all columns of a text file whose first line is a row already.

    Raises:
        TableError: the file can't be read, or a cell of a CSV file isn't of its column's type.
    """
    wanted = list(columns)
    with reading_errors(path):
        for batch in _batches(path, wanted, csv_types, rows, names):
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)


def _batches(
    path: Path, columns: list[str], csv_types: Mapping[str, pa.DataType], rows: int, names: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    match kind_of(path):
        case FileKind.PARQUET:
            with parquet.ParquetFile(path) as file:
                yield from file.iter_batches(batch_size=rows, columns=columns)
        case FileKind.FEATHER:
            with pa.memory_map(str(path)) as source:
                reader = ipc.open_file(source)
                for number in range(reader.num_record_batches):
                    yield reader.get_batch(number).select(columns)
        case FileKind.CSV | FileKind.TSV:
            convert = csv.ConvertOptions(
                include_columns=columns,
                column_types={name: csv_types[name] for name in columns},
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            )
            read = csv.ReadOptions(
                block_size=CSV_BLOCK_BYTES,
                use_threads=False,  # Arrow names a wrong row only then
                column_names=None if names is None else list(names),
            )
            with csv.open_csv(path, read, _parting(path), convert) as reader:
                yield from reader


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Translate what Arrow and the operating system say about a table file into one line.

    Raises:
        TableError: for an error of theirs inside the block.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise TableError(f"no table at {path}: the file doesn't exist") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        cell = re.match(CSV_CELL, str(error))
        if cell is not None:
            kind = "whole number, 0 or more" if "int" in cell["type"] else cell["type"]
            place = f"{path}, row {cell['row'] or '?'}, column {column_names(path)[int(cell['column'])]}"
            raise TableError(f"{place}: {cell['value']} isn't a {kind}") from error
        raise TableError(f"{path} can't be read as a {kind_of(path)} table: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__
