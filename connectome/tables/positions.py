"""Positions that a table keeps in one column: CAVE's lists, or their text in CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from connectome.errors import TableError
from connectome.tables.fields import Field, FieldKind

NUMBER = r"[-+0-9.eE]+"
THREE_NUMBERS = rf"^\s*[\[(]?\s*(?P<x>{NUMBER})[\s,]+(?P<y>{NUMBER})[\s,]+(?P<z>{NUMBER})\s*[\])]?\s*$"
PLACE_BITS = 21
WITHIN_VOXEL = 1 / 64  # positions of 32 bits may lie a little before the voxel that they mean
UnitNm = tuple[float, float, float]
FromList = Callable[[pa.Array, str], pa.Array]


def axis_of(field: Field) -> str:
    """The axis of a position's field."""
    return field.ours[-len("x_nm")]


def list_columns(field: Field) -> dict[str, FromList]:
    """The columns that may hold all three axes of a field instead, and how to take its axis out of them."""
    if field.kind is not FieldKind.POSITION:
        return {}
    axis = axis_of(field)
    names = [
        name.removesuffix(f"_{axis}") for name in field.names if name.endswith((f"_position_{axis}", f"_pt_{axis}"))
    ]
    return dict.fromkeys(names, lambda column, where: _of_axis(column, axis, where))


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


def place_ids(positions_nm: Sequence[pa.Array], unit_nm: UnitNm, where: str) -> pa.Array:
    """Ids of points that carry their place, as flyem-snapshot makes them: z << 42 | y << 21 | x, in voxels.

    Args:
        positions_nm: z, y, x, each float64 (n,).
        unit_nm: the voxel (z, y, x).
        where: the file, for messages.

    Returns:
        int64 (n,); NULL where a position is.

    Raises:
        TableError: a voxel's index is less than 0, or 2^21 or more.
    """
    ids = pa.scalar(0, pa.int64())
    for column, unit in zip(positions_nm, unit_nm, strict=True):
        voxels = voxels_of(column, unit)
        least, most = pc.min_max(voxels).as_py().values()
        if least is not None and not 0 <= least <= most < 1 << PLACE_BITS:
            raise TableError(
                f"{where}: points lie at voxels from {least} to {most}, and ids of neuPrint's points hold 0 to "
                f"2^{PLACE_BITS} - 1",
                about="unit",
            )
        ids = pc.bit_wise_or(pc.shift_left(ids, PLACE_BITS), voxels)
    return ids


def voxels_of(positions_nm: pa.Array, unit: float) -> pa.Array:
    """The voxels (int64) that positions lie in along one axis, of `unit` nm each."""
    return pc.floor(pc.add(pc.divide(positions_nm.cast(pa.float64()), unit), WITHIN_VOXEL)).cast(pa.int64())
