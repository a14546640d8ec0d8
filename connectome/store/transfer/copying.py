"""Bulk writes: arrays go to PostgreSQL as binary COPY, streamed, without a Python loop over rows or cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import REAL, BigInteger, Boolean, Connection, Double, Integer, SmallInteger, Table, Text

from connectome.errors import SegmentIdError
from connectome.store.schema.base import partition
from connectome.store.schema.tables import METADATA
from connectome.store.transfer.binary_rows import HEADER, TRAILER, Column, binary_rows

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
