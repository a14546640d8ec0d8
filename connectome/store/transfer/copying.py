"""Bulk writes: arrays go to PostgreSQL as binary COPY, streamed, without a Python loop over rows or cells.

In PostgreSQL's binary format a row is the number of its fields, then the size and the bytes of each; the size of NULL
is -1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import REAL, BigInteger, Boolean, Connection, Double, Integer, SmallInteger, Table, Text

from connectome.errors import SegmentIdError
from connectome.store.schema.base import partition
from connectome.store.schema.tables import METADATA

ROWS_A_CHUNK = 50_000
READ_BYTES = 1 << 20
BINARY_DTYPES: dict[type, str] = {
    BigInteger: ">i8",
    Integer: ">i4",
    SmallInteger: ">i2",
    REAL: ">f4",
    Double: ">f8",
    Boolean: "?",
}
Columns = Mapping[str, ArrayLike | Sequence[Any]]
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


def copy_columns(
    connection: Connection, table: str, columns: Columns, *, into: str | None = None, freeze: bool = False
) -> int:
    """Append rows to a table.

    Rows of one run (`run_id` is a scalar) go straight into the run's partition: no routing, no lock on the parent.

    Args:
        connection: inside a transaction (see `Database.begin`).
        table: one of the project's tables.
        columns: arrays or sequences of one length, one row a position; a scalar is the same in every row. Values must
            fit the columns' types. NULL is what a masked array masks, and None among objects.
        into: write into this table instead, which has the same columns.
        freeze: rows need no later vacuum; only into a table that this transaction made.

    Returns:
        The number of rows.

    Raises:
        SegmentIdError: an unsigned id of 2^63 or more. ValueError: lengths differ, or a value doesn't fit its column.
    """
    if not columns:
        return 0
    described = METADATA.tables[table]
    encoded = {name: _encoded(described, name, values) for name, values in columns.items()}
    lengths = {name: len(column.values) for name, column in encoded.items() if column.values.ndim == 1}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of different lengths for table {table}: {lengths}")
    count = next(iter(lengths.values()), 1)
    spread = [column.spread(count) for column in encoded.values()]
    names = ", ".join(f'"{name}"' for name in encoded)
    options = "FORMAT binary, FREEZE" if freeze else "FORMAT binary"
    cursor = connection.connection.cursor()
    cursor.copy_expert(
        f'COPY "{into or _target(described, columns)}" ({names}) FROM STDIN ({options})',
        _Stream(_chunks(spread, count)),
        READ_BYTES,
    )
    return count


def merge_columns(connection: Connection, table: str, columns: Columns) -> int:
    """Insert rows through a staging table; rows whose primary key is there already are replaced.

    Args and errors are those of `copy_columns`; no key may come twice.

    Returns:
        The number of rows.
    """
    described = METADATA.tables[table]
    staged = f"staged_{table}"
    names = [f'"{name}"' for name in columns]
    keys = [f'"{column.name}"' for column in described.primary_key]
    changed = [name for name in names if name not in keys]
    listed = ", ".join(names)
    connection.exec_driver_sql(
        f'CREATE TEMP TABLE "{staged}" ON COMMIT DROP AS SELECT {listed} FROM "{table}" WHERE false'
    )
    count = copy_columns(connection, table, columns, into=staged)
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in changed)
    action = f"DO UPDATE SET {updates}" if changed else "DO NOTHING"
    connection.exec_driver_sql(
        f'INSERT INTO "{table}" ({listed}) SELECT {listed} FROM "{staged}" ON CONFLICT ({", ".join(keys)}) {action}'
    )
    connection.exec_driver_sql(f'DROP TABLE "{staged}"')
    return count


def _target(table: Table, columns: Columns) -> str:
    """The partition of the rows' run, or the table itself."""
    run_id = columns.get("run_id")
    if table.dialect_options["postgresql"]["partition_by"] is None or run_id is None or np.ndim(run_id) != 0:
        return table.name
    return partition(table.name, int(np.asarray(run_id)))


def _encoded(table: Table, name: str, values: ArrayLike | Sequence[Any]) -> Column:
    """The values in the big-endian type of their column, or as bytes for text.

    Raises:
        SegmentIdError: an unsigned id of 2^63 or more. ValueError: another value that doesn't fit.
    """
    array, null = _nulls(values)
    kind = table.columns[name].type
    if isinstance(kind, Text):
        return Column(np.char.encode(array.astype(np.str_), "utf-8"), null)
    dtype = next(np.dtype(code) for base, code in BINARY_DTYPES.items() if type(kind) is base)
    if array.dtype == object:
        array = np.array(array.tolist())
    if dtype.kind == "i" and array.size:
        _check_integers(table, name, array, dtype)
    return Column(array.astype(dtype), null)


def _nulls(values: ArrayLike | Sequence[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The values with something in the place of NULLs, and where those are; None without any."""
    if isinstance(values, np.ma.MaskedArray):
        null = np.ma.getmaskarray(values)
        filler = "" if values.dtype.kind in "UO" else 0
        return (values.filled(filler), null) if null.any() else (values.data, None)
    array = np.asarray(values)
    if array.dtype != object:
        return array, None
    missing: NDArray[np.bool_] = np.equal(array, np.array(None, object)).astype(np.bool_)
    if not missing.any():
        return array, None
    present = array[~missing] if array.ndim else array
    filler = "" if present.size and isinstance(present.flat[0], str) else 0
    return np.where(missing, filler, array), missing


def _check_integers(table: Table, name: str, array: NDArray[Any], dtype: np.dtype[Any]) -> None:
    if array.dtype.kind not in "iu":
        raise ValueError(f"{table.name}.{name} takes integers, not {array.dtype}")
    largest, smallest, limits = array.max(), array.min(), np.iinfo(dtype)
    if dtype.itemsize == 8 and largest > limits.max:
        raise SegmentIdError(
            f"id {largest} doesn't fit {table.name}.{name}: PostgreSQL's ids go up to 2^63 - 1; relabel the "
            "segmentation"
        )
    if largest > limits.max or smallest < limits.min:
        raise ValueError(f"{table.name}.{name} can't hold {largest if largest > limits.max else smallest}")


def _chunks(columns: list[Column], count: int) -> Iterator[bytes]:
    yield HEADER
    for start in range(0, count, ROWS_A_CHUNK):
        yield binary_rows([column.part(start, start + ROWS_A_CHUNK) for column in columns])
    yield TRAILER


class _Stream:
    """A file to read from, made of chunks as they are needed."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        part, self._rest = self._rest[:size], self._rest[size:]
        return bytes(part)


@dataclass(frozen=True)
class Column:
    """Encoded values of one column, or one value for all rows.

    Attributes:
        values: big-endian numbers, or bytes ("S") for text.
        null: where NULL goes, whatever the value is there; None: nowhere.
    """

    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None

    def spread(self, count: int) -> Column:
        """The column with one value a row."""
        null = None if self.null is None else np.broadcast_to(self.null, (count,))
        return Column(np.broadcast_to(self.values, (count,)), null)

    def part(self, start: int, stop: int) -> Column:
        """Some of the rows."""
        return Column(self.values[start:stop], None if self.null is None else self.null[start:stop])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """int64 (n,): the bytes of each value, -1 for NULL."""
        if self.values.dtype.kind == "S":
            sizes = np.char.str_len(self.values).astype(np.int64)
        else:
            sizes = np.full(len(self.values), self.values.dtype.itemsize, np.int64)
        return sizes if self.null is None else np.where(self.null, -1, sizes)


def binary_rows(columns: list[Column]) -> bytes:
    """The rows without header and trailer."""
    if len(columns[0].values) == 0:
        return b""
    sizes = [column.sizes for column in columns]
    if all((size == size[0]).all() for size in sizes):
        return _regular(columns, [int(size[0]) for size in sizes])
    return _ragged(columns, sizes)


def _regular(columns: list[Column], sizes: list[int]) -> bytes:
    """Rows of one layout."""
    fields: list[tuple[str, Any]] = [("fields", ">i2")]
    for i, (column, size) in enumerate(zip(columns, sizes, strict=True)):
        fields.append((f"size{i}", ">i4"))
        if size > 0:
            fields.append((f"value{i}", f"S{size}" if column.values.dtype.kind == "S" else column.values.dtype))
    rows = np.empty(len(columns[0].values), np.dtype(fields))
    rows["fields"] = len(columns)
    for i, (column, size) in enumerate(zip(columns, sizes, strict=True)):
        rows[f"size{i}"] = size
        if size > 0:
            rows[f"value{i}"] = column.values
    return rows.tobytes()


def _ragged(columns: list[Column], sizes: list[NDArray[np.int64]]) -> bytes:
    """Rows of different layouts: every field is written at its own place in the bytes of all rows."""
    lengths = 2 + 4 * len(columns) + sum(np.maximum(size, 0) for size in sizes)
    stops = np.cumsum(lengths)
    place = stops - lengths
    rows = np.empty(int(stops[-1]), np.uint8)
    _put(rows, place, np.broadcast_to(np.array(len(columns), ">i2"), place.shape))
    place = place + 2
    for column, size in zip(columns, sizes, strict=True):
        _put(rows, place, size.astype(">i4"))
        place = place + 4
        filled = np.maximum(size, 0)
        raw = _bytes_of(column.values)
        inside = np.arange(int(filled.sum())) - np.repeat(np.cumsum(filled) - filled, filled)
        row = np.repeat(np.arange(len(filled)), filled)
        rows[place[row] + inside] = raw[row, inside]
        place = place + filled
    return rows.tobytes()


def _put(rows: NDArray[np.uint8], place: NDArray[np.int64], values: NDArray[Any]) -> None:
    """Write fixed-size values at byte positions."""
    raw = _bytes_of(values)
    rows[place[:, None] + np.arange(raw.shape[1])] = raw


def _bytes_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    """uint8 (n, bytes a value)."""
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)
