"""Connected components of one block, so that all blocks together can be stitched exactly.

A block is labelled together with one voxel plane beyond its high faces. Two voxels that touch (by faces, edges or
corners) always lie together in at least one such grown block: the one that owns the smaller corner of the pair. So the
union of all blocks' components over shared voxels is exactly the components of the whole volume.

A component's id is 1 + the C-order index, in the whole volume, of its first voxel. Components of two blocks with one
id share that voxel and so are one object; the smallest id of a stitched object is again that of its first voxel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.runs import Connectivity, Runs, place_in_run
from connectome.geometry import BlockGrid, Box, Triple

__all__ = ["Connectivity", "Fragments", "LabelledBlock", "grown", "label_block"]


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
        runs: the block's own cleft voxels.
        run_id: int64, the fragment of each run.
        fragments: their statistics.
        border: int64 (n, 2), the cleft voxels that neighbours see too (the block's low planes and the planes beyond
            its high faces): C-order index in the whole volume, fragment id.
    """

    runs: Runs
    run_id: NDArray[np.int64]
    fragments: Fragments
    border: NDArray[np.int64]

    @property
    def box(self) -> Box:
        """The block, counted from its first voxel."""
        return Box.of_shape(self.runs.shape)

    def labels(self) -> NDArray[np.uint64]:
        """The fragment ids of the block's own voxels: uint64 (z, y, x), 0 = no cleft."""
        return self.painted(self.run_id, self.box)

    def targets(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The target of each run, from those of fragments (n,); 0 where its fragment is no source."""
        if len(sources) == 0:
            return np.zeros_like(self.run_id)
        order = np.argsort(sources)
        place = order[np.minimum(np.searchsorted(sources, self.run_id, sorter=order), len(sources) - 1)]
        return np.where(sources[place] == self.run_id, targets[place], 0)

    def painted(self, ids: NDArray[np.int64], part: Box) -> NDArray[np.uint64]:
        """A part of the block with an id for each run: uint64 (z, y, x), 0 = no cleft."""
        inside, kept = self.runs.within(part)
        labels = np.zeros(part.shape, np.uint64)
        labels.reshape(-1)[inside.voxels(part.shape)] = np.repeat(ids[kept], inside.length)
        return labels

    def occupied(self, ids: NDArray[np.int64], chunks: BlockGrid) -> list[Box]:
        """The chunks of the block (`chunks.box`) where runs have another id than 0, in voxels of the whole volume."""
        kept = np.flatnonzero(ids)
        runs = (self.runs.z, self.runs.y, self.runs.start, self.runs.stop - 1)
        origins, sides = ((*values, values[2]) for values in (chunks.box.start, chunks.block_shape))
        z, y, first, last = (
            (values[kept] + origin) // side - origin // side
            for values, origin, side in zip(runs, origins, sides, strict=True)
        )
        _, ny, nx = chunks.counts
        spans = last - first + 1
        cells = np.repeat((z * ny + y) * nx + first, spans) + place_in_run(spans)
        return [chunks.block(chunk) for chunk in np.unique(cells).tolist()]


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
    runs = Runs.of(strength >= threshold)
    component = runs.components(connectivity)
    index = runs.voxels(volume_shape, block.start)
    _, first = np.unique(component, return_index=True)
    ids = index[np.cumsum(runs.length) - runs.length][first] + 1

    own, kept = runs.within(Box.of_shape(block.shape))
    scores = strength.reshape(-1)[own.voxels(runs.shape)]
    return LabelledBlock(
        runs=own,
        run_id=ids[component[kept]],
        fragments=_statistics(ids, component[kept], own, scores, block.start),
        border=_border(runs, ids[component], index, block.shape),
    )


def _border(runs: Runs, run_id: NDArray[np.int64], index: NDArray[np.int64], shape: Triple) -> NDArray[np.int64]:
    """Voxels on the low planes of a block of `shape` or beyond its high faces: int64 (n, 2), index and fragment."""
    depth, height, width = shape
    row_seen = (runs.z == 0) | (runs.z == depth) | (runs.y == 0) | (runs.y == height)
    begin, end = np.cumsum(runs.length) - runs.length, np.cumsum(runs.length) - 1
    seen = np.repeat(row_seen, runs.length)
    seen[begin[runs.start == 0]] = True
    seen[end[runs.stop == width + 1]] = True
    return np.stack([index[seen], np.repeat(run_id, runs.length)[seen]], 1)


def _statistics(
    ids: NDArray[np.int64], component: NDArray[np.int64], runs: Runs, scores: NDArray[np.uint8], origin: Triple
) -> Fragments:
    """Per component: size, index sums, box, scores of its runs; components without any are left out.

    Args:
        ids: of each component.
        component: of each run.
        runs: the block's own.
        scores: uint8, of the runs' voxels.
        origin: the voxel (z, y, x) of the volume that the runs' first is.
    """
    order = np.argsort(component, kind="stable")
    kept, first = np.unique(component[order], return_index=True)
    length = runs.length
    z, y, x = (values + start for values, start in zip((runs.z, runs.y, runs.start), origin, strict=True))
    begin = np.cumsum(length) - length
    score = scores.astype(np.int64)
    run_sum, run_max = (operation.reduceat(score, begin) if len(begin) else score for operation in (np.add, np.maximum))
    low = np.stack([z, y, x], 1)
    high = np.stack([z + 1, y + 1, x + length], 1)
    sums = np.stack([z * length, y * length, x * length + length * (length - 1) // 2], 1)

    def reduced(operation: np.ufunc, values: NDArray[np.int64]) -> NDArray[np.int64]:
        return operation.reduceat(values[order], first, axis=0) if len(kept) else values

    return Fragments(
        fragment_id=ids[kept],
        size_voxels=reduced(np.add, length),
        index_sum=reduced(np.add, sums),
        start=reduced(np.minimum, low),
        stop=reduced(np.maximum, high),
        score_sum=reduced(np.add, run_sum),
        score_max=reduced(np.maximum, run_max).astype(np.int16),
    )
