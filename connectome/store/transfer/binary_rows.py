"""Rows in PostgreSQL's binary COPY format, from columns.

A row is the number of its fields, then the size and the bytes of each; the size of NULL is -1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


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
