"""The chunks of an array that aren't stored, found without reading any."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import tensorstore as ts

from connectome.geometry import Box, Triple, Vector

MOST_REQUESTS = 1000
"""Of a server that can't list what it has, each chunk is asked for; of larger volumes nobody is asked."""


def absent_pieces(store: ts.TensorStore, shape: Triple, pieces: Box) -> list[Triple] | None:
    """The pieces that aren't stored, in C order; None: the store can't tell.

    Args:
        store: an array (z, y, x) from voxel 0.
        shape: of a piece in voxels.
        pieces: which are looked at, counted in pieces.
    """
    if pieces.is_empty:
        return []
    spec = store.spec().to_json()
    if spec["driver"] == "neuroglancer_precomputed":
        return _not_listed(store, spec["scale_metadata"], shape, pieces)
    if store.kvstore is not None and store.kvstore.spec().to_json()["driver"] == "http":
        return _one_by_one(store, shape, pieces)
    return sorted(_divided(store, shape, pieces))


def _divided(store: ts.TensorStore, shape: Triple, pieces: Box) -> list[Triple]:
    """Ask for all at once, and where some are there and some not, for each half."""
    told = _statistics(store, shape, pieces)
    if told.fully_stored:
        return []
    if told.not_stored:
        return list(pieces.voxels())
    axis = pieces.shape.index(max(pieces.shape))
    middle = (pieces.start[axis] + pieces.stop[axis]) // 2
    low = Box(pieces.start, (*pieces.stop[:axis], middle, *pieces.stop[axis + 1 :]))  # type: ignore[arg-type]
    high = Box((*pieces.start[:axis], middle, *pieces.start[axis + 1 :]), pieces.stop)  # type: ignore[arg-type]
    return _divided(store, shape, low) + _divided(store, shape, high)


def _one_by_one(store: ts.TensorStore, shape: Triple, pieces: Box) -> list[Triple] | None:
    if pieces.size_voxels > MOST_REQUESTS:
        return None
    each = [(piece, Box.of_shape((1, 1, 1), piece)) for piece in pieces.voxels()]
    return [piece for piece, box in each if _statistics(store, shape, box).not_stored]


def _statistics(store: ts.TensorStore, shape: Triple, pieces: Box) -> Any:
    box = pieces.refined(shape).intersect(Box.of_shape(Vector(store.shape)))
    return store[box.slices()].storage_statistics(query_not_stored=True, query_fully_stored=True).result()


def _not_listed(store: ts.TensorStore, scale: dict[str, object], shape: Triple, pieces: Box) -> list[Triple] | None:
    """Those of a precomputed volume whose files aren't in the list of its files; None: they lie in shards."""
    if scale.get("sharding") is not None or store.kvstore is None:
        return None
    folder = store.kvstore.copy()
    folder.path = f"{folder.path.rstrip('/')}/{scale['key']}/"
    if folder.spec().to_json()["driver"] == "http":
        return None
    names = {key.decode().removesuffix(".gz") for key in folder.list().result()}
    places = (re.fullmatch(r"(-?\d+)--?\d+_(-?\d+)--?\d+_(-?\d+)--?\d+", name) for name in names)
    origin = [int(value) for value in scale.get("voxel_offset", (0, 0, 0))]  # type: ignore[attr-defined]
    stored = {tuple((int(one[3 - i]) - origin[2 - i]) // shape[i] for i in range(3)) for one in places if one}
    return [piece for piece in product(*map(range, pieces.start, pieces.stop)) if piece not in stored]  # type: ignore[misc]
