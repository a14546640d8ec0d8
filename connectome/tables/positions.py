"""Positions that a table keeps in one column: CAVE's lists, or their text in CSV."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import TableError
from connectome.tables.fields import Field, FieldKind

NUMBER = r"[-+0-9.eE]+"
THREE_NUMBERS = rf"^\s*[\[(]?\s*(?P<x>{NUMBER})[\s,]+(?P<y>{NUMBER})[\s,]+(?P<z>{NUMBER})\s*[\])]?\s*$"
FromList = Callable[[pa.Array, str], pa.Array]


def axis_of(field: Field) -> str:
    """The axis of a position's field."""
    return field.ours[-len("x_nm")]


def list_column(field: Field) -> dict[str, FromList]:
    """The column that may hold all three axes of a field instead, and how to take its axis out of it."""
    axis = axis_of(field)
    name = field.names[0]
    if field.kind is not FieldKind.POSITION or not name.endswith(f"_position_{axis}"):
        return {}
    return {name.removesuffix(f"_{axis}"): lambda column, where: _of_axis(column, axis, where)}


def _of_axis(column: pa.Array, axis: str, where: str) -> pa.Array:
    """The values of one axis from lists (x, y, z) or texts such as '[1 2 3]'.

    Raises:
        TableError: a value isn't three numbers.
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        parts = pc.extract_regex(column, THREE_NUMBERS)
        if parts.null_count > column.null_count:
            raise TableError(f"{where} holds a position that isn't three numbers such as [1, 2, 3]")
        return parts.field(axis)
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type) or pa.types.is_large_list(column.type):
        lengths = pc.list_value_length(column)
        if not pc.all(pc.equal(lengths, 3)).as_py() and column.null_count < len(column):
            raise TableError(f"{where} holds a position that isn't three numbers")
        return pc.list_element(column, "xyz".index(axis))
    raise TableError(f"{where} holds {column.type}, where a position is three numbers")
