"""The meaning of numbers in metadata: which axis they belong to, in which unit, sides of a voxel or a corner."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectome.geometry import NmTriple, Vector

UNITS_NM = {
    name: length
    for length, names in {
        1.0: "nm nanometer nanometers nanometre nanometres",
        1e3: "um µm μm micron microns micrometer micrometers micrometre micrometres",
        1e6: "mm millimeter millimeters millimetre millimetres",
        1e7: "cm centimeter centimeters centimetre centimetres",
        1e9: "m meter meters metre metres",
        25.4e6: "in inch inches",
        0.1: "a å ångström angstrom angstroms ångstrom",
        1e-3: "pm picometer picometers picometre picometres",
    }.items()
    for name in names.split()
}
LEAST_NM = 0.5
"""What has no unit is in nm, as n5's and zarr's users have it, unless a voxel would be smaller than this."""
SIDES, CORNERS = ("resolution", "voxel_size"), ("offset", "translation", "translate")
XYZ = ("x", "y", "z")
ONCE = Vector((1.0, 1.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What one source tells.

    Attributes:
        sides, corner: of a voxel, and of the first one (z, y, x), in a unit; None where it doesn't tell.
        unit_nm: nm of the unit (z, y, x); None where it isn't known.
    """

    sides: Vector[float] | None = None
    corner: Vector[float] | None = None
    unit_nm: Vector[float] | None = None


@dataclass(frozen=True, kw_only=True)
class ArrayMetadata:
    """Names of all axes in storage order ('' unknown), and what the metadata tell of the array's place.

    Attributes:
        placements: in the order in which they count.
        riddle: what of the metadata isn't understood, though it moves voxels; empty: nothing.
    """

    names: tuple[str, ...]
    placements: tuple[Placement, ...] = ()
    riddle: str = ""

    @property
    def sides(self) -> Placement | None:
        """The first source that tells the sides of a voxel."""
        return next((one for one in self.placements if one.sides is not None), None)

    @property
    def resolution_nm(self) -> NmTriple | None:
        """Sides (z, y, x) of a voxel in nm; None where they or their unit aren't known."""
        told = self.sides
        if told is None or told.sides is None or told.unit_nm is None:
            return None
        return _rounded(told.sides * told.unit_nm)

    def offset_nm(self, resolution_nm: NmTriple) -> NmTriple | None:
        """The corner (z, y, x) of the first voxel in nm; None where no source tells it.

        Args:
            resolution_nm: of the array. A corner without a unit is counted in voxels of the sides beside it.
        """
        told = next((one for one in self.placements if one.corner is not None), None)
        if told is None or told.corner is None:
            return None
        if told.unit_nm is not None:
            return _rounded(told.corner * told.unit_nm)
        sides = told.sides or (self.sides and self.sides.sides) or (1.0, 1.0, 1.0)
        return _rounded(told.corner / sides * resolution_nm)


def attributes_metadata(attributes: Mapping[str, Any], names: Sequence[str]) -> ArrayMetadata:
    """What attributes alone tell, of an array with these names of axes."""
    told = from_attributes(attributes, names, own_factors(attributes, names) or ONCE)
    return ArrayMetadata(names=tuple(names), placements=() if told is None else (told,))


def spatial_axes(names: Sequence[str]) -> list[int]:
    """The positions of z, y and x among named axes; where they have other names or none, the last three."""
    if {"x", "y", "z"} <= set(names):
        return [list(names).index(name) for name in "zyx"]
    return list(range(len(names)))[-3:]


def from_attributes(
    attributes: Mapping[str, Any], names: Sequence[str], factors: Vector[float] | None
) -> Placement | None:
    """What the attributes of an array, or of a group above it, tell; None: nothing.

    Args:
        attributes: of the array or the group.
        names: of the array's axes: attributes list their numbers in the same order.
        factors: of a level (z, y, x), by which its sides are longer than the attributes say; None: not known.
    """
    transform = attributes.get("transform")
    if isinstance(transform, dict):
        axes = tuple(str(name).lower() for name in transform.get("axes", "zyx"))
        units = transform.get("units", transform.get("unit"))
        return _placement(
            by_axis(transform.get("scale"), axes), by_axis(transform.get("translate"), axes), units_nm(units, axes)
        )
    units, order = attributes.get("units", attributes.get("unit")), names
    values = next((attributes[key] for key in SIDES if key in attributes), None)
    if values is None and "pixelResolution" in attributes:
        values, order = attributes["pixelResolution"], names if {"x", "y", "z"} <= set(names) else XYZ
        if isinstance(values, dict):
            units, values = values.get("unit", units), values.get("dimensions")
    sides = by_axis(values, order)
    sides = None if sides is None or factors is None else sides * factors
    corner = by_axis(next((attributes[key] for key in CORNERS if key in attributes), None), names)
    return _placement(sides, corner, units_nm(units, order))


def _placement(
    sides: Vector[float] | None, corner: Vector[float] | None, units: Vector[float] | str | None
) -> Placement | None:
    if sides is None and corner is None:
        return None
    if isinstance(units, str):
        small = sides is not None and min(sides) < LEAST_NM
        units = None if small else ONCE
    return Placement(sides=sides, corner=corner, unit_nm=units)


def own_factors(attributes: Mapping[str, Any], names: Sequence[str]) -> Vector[float] | None:
    """By how much a level of n5 is coarser than the finest one (z, y, x), as its own attributes say."""
    return by_axis(attributes.get("downsamplingFactors"), xyz_names(names))


def xyz_names(names: Sequence[str]) -> Sequence[str]:
    """The names of the axes; of axes without names those that n5 has."""
    return names if {"x", "y", "z"} <= set(names) else XYZ


def by_axis(values: Any, names: Sequence[str]) -> Vector[float] | None:
    """Three of some numbers as (z, y, x); None where they are no numbers, or too many or too few."""
    if not are_numbers(values):
        return None
    picked = _picked(values, names)
    return None if picked is None else Vector(float(value) for value in picked)


def units_nm(units: Any, names: Sequence[str]) -> Vector[float] | str | None:
    """The nm of the units (z, y, x); None where one isn't known; '' where there is none."""
    if units is None or units == [] or units == "":
        return ""
    picked = [units] * 3 if isinstance(units, str) else _picked(units, names)
    lengths = [unit_nm(unit) for unit in picked or []]
    if not picked or any(length is None for length in lengths):
        return "" if picked and all(str(unit).strip() == "" for unit in picked) else None
    return Vector(length or 0.0 for length in lengths)


def unit_nm(unit: Any) -> float | None:
    """The nm of a unit of length by its name or sign; None where it isn't known."""
    text = str(unit).strip().lower().replace("\\u00b5", "µ")
    return UNITS_NM.get(text)


def _picked(values: Any, names: Sequence[str]) -> list[Any] | None:
    """Those of some values that belong to z, y and x: one for each axis, or for each of these three."""
    if not isinstance(values, list):
        return None
    if len(values) == len(names):
        return [values[axis] for axis in spatial_axes(names)] if len(names) >= 3 else None
    if len(values) != 3:
        return None
    order = [name for name in names if name in XYZ]
    return [values[axis] for axis in spatial_axes(order)] if len(order) == 3 else list(values)


def are_numbers(values: Any) -> bool:
    """True if a value from JSON is a list of finite numbers."""
    return isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in values
    )


def _rounded(values: Vector[float]) -> NmTriple:
    """Rounded to a millionth of a nm: what a change of units left behind."""
    z, y, x = (round(float(value), 6) for value in values)
    return z, y, x
