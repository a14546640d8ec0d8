"""Bulk writes: arrays go to PostgreSQL as binary COPY without a Python loop over the cells."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import REAL, BigInteger, Boolean, Connection, Double, Integer, SmallInteger, Text

from connectome.errors import SegmentIdError
from connectome.store.tables import METADATA

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
ROWS_A_COPY = 500_000
BINARY_DTYPES: dict[type, str] = {
    BigInteger: ">i8",
    Integer: ">i4",
    SmallInteger: ">i2",
    REAL: ">f4",
    Double: ">f8",
    Boolean: "?",
}


def copy_columns(connection: Connection, table: str, columns: Mapping[str, ArrayLike | Sequence[Any]]) -> int:
    """Append rows to a table.

    Args:
        connection: inside a transaction (see `Database.begin`).
        table: one of the project's tables.
        columns: arrays or sequences of one length, one row a position; a scalar is the same in every row. Values must
            fit the columns' types; NULL can't be written.

    Returns:
        The number of rows.

    Raises:
        SegmentIdError: an unsigned id of 2^63 or more. ValueError: lengths differ, or a value doesn't fit its column.
    """
    if not columns:
        return 0
    arrays = {name: _encoded(table, name, np.asarray(values)) for name, values in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim == 1}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of different lengths for table {table}: {lengths}")
    count = next(iter(lengths.values()), 1)
    spread = [np.broadcast_to(array, (count,)) for array in arrays.values()]
    cursor = connection.connection.cursor()
    names = ", ".join(f'"{name}"' for name in arrays)
    for start in range(0, count, ROWS_A_COPY):
        part = [array[start : start + ROWS_A_COPY] for array in spread]
        cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN (FORMAT binary)', io.BytesIO(_binary(part)))
    return count


def _encoded(table: str, name: str, values: NDArray[Any]) -> NDArray[Any]:
    """The values in the big-endian type of their column, or as bytes for text.

    Raises:
        SegmentIdError: an unsigned id of 2^63 or more. ValueError: another value that doesn't fit.
    """
    kind = METADATA.tables[table].columns[name].type
    if isinstance(kind, Text):
        return np.char.encode(values.astype(np.str_), "utf-8")
    dtype = next(np.dtype(code) for base, code in BINARY_DTYPES.items() if type(kind) is base)
    if dtype.kind == "i" and values.size:
        if values.dtype.kind not in "iu":
            raise ValueError(f"{table}.{name} takes integers, not {values.dtype}")
        largest, smallest, limits = values.max(), values.min(), np.iinfo(dtype)
        if dtype.itemsize == 8 and largest > limits.max:
            raise SegmentIdError(
                f"id {largest} doesn't fit {table}.{name}: PostgreSQL's ids go up to 2^63 - 1; relabel the segmentation"
            )
        if largest > limits.max or smallest < limits.min:
            raise ValueError(f"{table}.{name} can't hold {largest if largest > limits.max else smallest}")
    return values.astype(dtype)


def _binary(columns: list[NDArray[Any]]) -> bytes:
    """Rows in PostgreSQL's binary COPY format; rows whose texts have equal lengths are laid out together."""
    widths = [_widths(column) for column in columns]
    varying = [width for width in widths if len(np.unique(width)) > 1]
    if not varying:
        return b"".join([HEADER, _rows(columns, [int(width[0]) for width in widths]), TRAILER])
    groups, member = np.unique(np.stack(varying, axis=1), axis=0, return_inverse=True)
    parts = []
    for group in range(len(groups)):
        chosen = np.flatnonzero(member.ravel() == group)
        parts.append(_rows([column[chosen] for column in columns], [int(width[chosen[0]]) for width in widths]))
    return b"".join([HEADER, *parts, TRAILER])


def _widths(column: NDArray[Any]) -> NDArray[np.int64]:
    """The number of bytes of each value."""
    if column.dtype.kind == "S":
        return np.char.str_len(column).astype(np.int64)
    return np.broadcast_to(np.int64(column.dtype.itemsize), column.shape)


def _rows(columns: list[NDArray[Any]], widths: list[int]) -> bytes:
    """Rows of one layout: the number of fields, then the size and value of each."""
    fields: list[tuple[str, Any]] = [("fields", ">i2")]
    for i, (column, width) in enumerate(zip(columns, widths, strict=True)):
        fields.append((f"size{i}", ">i4"))
        if width:
            fields.append((f"value{i}", f"S{width}" if column.dtype.kind == "S" else column.dtype))
    rows = np.empty(len(columns[0]), np.dtype(fields))
    rows["fields"] = len(columns)
    for i, (column, width) in enumerate(zip(columns, widths, strict=True)):
        rows[f"size{i}"] = width
        if width:
            rows[f"value{i}"] = column
    return rows.tobytes()
