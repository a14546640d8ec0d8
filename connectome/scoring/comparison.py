"""Streams a run's predicted clefts over annotated ones and counts what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.errors import IncompleteRunError, ResolutionError
from connectome.evaluate.clefts import OverlapCounter, OverlapTable
from connectome.formats.reference import BACKGROUND, IGNORE, Reference
from connectome.geometry import BlockGrid, Box, Grid, NmTriple, Triple, triple, voxel_at_nm, whole_factors
from connectome.records import Progress, ReferenceSynapse, Synapses
from connectome.volumes.volume import Volume

BLOCK_SHAPE = (64, 256, 256)
TOLERANCE_VOXELS = 1e-2


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Predicted and annotated clefts on one grid: the reference's, `factors` of whose voxels make a predicted one.

    `shift` is the first predicted voxel in voxels of the reference; nothing is predicted outside of `within`.
    """

    predicted: Volume
    reference: Reference
    factors: Triple
    shift: Triple
    background: frozenset[int]
    within: Box

    @classmethod
    def of(
        cls, predicted: Volume, reference: Reference, annotations: Sequence[ReferenceSynapse], *, within: Box
    ) -> Comparison:
        """Lay a label volume, whose labels lie `within` a box, over a reference.

        Raises:
            ResolutionError: the predicted voxels aren't whole multiples of the reference's, or begin between them.
        """
        factors = whole_factors(predicted.grid.resolution_nm, reference.grid.resolution_nm)
        shift = whole_shift(predicted.grid.offset_nm, reference.grid, predicted.url)
        zero_is_a_cleft = any(annotation.cleft_id == 0 for annotation in annotations)
        background = {BACKGROUND} if zero_is_a_cleft else {BACKGROUND, 0}
        return cls(
            predicted=predicted,
            reference=reference,
            factors=factors,
            shift=shift,
            background=frozenset(background),
            within=within.intersect(predicted.box),
        )

    @property
    def blocks(self) -> BlockGrid:
        """The predicted voxels that the reference covers, in blocks."""
        extent = self.reference.grid.shape
        start = triple(-s // f for s, f in zip(self.shift, self.factors, strict=True))
        stop = triple(-(-(n - s) // f) for n, s, f in zip(extent, self.shift, self.factors, strict=True))
        shape = triple(max(n // f, 1) for n, f in zip(BLOCK_SHAPE, self.factors, strict=True))
        return BlockGrid(Box(start, stop).intersect(self.within), shape)

    def fine(self, box: Box) -> Box:
        """A box of predicted voxels in voxels of the reference."""
        start = triple(a * f for a, f in zip(box.start, self.factors, strict=True))
        return Box(start, triple(b * f for b, f in zip(box.stop, self.factors, strict=True))).shift(self.shift)

    def read_predicted(self, box: Box) -> NDArray[np.uint64]:
        """Predicted cleft ids of `box`, uint64 (z, y, x), at the reference's resolution."""
        labels = self.predicted.read(box).astype(np.uint64, copy=False)
        for axis, factor in enumerate(self.factors):
            labels = labels if factor == 1 else np.repeat(labels, factor, axis)
        return labels

    def read_reference(self, box: Box) -> NDArray[np.uint64]:
        """Annotated labels of `box` of predicted voxels, uint64 (z, y, x); background beyond the border."""
        return self.reference.read_clefts(self.fine(box))


def count_overlap(comparison: Comparison, synapses: Synapses, progress: Progress) -> tuple[OverlapTable, set[int]]:
    """What each predicted cleft covers, and the clefts of `synapses` whose centroid lies in ignored space.

    Raises:
        IncompleteRunError: the label volume holds none of the synapses' clefts.
    """
    blocks = comparison.blocks
    centroids = _centroids_by_block(comparison, blocks, synapses)
    counter = OverlapCounter(background=comparison.background, ignore=IGNORE)
    ignored: set[int] = set()
    progress.start("compare clefts", blocks.box.size_voxels)
    for block_id, block in blocks:
        labels = comparison.read_predicted(block)
        here = centroids.get(block_id, {})
        if here or labels.any():
            annotated = comparison.read_reference(block)
            counter.add(labels, annotated)
            first = comparison.fine(block).start
            ignored.update(c for c, voxel in here.items() if annotated[_index(voxel, first)] == IGNORE)
        progress.advance(block.size_voxels)
    progress.finish()
    table = counter.table()
    located = {cleft_id for clefts in centroids.values() for cleft_id in clefts}
    if located and located.isdisjoint(table):
        raise IncompleteRunError(
            f"{comparison.predicted.url} holds none of the run's {len(located)} clefts: it isn't the label volume of "
            "this run",
            about="restart",
        )
    return table, ignored


def _centroids_by_block(comparison: Comparison, blocks: BlockGrid, synapses: Synapses) -> dict[int, dict[int, Triple]]:
    """Block id -> cleft id -> voxel of the reference, for the centroids that lie in the blocks and the reference."""
    grid = comparison.reference.grid
    found: dict[int, dict[int, Triple]] = {}
    for cleft_id, centroid_nm in zip(synapses.cleft_id.tolist(), synapses.centroid_nm.tolist(), strict=True):
        voxel = voxel_at_nm(centroid_nm, grid.resolution_nm, grid.offset_nm)
        coarse = triple((v - s) // f for v, s, f in zip(voxel, comparison.shift, comparison.factors, strict=True))
        if grid.box.contains_point(voxel) and blocks.box.contains_point(coarse):
            found.setdefault(blocks.block_id_at(coarse), {})[cleft_id] = voxel
    return found


def _index(voxel: Triple, first: Triple) -> Triple:
    return triple(v - f for v, f in zip(voxel, first, strict=True))


def whole_shift(offset_nm: NmTriple, grid: Grid, name: str) -> Triple:
    """Where a volume that begins at `offset_nm` begins in voxels of `grid`.

    Raises:
        ResolutionError: between two voxels.
    """
    shift = [(a - b) / r for a, b, r in zip(offset_nm, grid.offset_nm, grid.resolution_nm, strict=True)]
    if any(abs(s - round(s)) > TOLERANCE_VOXELS for s in shift):
        raise ResolutionError(
            f"{name} begins at {nm_text(offset_nm)} nm, not a whole number of voxels of "
            f"{nm_text(grid.resolution_nm)} nm from {nm_text(grid.offset_nm)} nm: correct its offset"
        )
    return triple(round(s) for s in shift)


def nm_text(values: NmTriple) -> str:
    """Three numbers as `--resolution` and `--offset` take them."""
    return ",".join(f"{value:g}" for value in values)
