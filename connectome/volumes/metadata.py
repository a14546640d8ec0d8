"""What the metadata of a TensorStore array say of its axes, resolution and offset; used by `volume` alone.

Sources, in this order: units of the axes (precomputed, n5), attributes of the array (`resolution` or `voxel_size`,
`offset`, `units`; n5 `pixelResolution`), and OME-NGFF `multiscales` (0.4 and 0.5) of a group above the array.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any

import tensorstore as ts

from connectome.errors import VolumeFormatError
from connectome.geometry import NmTriple

TENSORSTORE_ERRORS = (ValueError, OSError, RuntimeError, IndexError)
UNITS_NM = {
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometers": 1.0,
    "um": 1e3,
    "µm": 1e3,
    "micron": 1e3,
    "micrometer": 1e3,
    "mm": 1e6,
    "millimeter": 1e6,
    "m": 1e9,
    "meter": 1e9,
    "angstrom": 0.1,
    "": 1.0,
    "pixel": 1.0,
}
PHYSICAL_UNITS = UNITS_NM.keys() - {"", "pixel"}
LEVELS_ABOVE = 3


@dataclass(frozen=True, kw_only=True)
class ArrayMetadata:
    """Names of all axes in storage order ('' unknown); resolution and offset (z, y, x) in nm, None where absent."""

    names: tuple[str, ...]
    resolution_nm: NmTriple | None
    offset_nm: NmTriple | None


def read_array_metadata(store: ts.TensorStore) -> ArrayMetadata:
    """Read the metadata of an opened array.

    Raises:
        VolumeFormatError: a metadata file isn't JSON.
    """
    attributes = _array_attributes(store)
    names = _axis_names(store, attributes)
    resolution, offset = _from_units(store, names), _from_attribute(attributes, names, ("offset", "translation"))
    if resolution is None:
        resolution = _from_attribute(attributes, names, ("resolution", "voxel_size")) or _pixel_resolution(attributes)
    if resolution is None:
        ome = _from_multiscales(store)
        if ome is not None:
            return ome
    return ArrayMetadata(names=names, resolution_nm=resolution, offset_nm=offset)


def spatial_axes(names: Sequence[str]) -> list[int]:
    """The positions of z, y and x among named axes; where they have other names or none, the last three."""
    if {"x", "y", "z"} <= set(names):
        return [list(names).index(name) for name in "zyx"]
    return list(range(len(names)))[-3:]


def multiscales_paths(kvstore: ts.KvStore) -> list[str]:
    """The paths of the arrays that an OME-NGFF group names; empty where it is no such group."""
    return [str(level["path"]) for level in _multiscales(kvstore).get("datasets", [])]


def level_paths(kvstore: ts.KvStore) -> list[str]:
    """The paths of a group's levels, finest first: what OME-NGFF metadata name, or n5's s0, s1 and so on."""
    named = multiscales_paths(kvstore)
    if named:
        return named
    listed = _read_json(kvstore, "attributes.json").get("multiscales")
    if isinstance(listed, list) and listed:
        return [str(level["path"]) for level in listed[0].get("datasets", [])]
    levels = (f"s{i}" for i in count())
    return list(takewhile(lambda level: bool(_read_json(kvstore, f"{level}/attributes.json")), levels))


def scale_count(store: ts.TensorStore) -> int:
    """How many scales a neuroglancer precomputed volume has; 1 for other formats."""
    if store.spec().to_json()["driver"] != "neuroglancer_precomputed":
        return 1
    return len(_read_json(store.kvstore, "info").get("scales", [0]))


def _array_attributes(store: ts.TensorStore) -> dict[str, Any]:
    """The user attributes of the array, from wherever its format keeps them."""
    spec = store.spec().to_json()
    match spec["driver"]:
        case "zarr3":
            return dict(spec["metadata"].get("attributes", {}))
        case "n5":
            return dict(spec["metadata"])
        case "zarr":
            return _read_json(store.kvstore, ".zattrs")
        case _:
            return {}


def _read_json(kvstore: ts.KvStore | None, name: str) -> dict[str, Any]:
    if kvstore is None:
        return {}
    try:
        found = kvstore.read(name).result()
        value = json.loads(found.value) if found.state == "value" else {}
    except TENSORSTORE_ERRORS as error:
        raise VolumeFormatError(f"{kvstore.url}{name} can't be read as JSON: {error}") from error
    return value if isinstance(value, dict) else {}


def _axis_names(store: ts.TensorStore, attributes: dict[str, Any]) -> tuple[str, ...]:
    """Names from the format; else from the attributes; else the order that the format is known for."""
    names = [str(name).rstrip("^") for name in store.domain.labels]
    for key in ("axes", "axis_names", "_ARRAY_DIMENSIONS"):
        listed = attributes.get(key)
        if not any(names) and isinstance(listed, list) and len(listed) == store.rank:
            names = [str(name).rstrip("^") for name in listed]
    if not any(names) and store.spec().to_json()["driver"] in ("n5", "neuroglancer_precomputed"):
        names = ["x", "y", "z", *([""] * store.rank)][: store.rank]
    return tuple(name.lower() for name in names)


def _from_units(store: ts.TensorStore, names: Sequence[str]) -> NmTriple | None:
    axes = spatial_axes(names)
    units = [unit for axis in axes if (unit := store.dimension_units[axis]) and unit.base_unit in PHYSICAL_UNITS]
    if len(units) < 3:
        return None
    return _nm_triple([unit.multiplier * UNITS_NM[unit.base_unit] for unit in units])


def _from_attribute(attributes: dict[str, Any], names: Sequence[str], keys: Sequence[str]) -> NmTriple | None:
    """Three numbers of the first attribute there is, in nm, as (z, y, x)."""
    values = next((attributes[key] for key in keys if key in attributes), None)
    if not isinstance(values, list) or len(values) < 3:
        return None
    units = attributes.get("units", ["nm"] * len(values))
    units = [units] * len(values) if isinstance(units, str) else units
    order = spatial_axes(names if len(names) == len(values) else [name for name in names if name in ("z", "y", "x")])
    order = order if len(order) == 3 else [-3, -2, -1]
    if len(units) != len(values) or any(str(unit) not in UNITS_NM for unit in units):
        return None
    return _nm_triple([float(values[axis]) * UNITS_NM[str(units[axis])] for axis in order])


def _pixel_resolution(attributes: dict[str, Any]) -> NmTriple | None:
    """What n5 viewers write: x, y, z of one unit, with the factors of a downsampled level."""
    found = attributes.get("pixelResolution")
    dimensions = found.get("dimensions") if isinstance(found, dict) else found
    unit = str(found.get("unit", "nm")) if isinstance(found, dict) else "nm"
    if not isinstance(dimensions, list) or len(dimensions) != 3 or unit not in UNITS_NM:
        return None
    factors = attributes.get("downsamplingFactors", [1, 1, 1])
    return _nm_triple([d * f * UNITS_NM[unit] for d, f in zip(dimensions, factors, strict=True)][::-1])


def _multiscales(kvstore: ts.KvStore) -> dict[str, Any]:
    """The first image of a group's `multiscales`: OME-NGFF 0.5 in zarr.json, 0.4 in .zattrs."""
    modern = _read_json(kvstore, "zarr.json").get("attributes", {})
    found = modern.get("ome", modern).get("multiscales") or _read_json(kvstore, ".zattrs").get("multiscales")
    return dict(found[0]) if found else {}


def _from_multiscales(store: ts.TensorStore) -> ArrayMetadata | None:
    """Axes, scale and translation of the level that this array is, from a group above it."""
    if store.kvstore is None:
        return None
    group, below = store.kvstore.copy(), ""
    for _ in range(LEVELS_ABOVE):
        parent, _, name = group.path.rstrip("/").rpartition("/")
        if not name:
            return None
        group.path, below = f"{parent}/", f"{name}/{below}"
        image = _multiscales(group)
        for level in image.get("datasets", []):
            if str(level["path"]).strip("/") == below.strip("/"):
                return _level_metadata(image, level)
    return None


def _level_metadata(image: dict[str, Any], level: dict[str, Any]) -> ArrayMetadata | None:
    """Metadata of one level.

    A translation places the centre of the first voxel, relative to the finest level whose own is taken as a corner: so
    all levels cover the same space. Where all levels have the same translation it is a corner throughout.
    """
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in image.get("axes", [])]
    names = tuple(str(axis["name"]).lower() for axis in axes)
    if not {"x", "y", "z"} <= set(names):
        return None
    order = spatial_axes(names)
    units = [str(axes[axis].get("unit", "none")) for axis in order]
    if any(unit not in PHYSICAL_UNITS for unit in units):
        return ArrayMetadata(names=names, resolution_nm=None, offset_nm=None)
    scale, translation = _transform(image, level, len(names))
    first_scale, first_translation = _transform(image, image["datasets"][0], len(names))
    centred = translation != first_translation
    corner = [t - (s - f) / 2 if centred else t for t, s, f in zip(translation, scale, first_scale, strict=True)]
    factors = [UNITS_NM[unit] for unit in units]
    return ArrayMetadata(
        names=names,
        resolution_nm=_nm_triple([scale[axis] * f for axis, f in zip(order, factors, strict=True)]),
        offset_nm=_nm_triple([corner[axis] * f for axis, f in zip(order, factors, strict=True)]),
    )


def _transform(image: dict[str, Any], level: dict[str, Any], rank: int) -> tuple[list[float], list[float]]:
    """Scale and translation of a level, with what the whole image adds."""
    scale, translation = [1.0] * rank, [0.0] * rank
    for step in (*level.get("coordinateTransformations", []), *image.get("coordinateTransformations", [])):
        values = step.get(step.get("type"), [])
        if step.get("type") == "scale":
            scale = [a * float(b) for a, b in zip(scale, values, strict=True)]
            translation = [a * float(b) for a, b in zip(translation, values, strict=True)]
        elif step.get("type") == "translation":
            translation = [a + float(b) for a, b in zip(translation, values, strict=True)]
    return scale, translation


def _nm_triple(values: Sequence[float]) -> NmTriple:
    """Three numbers, rounded to a millionth of a nm: what a change of units left behind."""
    z, y, x = (round(float(value), 6) for value in values)
    return z, y, x
