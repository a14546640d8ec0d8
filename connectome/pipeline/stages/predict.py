"""Stage predict: the detector on every tile that the box needs, into the scratch volume of tiles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from connectome.clefts.tiling import TileLattice
from connectome.geometry import BlockGrid, Box, Triple, triple
from connectome.pipeline.stages.stage import BuildStage, Computed
from connectome.store.runs.blocks import Stage

TILES_A_BLOCK: Triple = (1, 2, 2)


class PredictStage(BuildStage):
    """A block is a group of tiles; its size: the voxels that it predicts first."""

    name = Stage.PREDICT
    block = "group of tiles"
    volumes = ("tiles",)
    network = True

    @cached_property
    def groups(self) -> BlockGrid:
        """Boxes of lattice cells that cover the tiles which the box needs."""
        cells = self.context.lattice.cells_overlapping(self.context.predicted_box)
        return BlockGrid(Box(cells[0], triple(c + 1 for c in cells[-1])), TILES_A_BLOCK)

    def blocks(self) -> Iterator[tuple[int, int]]:
        """The groups."""
        lattice, box = self.context.lattice, self.context.predicted_box
        return ((block_id, _new_voxels(lattice, cells, box)) for block_id, cells in self.groups)

    def open(self) -> None:
        """Load the detector."""
        self._predictor = self.context.tile_predictor(self.context.network.held)

    def work(self, block_id: int) -> Computed:
        """Predict a group.

        Raises:
            StorageError: the image can't be read, or the tiles can't be written.
            DeviceError: the device hasn't the memory for a tile.
        """
        context, cells = self.context, _cells(self.groups.block(block_id))
        outputs = self._predictor.outputs(cells)

        def write() -> None:
            for cell, output in zip(cells, outputs, strict=True):
                context.tiles.write(context.lattice.store_box(cell), output)

        return Computed(write_voxels=write)


def _cells(block: Box) -> list[Triple]:
    z, y, x = (range(a, b) for a, b in zip(block.start, block.stop, strict=True))
    return [(k, j, i) for k in z for j in y for i in x]


def _new_voxels(lattice: TileLattice, cells: Box, box: Box) -> int:
    """The number of voxels of the box that tiles predict and no earlier tile does: over all blocks, each voxel once."""
    stride, counts = lattice.tiles.stride, lattice.counts
    start = cells.start * stride
    ends = zip(cells.stop, stride, counts, lattice.shape, strict=True)
    stop = triple(n if c == count else c * s for c, s, count, n in ends)
    return Box(start, stop).intersect(box).size_voxels
