"""Connected components of one block, and the joining of all blocks' components into clefts, exact as of the whole.

A block is labelled together with one voxel plane beyond its high faces. Two voxels that touch (by faces, edges or
corners) always lie together in at least one such grown block: the one that owns the smaller corner of the pair. So the
union of all blocks' components over shared voxels is exactly the components of the whole volume.

A component's id is 1 + the C-order index, in the whole volume, of its first voxel. Components of two blocks with one
id share that voxel and so are one object; the smallest id of a stitched object is again that of its first voxel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from connectome.geometry import BlockGrid, Box, NmTriple, Triple
from connectome.records import Clefts, Fragments

MIN_SIDE = 4  # cc3d 4.1 reserves too few labels where a side is 1 or 3 voxels and neighbours share corners
Pairs = NDArray[np.int64]


class Connectivity(IntEnum):
    """The neighbours that are connected: those that share a face, an edge, or a corner."""

    FACES = 6
    EDGES = 18
    CORNERS = 26


@dataclass(frozen=True, kw_only=True)
class LabelledBlock:
    """The result of labelling a block.

    Clefts fill less than a hundredth of tissue, so their voxels are kept as a list, not as a volume.

    Attributes:
        shape: of the block (z, y, x).
        voxels: int64 (m,), the block's own cleft voxels as C-order indices in the block, ascending.
        places: int64 (m,), the position of each one's fragment in `fragments`.
        fragments: their statistics.
        border: int64 (n, 2), the cleft voxels that neighbours see too (the block's low planes and the planes beyond
            its high faces): C-order index in the whole volume, fragment id.
    """

    shape: Triple
    voxels: NDArray[np.int64]
    places: NDArray[np.int64]
    fragments: Fragments
    border: NDArray[np.int64]

    def labels(self) -> NDArray[np.uint64]:
        """The fragment ids of the block's own voxels: uint64 (z, y, x), 0 = no cleft."""
        return self.painted(self.fragments.fragment_id)

    def targets(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The target of each fragment, from those of `sources` (n,); 0 where it is no source."""
        own = self.fragments.fragment_id
        if len(sources) == 0:
            return np.zeros_like(own)
        order = np.argsort(sources)
        place = order[np.minimum(np.searchsorted(sources, own, sorter=order), len(sources) - 1)]
        return np.where(sources[place] == own, targets[place], 0)

    def painted(self, ids: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The block with an id for each fragment: uint64 (z, y, x), 0 = no cleft."""
        labels = np.zeros(self.shape, np.uint64)
        labels.reshape(-1)[self.voxels] = ids[self.places]
        return labels

    def occupied(self, ids: NDArray[np.int64], chunks: BlockGrid) -> list[Box]:
        """The chunks of the block (`chunks.box`) where fragments have another id than 0."""
        kept = self.voxels[ids[self.places] != 0]
        places = zip(np.unravel_index(kept, self.shape), chunks.box.start, chunks.block_shape, strict=True)
        z, y, x = ((index + origin) // side - origin // side for index, origin, side in places)
        _, ny, nx = chunks.counts
        return [chunks.block(chunk) for chunk in np.unique((z * ny + y) * nx + x).tolist()]


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
    flat = np.flatnonzero(foreground)
    component = _components(foreground, flat, connectivity)
    local = np.unravel_index(flat, strength.shape)
    voxels = [axis + first for axis, first in zip(local, block.start, strict=True)]
    index = np.ravel_multi_index(voxels, volume_shape)
    ids = index[_first_of_each(component)] + 1

    sides = list(zip(local, block.shape, strict=True))
    inside = np.logical_and.reduce([axis < side for axis, side in sides])
    seen = np.logical_or.reduce([(axis == 0) | (axis == side) for axis, side in sides])
    own = component[inside]
    fragments, places = _statistics(ids, own, [axis[inside] for axis in voxels], strength.reshape(-1)[flat[inside]])
    return LabelledBlock(
        shape=block.shape,
        voxels=np.ravel_multi_index([axis[inside] for axis in local], block.shape),
        places=places[own],
        fragments=fragments,
        border=np.stack([index[seen], ids[component[seen]]], 1),
    )


def _components(
    foreground: NDArray[np.bool_], flat: NDArray[np.int64], connectivity: Connectivity
) -> NDArray[np.unsignedinteger]:
    """The component of each foreground voxel, numbered from 0 in any order: (n,).

    Args:
        foreground: boolean (z, y, x).
        flat: int64 (n,), its voxels as C-order indices.
        connectivity: which voxels are neighbours.
    """
    if len(flat) == 0:
        return np.zeros(0, np.uint16)
    shape = foreground.shape
    if min(shape) < MIN_SIDE:
        foreground = np.pad(foreground, [(0, max(MIN_SIDE - side, 0)) for side in shape])
    labels = cc3d.connected_components(foreground, connectivity=int(connectivity))  # type: ignore[call-overload]
    inside = np.ascontiguousarray(labels[tuple(map(slice, shape))])
    component: NDArray[np.unsignedinteger] = inside.reshape(-1)[flat] - 1
    return component


def _first_of_each(component: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    """The first place of each component: int64 (n,)."""
    first = np.zeros(int(component.max(initial=0)) + 1 if len(component) else 0, np.int64)
    first[component[::-1]] = np.arange(len(component))[::-1]  # of several values for one place the last stays
    return first


def _statistics(
    ids: NDArray[np.int64],
    component: NDArray[np.unsignedinteger],
    voxels: Sequence[NDArray[np.int64]],
    scores: NDArray[np.uint8],
) -> tuple[Fragments, NDArray[np.int64]]:
    """Per component that has voxels: size, index sums, box, scores.

    Args:
        ids: int64 (n,), of each component.
        component: (m,), of each voxel.
        voxels: int64 (m,) three times, their indices z, y, x in the volume.
        scores: uint8 (m,), their strengths.

    Returns:
        The statistics, by ascending id, and for each component its position there; int64 (n,).
    """
    sizes = np.bincount(component, minlength=len(ids))
    kept = np.argsort(ids)
    kept = kept[sizes[kept] > 0]
    places = np.zeros(len(ids), np.int64)
    places[kept] = np.arange(len(kept))
    order = np.argsort(places[component].astype(component.dtype), kind="stable")
    first = np.cumsum(sizes[kept]) - sizes[kept]

    def reduced(operation: np.ufunc, values: NDArray[np.int64]) -> NDArray[np.int64]:
        return operation.reduceat(values[order], first) if len(kept) else values

    def columns(operation: np.ufunc) -> NDArray[np.int64]:
        return np.stack([reduced(operation, axis) for axis in voxels], 1)

    score = scores.astype(np.int64)
    fragments = Fragments(
        fragment_id=ids[kept],
        size_voxels=sizes[kept],
        index_sum=columns(np.add),
        start=columns(np.minimum),
        stop=columns(np.maximum) + 1,
        score_sum=reduced(np.add, score),
        score_max=reduced(np.maximum, score).astype(np.int16),
    )
    return fragments, places


def whole_clefts(fragments: Fragments, min_size_voxels: int, resolution_nm: NmTriple, offset_nm: NmTriple) -> Clefts:
    """The clefts that a box's fragments are, if nothing of them lies outside of it.

    Args:
        fragments: of the box as one block.
        min_size_voxels: smaller ones are left out.
        resolution_nm: of the working grid (z, y, x).
        offset_nm: of the working grid (z, y, x).
    """
    order = np.argsort(fragments.fragment_id)
    kept = order[fragments.size_voxels[order] >= min_size_voxels]
    size, total = fragments.size_voxels[kept], fragments.index_sum[kept]
    mean_index = total.astype(np.float64) / size.astype(np.float64)[:, None]
    return Clefts(
        cleft_id=fragments.fragment_id[kept],
        size_voxels=size,
        centre=total // size[:, None],
        start=fragments.start[kept],
        stop=fragments.stop[kept],
        centroid_nm=np.array(offset_nm) + (mean_index + 0.5) * np.array(resolution_nm),
        mean_score=(fragments.score_sum[kept] / (255.0 * size)).astype(np.float32),
        max_score=(fragments.score_max[kept] / 255.0).astype(np.float32),
    )


def shared_voxel_pairs(borders: Iterable[NDArray[np.int64]]) -> Pairs:
    """Pairs (n, 2) of different fragments that hold one voxel.

    Args:
        borders: for each block, int64 (m, 2): voxel index in the whole volume, fragment id.
    """
    voxels = np.concatenate([np.zeros((0, 2), np.int64), *borders])
    voxels = voxels[np.lexsort((voxels[:, 1], voxels[:, 0]))]
    same = (voxels[1:, 0] == voxels[:-1, 0]) & (voxels[1:, 1] != voxels[:-1, 1])
    pairs = np.stack([voxels[:-1, 1][same], voxels[1:, 1][same]], 1)
    return np.unique(pairs, axis=0)


def join(pairs: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fragments that pairs join, and for each the id of its cleft: the smallest of its fragments' ids.

    Args:
        pairs: int64 (n, 2), fragments that are one object.

    Returns:
        fragment ids, ascending, and their cleft ids, both int64 (m,).
    """
    ids, flat = np.unique(pairs, return_inverse=True)
    if len(ids) == 0:
        return ids, ids
    a, b = flat.reshape(-1, 2).T
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(len(ids), len(ids)))
    count, group = connected_components(graph, directed=False)
    smallest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(smallest, group, ids)
    return ids, smallest[group]


def join_layers(
    layers: Iterable[tuple[Pairs, NDArray[np.int64]]],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """What `join` gives for the pairs of all layers, in parts: an object is given once no later layer can reach it.

    Held in memory are the pairs of one layer and the fragments of objects that reach it.

    Args:
        layers: of blocks: the pairs (n, 2) of fragments of this layer and the one below that are one object, and the
            fragments (m,) of this layer that go on; later layers refer to no other. All int64.
    """
    open_pairs = np.zeros((0, 2), np.int64)
    for pairs, own in layers:
        fragments, clefts = join(np.concatenate([open_pairs, pairs]))
        stays = np.isin(clefts, clefts[np.isin(fragments, own)])
        yield fragments[~stays], clefts[~stays]
        open_pairs = np.stack([fragments[stays], clefts[stays]], 1)
    yield join(open_pairs)
