"""The place of an array, as far as its metadata tell it: names of axes, sides of a voxel, the first voxel's corner.

What is asked, in this order: units of the axes (precomputed, zarr 3), attributes of the array (`resolution`,
`voxel_size`, `pixelResolution`, COSEM's `transform`; `offset`, `translation`; `units`), and groups above it: OME-NGFF's
and COSEM's `multiscales`, and the attributes that n5's writers put there. The first that tells sides gives the sides,
the first that tells a corner the corner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import Any

import tensorstore as ts

from connectome.geometry import Vector
from connectome.volumes.placement import (
    ONCE,
    XYZ,
    ArrayMetadata,
    Placement,
    are_numbers,
    by_axis,
    from_attributes,
    own_factors,
    spatial_axes,
    unit_nm,
    units_nm,
    xyz_names,
)
from connectome.volumes.sidecars import array_attributes, driver, group_attributes, parent, read_json

LEVELS_ABOVE = 3


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
    own = from_attributes(attributes, names, own_factors(attributes, names) or ONCE)
    if own is not None and own.corner is not None and "transform" in attributes:
        own = replace(own, corner=_corner(own, _first_of_siblings(store, names)))
    told = (_from_units(store, names), own, *(level.placement for level in levels), *_from_groups(store, names))
    return ArrayMetadata(
        names=names,
        placements=tuple(one for one in told if one is not None),
        riddle=next((level.riddle for level in levels if level.riddle), ""),
    )


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


def _from_groups(store: ts.TensorStore, names: Sequence[str]) -> Iterator[Placement]:
    """What n5's writers (and zarr's) put into groups above the array: BigDataViewer, Paintera, n5-viewer.

    A group tells of its finest level. By how much this one is coarser the array tells itself, or a group's list.
    """
    order = xyz_names(names)
    groups = [(group_attributes(group), re.search(r"(?:^|/)s(\d+)$", below)) for group, below in _groups_above(store)]
    factors = own_factors(array_attributes(store), names)
    for attributes, level in groups:
        listed = attributes.get("downsamplingFactors", attributes.get("scales"))
        if factors is None and level is not None and isinstance(listed, list) and int(level[1]) < len(listed):
            factors = by_axis(listed[int(level[1])], order)
    for attributes, level in groups:
        by = factors or (ONCE if level is None or level[1] == "0" else None)
        found = from_attributes(attributes, order if driver(store) == "n5" else names, by)
        if found is not None:
            yield found


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
        own, first = (from_attributes(one, names, None) for one in (level, finest))
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
    units = units_nm([axis.get("unit", "") for axis in axes], names)
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
        if kind not in ("scale", "translation") or not are_numbers(values) or len(values) != rank:
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
    return from_attributes(group_attributes(group), names, None)
