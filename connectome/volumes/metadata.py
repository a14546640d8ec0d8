"""The place of an array, as far as its metadata tell it: names of axes, sides of a voxel, the first voxel's corner.

What is asked, in this order: units of the axes (precomputed, zarr 3), attributes of the array (`resolution`,
`voxel_size`, `pixelResolution`, COSEM's `transform`; `offset`, `translation`; `units`), and groups above it: OME-NGFF's
and COSEM's `multiscales`, and the attributes that n5's writers put there. The first that tells sides gives the sides,
the first that tells a corner the corner.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import Any

import tensorstore as ts

from connectome.geometry import NmTriple, Vector
from connectome.volumes.sidecars import array_attributes, driver, group_attributes, parent, read_json

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
LEVELS_ABOVE = 3
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


def read_array_metadata(store: ts.TensorStore) -> ArrayMetadata:
    """Read the metadata of an opened array.

    Raises:
        VolumeFormatError: a metadata file can't be read, isn't JSON, or contradicts itself.
    """
    attributes = array_attributes(store)
    own_names = _axis_names(store, attributes)
    levels = list(_levels(store))
    names = own_names
    if not {"x", "y", "z"} <= set(names):
        names = next((level.names for level in levels if len(level.names) == store.rank), own_names)
    if not any(names) and driver(store) in ("n5", "neuroglancer_precomputed"):
        names = (*XYZ, *([""] * store.rank))[: store.rank]
    own = _from_attributes(attributes, names, _factors(attributes, names) or ONCE)
    if own is not None and own.corner is not None and "transform" in attributes:
        own = replace(own, corner=_corner(own, _first_of_siblings(store, names)))
    told = (_from_units(store, names), own, *(level.placement for level in levels), *_from_groups(store, names))
    return ArrayMetadata(
        names=names,
        placements=tuple(one for one in told if one is not None),
        riddle=next((level.riddle for level in levels if level.riddle), ""),
    )


def attributes_metadata(attributes: Mapping[str, Any], names: Sequence[str]) -> ArrayMetadata:
    """What attributes alone tell, of an array with these names of axes."""
    told = _from_attributes(attributes, names, _factors(attributes, names) or ONCE)
    return ArrayMetadata(names=tuple(names), placements=() if told is None else (told,))


def spatial_axes(names: Sequence[str]) -> list[int]:
    """The positions of z, y and x among named axes; where they have other names or none, the last three."""
    if {"x", "y", "z"} <= set(names):
        return [list(names).index(name) for name in "zyx"]
    return list(range(len(names)))[-3:]


def level_paths(kvstore: ts.KvStore) -> list[str]:
    """The paths of a group's levels, finest first: what its metadata name, or n5's s0, s1 and so on."""
    images = _images(group_attributes(kvstore))
    named = [str(level["path"]) for image in images[:1] for level in _datasets(image)]
    if named:
        return named
    levels = (f"s{i}" for i in count())
    return list(takewhile(lambda level: bool(read_json(kvstore, f"{level}/attributes.json")), levels))


def scale_count(store: ts.TensorStore) -> int:
    """The number of scales that a neuroglancer precomputed volume has; 1 for other formats."""
    if driver(store) != "neuroglancer_precomputed":
        return 1
    return len(read_json(store.kvstore, "info").get("scales", [0]))


def _axis_names(store: ts.TensorStore, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Names from the format; else from the attributes."""
    names = [str(name).rstrip("^") for name in store.domain.labels]
    for key in ("axes", "axis_names", "_ARRAY_DIMENSIONS"):
        listed = attributes.get(key)
        if not any(names) and isinstance(listed, list) and len(listed) == store.rank:
            names = [str(name).rstrip("^") for name in listed]
    return tuple(name.lower() for name in names)


def _from_units(store: ts.TensorStore, names: Sequence[str]) -> Placement | None:
    """The sides of a voxel as units of the axes; n5 keeps these in its attributes."""
    units = [store.dimension_units[axis] for axis in spatial_axes(names)]
    known = [(unit.multiplier, length) for unit in units if unit and (length := unit_nm(unit.base_unit)) is not None]
    if len(known) < 3 or driver(store) == "n5":
        return None
    return Placement(sides=Vector(side for side, _ in known), unit_nm=Vector(unit for _, unit in known))


def _from_attributes(
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
            _by_axis(transform.get("scale"), axes), _by_axis(transform.get("translate"), axes), _units(units, axes)
        )
    units, order = attributes.get("units", attributes.get("unit")), names
    values = next((attributes[key] for key in SIDES if key in attributes), None)
    if values is None and "pixelResolution" in attributes:
        values, order = attributes["pixelResolution"], names if {"x", "y", "z"} <= set(names) else XYZ
        if isinstance(values, dict):
            units, values = values.get("unit", units), values.get("dimensions")
    sides = _by_axis(values, order)
    sides = None if sides is None or factors is None else sides * factors
    corner = _by_axis(next((attributes[key] for key in CORNERS if key in attributes), None), names)
    return _placement(sides, corner, _units(units, order))


def _placement(
    sides: Vector[float] | None, corner: Vector[float] | None, units: Vector[float] | str | None
) -> Placement | None:
    if sides is None and corner is None:
        return None
    if isinstance(units, str):
        small = sides is not None and min(sides) < LEAST_NM
        units = None if small else ONCE
    return Placement(sides=sides, corner=corner, unit_nm=units)


def _from_groups(store: ts.TensorStore, names: Sequence[str]) -> Iterator[Placement]:
    """What n5's writers (and zarr's) put into groups above the array: BigDataViewer, Paintera, n5-viewer.

    A group tells of its finest level. By how much this one is coarser the array tells itself, or a group's list.
    """
    order = _xyz_names(names)
    groups = [(group_attributes(group), re.search(r"(?:^|/)s(\d+)$", below)) for group, below in _groups_above(store)]
    factors = _factors(array_attributes(store), names)
    for attributes, level in groups:
        listed = attributes.get("downsamplingFactors", attributes.get("scales"))
        if factors is None and level is not None and isinstance(listed, list) and int(level[1]) < len(listed):
            factors = _by_axis(listed[int(level[1])], order)
    for attributes, level in groups:
        by = factors or (ONCE if level is None or level[1] == "0" else None)
        found = _from_attributes(attributes, order if driver(store) == "n5" else names, by)
        if found is not None:
            yield found


def _factors(attributes: Mapping[str, Any], names: Sequence[str]) -> Vector[float] | None:
    """By how much a level of n5 is coarser than the finest one (z, y, x), as its own attributes say."""
    return _by_axis(attributes.get("downsamplingFactors"), _xyz_names(names))


def _xyz_names(names: Sequence[str]) -> Sequence[str]:
    """The names of the axes; of axes without names those that n5 has."""
    return names if {"x", "y", "z"} <= set(names) else XYZ


@dataclass(frozen=True, kw_only=True)
class _Level:
    """What a group's `multiscales` tell of one of its arrays."""

    names: tuple[str, ...]
    placement: Placement | None
    riddle: str = ""


def _levels(store: ts.TensorStore) -> Iterator[_Level]:
    """What the groups above tell of the array, the nearest first."""
    for group, below in _groups_above(store):
        for image in _images(group_attributes(group)):
            datasets = _datasets(image)
            for level in datasets:
                if str(level["path"]).strip("/") == below:
                    yield _level(image, datasets[0], level)


def _groups_above(store: ts.TensorStore) -> Iterator[tuple[ts.KvStore, str]]:
    """The folders above an array, the nearest first, and the array's path in each."""
    group, below = store.kvstore, ""
    for _ in range(LEVELS_ABOVE):
        above = None if group is None else parent(group)
        if above is None:
            return
        group, name = above
        below = f"{name}/{below}".rstrip("/")
        yield group, below


def _images(attributes: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = attributes.get("multiscales")
    return [image for image in listed if isinstance(image, dict)] if isinstance(listed, list) else []


def _datasets(image: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = image.get("datasets")
    found = listed if isinstance(listed, list) else []
    return [level for level in found if isinstance(level, dict) and "path" in level]


def _level(image: Mapping[str, Any], finest: Mapping[str, Any], level: Mapping[str, Any]) -> _Level:
    """What `multiscales` tell of one level.

    A translation places the centre of the first voxel, relative to the finest level whose own is taken as a corner: so
    all levels cover the same space. Where all levels have the same translation it is a corner throughout.
    """
    if isinstance(level.get("transform"), dict):
        names = tuple(str(name).lower() for name in level["transform"].get("axes", "zyx"))
        own, first = (_from_attributes(one, names, None) for one in (level, finest))
        if own is not None and first is not None and own.corner is not None:
            own = replace(own, corner=_corner(own, first))
        return _Level(names=names, placement=own)
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in image.get("axes", [])]
    names = tuple(str(axis.get("name", "")).lower() for axis in axes)
    if not {"x", "y", "z"} <= set(names):
        return _Level(names=names, placement=None)
    steps, riddle = _steps(image, level, len(names))
    if riddle or not steps:
        return _Level(names=names, placement=None, riddle=riddle)
    units = _units([axis.get("unit", "") for axis in axes], names)
    own = _transformed(steps, names, None if isinstance(units, str) else units)
    first = _transformed(_steps(image, finest, len(names))[0], names, None)
    return _Level(names=names, placement=replace(own, corner=_corner(own, first)))


def _corner(own: Placement, finest: Placement | None) -> Vector[float] | None:
    """The corner of a level's first voxel, where its source places the voxel's centre relative to the finest level."""
    if own.corner is None or own.sides is None or finest is None or finest.sides is None:
        return own.corner
    return own.corner if own.corner == finest.corner else own.corner - (own.sides - finest.sides) / 2


def _steps(image: Mapping[str, Any], level: Mapping[str, Any], rank: int) -> tuple[list[tuple[str, list[float]]], str]:
    """The transformations of a level and of the whole image, in order; what of them isn't understood."""
    found = []
    for step in (*level.get("coordinateTransformations", []), *image.get("coordinateTransformations", [])):
        kind = str(step.get("type")) if isinstance(step, dict) else str(step)
        if kind == "identity":
            continue
        values: Any = step.get(kind) if isinstance(step, dict) else None
        if kind not in ("scale", "translation") or not _are_numbers(values) or len(values) != rank:
            return (
                [],
                f"its place is told by a transformation ({kind}) that isn't {rank} numbers of scale or translation",
            )
        found.append((kind, [float(value) for value in values]))
    return found, ""


def _transformed(
    steps: list[tuple[str, list[float]]], names: Sequence[str], unit_nm: Vector[float] | None
) -> Placement:
    """Where scales and translations, in this order, take an array."""
    sides, corner = ONCE, Vector((0.0, 0.0, 0.0))
    for kind, values in steps:
        numbers = Vector(values[axis] for axis in spatial_axes(names))
        if kind == "scale":
            sides, corner = sides * numbers, corner * numbers
        else:
            corner = corner + numbers
    is_scaled = any(kind == "scale" for kind, _ in steps)
    return Placement(sides=sides if is_scaled or unit_nm is None else None, corner=corner, unit_nm=unit_nm)


def _first_of_siblings(store: ts.TensorStore, names: Sequence[str]) -> Placement | None:
    """What the finest level, beside an array that is named as one of several, tells of itself."""
    above = None if store.kvstore is None else parent(store.kvstore)
    if above is None or re.fullmatch(r"s\d+", above[1]) is None:
        return None
    group = above[0].copy()
    group.path = f"{group.path}s0/"
    return _from_attributes(group_attributes(group), names, None)


def _by_axis(values: Any, names: Sequence[str]) -> Vector[float] | None:
    """Three of some numbers as (z, y, x); None where they are no numbers, or too many or too few."""
    if not _are_numbers(values):
        return None
    picked = _picked(values, names)
    return None if picked is None else Vector(float(value) for value in picked)


def _units(units: Any, names: Sequence[str]) -> Vector[float] | str | None:
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


def _are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in values
    )


def _rounded(values: Vector[float]) -> NmTriple:
    """Rounded to a millionth of a nm: what a change of units left behind."""
    z, y, x = (round(float(value), 6) for value in values)
    return z, y, x
