"""Streams a run's predicted clefts over annotated ones and counts what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from connectome.errors import IncompleteRunError
from connectome.evaluate.clefts import OverlapCounter, OverlapTable
from connectome.formats.reference import BACKGROUND, IGNORE, Reference
from connectome.geometry import BlockGrid, Box, Grid, Vector, triple
from connectome.records import Progress, ReferenceSynapse, Synapses
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind

BLOCK_SHAPE = (64, 256, 256)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Predicted and annotated clefts on one grid, the reference's.

    Attributes:
        predicted: in voxels of the reference, each with the label at its centre.
        box: what of the reference was predicted.
    """

    predicted: GridView
    reference: Reference
    background: frozenset[int]
    box: Box

    @classmethod
    def of(
        cls, predicted: Volume, reference: Reference, annotations: Sequence[ReferenceSynapse], *, within: Box
    ) -> Comparison:
        """Lay a label volume, whose labels lie `within` a box, over a reference."""
        grid = reference.grid
        view = GridView(predicted, resolution_nm=grid.resolution_nm, anchor_nm=grid.offset_nm, kind=ViewKind.LABELS)
        zero_is_a_cleft = any(annotation.cleft_id == 0 for annotation in annotations)
        background = {BACKGROUND} if zero_is_a_cleft else {BACKGROUND, 0}
        return cls(
            predicted=view,
            reference=reference,
            background=frozenset(background),
            box=view.map.working(within.intersect(predicted.box)).intersect(grid.box),
        )


def count_overlap(comparison: Comparison, synapses: Synapses, progress: Progress) -> tuple[OverlapTable, set[int]]:
    """What each predicted cleft covers, and the clefts of `synapses` whose centroid lies in ignored space.

    Raises:
        IncompleteRunError: the label volume holds none of the synapses' clefts.
    """
    blocks = BlockGrid(comparison.box, BLOCK_SHAPE)
    centroids = _centroids_by_block(comparison.reference.grid, blocks, synapses)
    counter = OverlapCounter(background=comparison.background, ignore=IGNORE)
    ignored: set[int] = set()
    progress.start("compare clefts", blocks.box.size_voxels)
    for block_id, block in blocks:
        labels = comparison.predicted.read(block).astype(np.uint64, copy=False)
        here = centroids.get(block_id, {})
        if here or labels.any():
            annotated = comparison.reference.read_clefts(block)
            counter.add(labels, annotated)
            ignored.update(c for c, voxel in here.items() if annotated[triple(voxel - block.start)] == IGNORE)
        progress.advance(block.size_voxels)
    progress.finish()
    table = counter.table()
    located = {cleft_id for clefts in centroids.values() for cleft_id in clefts}
    if located and located.isdisjoint(table):
        url = comparison.predicted.volume.url
        raise IncompleteRunError(
            f"{url} holds none of the run's {len(located)} clefts: it isn't the label volume of this run",
            about="restart",
        )
    return table, ignored


def _centroids_by_block(grid: Grid, blocks: BlockGrid, synapses: Synapses) -> dict[int, dict[int, Vector[int]]]:
    """Block id -> cleft id -> voxel of the reference, for the centroids that lie in the blocks."""
    found: dict[int, dict[int, Vector[int]]] = {}
    for cleft_id, centroid_nm in zip(synapses.cleft_id.tolist(), synapses.centroid_nm.tolist(), strict=True):
        voxel = grid.voxel_at(centroid_nm)
        if blocks.box.contains_point(voxel):
            found.setdefault(blocks.block_id_at(voxel), {})[cleft_id] = voxel
    return found
