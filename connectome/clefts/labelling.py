"""Connected components of one block, so that all blocks together can be stitched exactly.

A block is labelled together with one voxel plane beyond its high faces. Two voxels that touch (by faces, edges or
corners) always lie together in at least one such grown block: the one that owns the smaller corner of the pair. So the
union of all blocks' components over shared voxels is exactly the components of the whole volume.

A component's id is 1 + the C-order index, in the whole volume, of its first voxel. Components of two blocks with one
id share that voxel and so are one object; the smallest id of a stitched object is again that of its first voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Triple

LEAST_SIDE = 4
"""In arrays with shorter sides cc3d 4.1 may reserve room for too few labels, and raises a RuntimeError."""


class Connectivity(IntEnum):
    """Which neighbours are connected: those that share a face, an edge, or a corner."""

    FACES = 6
    EDGES = 18
    CORNERS = 26


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """The components of one block, counted over the block's own voxels; arrays of one length.

    Attributes:
        fragment_id: int64. size_voxels: int64.
        index_sum: int64 (n, 3), sums of voxel indices z, y, x: exact, so sums over blocks are exact too.
        start, stop: int64 (n, 3), bounding boxes, stop exclusive.
        score_sum: int64, score_max: int16: of the uint8 strength.
    """

    fragment_id: NDArray[np.int64]
    size_voxels: NDArray[np.int64]
    index_sum: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    score_sum: NDArray[np.int64]
    score_max: NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class LabelledBlock:
    """What labelling a block gives.

    Attributes:
        labels: uint64 (z, y, x) of the block's own voxels: fragment ids, 0 = no cleft.
        fragments: their statistics.
        border: int64 (n, 2), the cleft voxels that neighbours see too (the block's low planes and the planes beyond
            its high faces): C-order index in the whole volume, fragment id.
    """

    labels: NDArray[np.uint64]
    fragments: Fragments
    border: NDArray[np.int64]


def grown(block: Box, limit: Box) -> Box:
    """The block with the planes beyond its high faces, where `limit` has them."""
    return block.grow((0, 0, 0), (1, 1, 1)).intersect(limit)


def label_block(
    strength: NDArray[np.uint8], block: Box, volume_shape: Triple, threshold: int, connectivity: Connectivity
) -> LabelledBlock:
    """Label one block.

    Args:
        strength: uint8 (z, y, x) of the grown block (see `grown`), 255 = certain (see `clefts.representations`).
        block: the block's own voxels.
        volume_shape: of the whole working grid (z, y, x).
        threshold: a voxel is cleft where the strength is at least this; 1 to 255.
        connectivity: which voxels are neighbours.
    """
    foreground = strength >= threshold
    components, count = _components(foreground, connectivity)
    local = np.argwhere(foreground) if count else np.zeros((0, 3), np.int64)
    component = components[tuple(local.T)].astype(np.int64) - 1
    where = local + np.array(block.start)
    index = (where[:, 0] * volume_shape[1] + where[:, 1]) * volume_shape[2] + where[:, 2]
    ids = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(ids, component, index + 1)

    own = (where < np.array(block.stop)).all(1)
    scores = strength[tuple(local[own].T)]
    labels = np.zeros(block.shape, np.uint64)
    labels[tuple(local[own].T)] = ids[component[own]]
    seen = ~own | (where == np.array(block.start)).any(1)
    border = np.stack([index[seen], ids[component[seen]]], 1)
    fragments = _statistics(ids, component[own], where[own], scores)
    return LabelledBlock(labels=labels, fragments=fragments, border=border)


def _components(foreground: NDArray[np.bool_], connectivity: Connectivity) -> tuple[NDArray[Any], int]:
    """Component numbers from 1, uint32 of the same shape, and how many there are."""
    thin = [(0, max(LEAST_SIDE - n, 0)) for n in foreground.shape]
    padded = np.pad(foreground, thin) if any(more for _, more in thin) else foreground
    components, count = cc3d.connected_components(
        padded, connectivity=connectivity.value, return_N=True, out_dtype=np.uint32
    )
    return components[tuple(slice(n) for n in foreground.shape)], count


def _statistics(
    ids: NDArray[np.int64], component: NDArray[np.int64], where: NDArray[np.int64], scores: NDArray[np.uint8]
) -> Fragments:
    """Per component: size, index sums, box, scores; components without own voxels are left out."""
    count = len(ids)
    size = np.bincount(component, minlength=count)
    order = np.argsort(component, kind="stable")
    kept = np.flatnonzero(size)
    first = (np.cumsum(size) - size)[kept]
    where, scores = where[order], scores[order]
    if len(kept) == 0:
        none, empty = np.zeros(0, np.int64), np.zeros((0, 3), np.int64)
        return Fragments(
            fragment_id=none, size_voxels=none, index_sum=empty, start=empty, stop=empty, score_sum=none,
            score_max=np.zeros(0, np.int16),
        )  # fmt: skip
    return Fragments(
        fragment_id=ids[kept],
        size_voxels=size[kept],
        index_sum=np.add.reduceat(where, first, axis=0),
        start=np.minimum.reduceat(where, first, axis=0),
        stop=np.maximum.reduceat(where, first, axis=0) + 1,
        score_sum=np.add.reduceat(scores.astype(np.int64), first),
        score_max=np.maximum.reduceat(scores, first).astype(np.int16),
    )
