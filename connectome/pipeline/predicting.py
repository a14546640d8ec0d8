"""Stage predict: the detector on every tile that the box needs, into the scratch volume of tiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.predict import CleftPredictor
from connectome.clefts.tiling import TileLattice
from connectome.geometry import BlockGrid, Box, Triple, triple
from connectome.grid_view import GridView
from connectome.pipeline.blocks import Blocks, Computed, Work
from connectome.pipeline.context import BuildContext

TILES_A_BLOCK: Triple = (1, 2, 2)


def predict_blocks(context: BuildContext) -> Blocks:
    """The groups of tiles that the box needs, with the voxels that each predicts first."""
    lattice, box = context.lattice, context.predicted_box
    grid = tile_blocks(lattice, box)
    return Blocks.of(lambda: ((block_id, _new_voxels(lattice, cells, box)) for block_id, cells in grid))


def open_predict(context: BuildContext) -> Work:
    """The work of the stage.

    Raises (the work):
        StorageError: the image can't be read or the tiles can't be written.
    """
    lattice = context.lattice
    grid = tile_blocks(lattice, context.predicted_box)
    predictor = CleftPredictor(context.inputs.detector, context.inputs.device)

    def work(block_id: int) -> Computed:
        outputs = []
        for cell in _cells(grid.block(block_id)):
            tile = mirrored(context.detector_image, lattice.input_box(cell))
            with context.network():
                output = predictor.predict(tile[None])[0]
            outputs.append((lattice.store_box(cell), kept_part(output, lattice, cell)))

        def write() -> None:
            for box, output in outputs:
                context.tiles.write(box, output)

        return Computed(write_voxels=write)

    return work


def tile_output(predictor: CleftPredictor, image: GridView, lattice: TileLattice, cell: Triple) -> NDArray[np.uint8]:
    """What the detector says of the voxels that a tile keeps: uint8 (z, y, x)."""
    return kept_part(predictor.predict(mirrored(image, lattice.input_box(cell))[None])[0], lattice, cell)


def kept_part(output: NDArray[np.uint8], lattice: TileLattice, cell: Triple) -> NDArray[np.uint8]:
    """The part of a tile's output, uint8 (z, y, x), that is kept: without its halo."""
    return np.ascontiguousarray(output[lattice.kept_box(cell).slices(lattice.input_box(cell).start)])


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
