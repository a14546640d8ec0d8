"""Stage predict: the detector on every tile that the box needs, into the scratch volume of tiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.predict import CleftPredictor
from connectome.clefts.tiling import TileLattice
from connectome.geometry import BlockGrid, Box, Triple, triple
from connectome.networks.inference import encoded_absence
from connectome.pipeline.context import BuildContext
from connectome.pipeline.stages.stage import Blocks, Computed, Work
from connectome.volumes.segment_ids import may_hold_others, read_segments
from connectome.volumes.working_grid import GridView

TILES_A_BLOCK: Triple = (1, 2, 2)
SLAB_SECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class TilePredictor:
    """Answers for tiles; threads may share it.

    Attributes:
        network: the detector.
        image: uint8, with the detector's grey values.
        segmentation: on the same working grid; tiles that show none of it aren't shown to the network.
        lattice: the tiles.
        turn: held around each call of the network.
    """

    network: CleftPredictor
    image: GridView
    segmentation: GridView
    lattice: TileLattice
    turn: Callable[[], AbstractContextManager[None]] = nullcontext

    def outputs(self, cells: Sequence[Triple]) -> list[NDArray[np.uint8]]:
        """What the detector says of the voxels that tiles keep: uint8 (z, y, x) each.

        Where a tile keeps nothing but background, there is no cleft. That is decided by the tile, not by the block.

        Raises:
            StorageError: a volume can't be read. DeviceError: the device hasn't the memory for a tile.
        """
        method = self.network.card.method
        kept = {cell: self.lattice.kept_box(cell) for cell in cells}
        found = {cell: np.full(box.shape, encoded_absence(method), np.uint8) for cell, box in kept.items()}
        alike: dict[Triple, list[Triple]] = {}
        for cell, box in kept.items():
            if has_segments(self.segmentation, box):
                alike.setdefault(self.lattice.input_box(cell).shape, []).append(cell)
        for group in alike.values():
            seen = [self.lattice.input_box(cell) for cell in group]
            tiles = np.stack([mirrored(self.image, box) for box in seen])
            with self.turn():
                predicted = self.network.predict(tiles)
            for cell, box, output in zip(group, seen, predicted, strict=True):
                found[cell] = np.ascontiguousarray(output[kept[cell].slices(box.start)])
        return [found[cell] for cell in cells]


def predict_blocks(context: BuildContext) -> Blocks:
    """The groups of tiles that the box needs, with the voxels that each predicts first."""
    lattice, box = context.lattice, context.predicted_box
    grid = tile_blocks(lattice, box)
    return Blocks.of(lambda: ((block_id, _new_voxels(lattice, cells, box)) for block_id, cells in grid))


def open_predict(context: BuildContext) -> Work:
    """The work of the stage.

    Raises (the work):
        StorageError: the image can't be read or the tiles can't be written.
        DeviceError: the device hasn't the memory for a tile.
    """
    lattice, inputs = context.lattice, context.inputs
    grid = tile_blocks(lattice, context.predicted_box)
    predictor = TilePredictor(
        network=CleftPredictor(inputs.detector, inputs.device),
        image=context.detector_image,
        segmentation=inputs.segmentation,
        lattice=lattice,
        turn=context.network,
    )

    def work(block_id: int) -> Computed:
        cells = _cells(grid.block(block_id))
        outputs = predictor.outputs(cells)

        def write() -> None:
            for cell, output in zip(cells, outputs, strict=True):
                context.tiles.write(lattice.store_box(cell), output)

        return Computed(write_voxels=write)

    return work


def has_segments(segmentation: GridView, box: Box) -> bool:
    """Whether any voxel of a box belongs to a segment; reads no more of it than that, or its ids, need.

    Raises:
        SegmentIdError: an id that isn't one. StorageError: a chunk can't be read.
    """
    slabs = BlockGrid(box, (SLAB_SECTIONS, *box.shape[1:]))
    found = (read_segments(segmentation, slab).any() for _, slab in slabs)
    return any(list(found) if may_hold_others(segmentation.dtype) else found)


def mirrored(image: GridView, box: Box) -> NDArray[Any]:
    """The voxels (z, y, x) of `box`; beyond the border the mirror image, so that the network sees tissue there."""
    inside = box.intersect(image.box)
    if inside.is_empty:
        return image.read(box)
    before = (b - a for a, b in zip(box.start, inside.start, strict=True))
    after = (b - a for a, b in zip(inside.stop, box.stop, strict=True))
    return np.pad(image.read(inside), list(zip(before, after, strict=True)), mode="symmetric")


def tile_blocks(lattice: TileLattice, box: Box) -> BlockGrid:
    """Groups of tiles as blocks: boxes in lattice cells that cover the tiles which `box` needs."""
    cells = lattice.cells_overlapping(box)
    return BlockGrid(Box(cells[0], triple(c + 1 for c in cells[-1])), TILES_A_BLOCK)


def _cells(block: Box) -> list[Triple]:
    z, y, x = (range(a, b) for a, b in zip(block.start, block.stop, strict=True))
    return [(k, j, i) for k in z for j in y for i in x]


def _new_voxels(lattice: TileLattice, cells: Box, box: Box) -> int:
    """How many voxels of the box tiles predict that no earlier tile does: over all blocks, each voxel once."""
    stride, counts = lattice.tiles.stride, lattice.counts
    start = triple(c * s for c, s in zip(cells.start, stride, strict=True))
    ends = zip(cells.stop, stride, counts, lattice.shape, strict=True)
    stop = triple(n if c == count else c * s for c, s, count, n in ends)
    return Box(start, stop).intersect(box).size_voxels
