"""Stage stitch: fragments that share voxels become clefts, in the database."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import Pairs, join_layers, shared_voxel_pairs
from connectome.pipeline.stages.stage import BuildStage, Computed
from connectome.store.findings.building import read_borders, write_clefts, write_renamed
from connectome.store.runs.blocks import BlockTransaction, Stage

BLOCKS_AT_ONCE = 64


class StitchStage(BuildStage):
    """One block: union-find needs all pairs of fragments."""

    name = Stage.STITCH
    block = "the run"
    tables = ("fragment_cleft", "cleft")
    spread = False

    def blocks(self) -> Iterator[tuple[int, int]]:
        """The run."""
        return iter([(0, self.context.inputs.box.size_voxels)])

    def work(self, block_id: int) -> Computed:
        """Join all fragments; in memory are the pairs of a layer of blocks and the objects that reach it."""
        return Computed(write_rows=self._write)

    def _write(self, transaction: BlockTransaction) -> None:
        context, connection = self.context, transaction.connection
        run_id = context.run.run_id
        for fragments, clefts in join_layers(self._layers()):
            changed = fragments != clefts
            write_renamed(connection, run_id, fragments[changed], clefts[changed])
        write_clefts(connection, run_id, context.working_grid, context.blocks, context.parameters.working_min_size)

    def _layers(self) -> Iterator[tuple[Pairs, NDArray[np.int64]]]:
        """The layers of blocks along z: pairs of fragments that share voxels, and the fragments that go on upwards."""
        layers, rows, columns = self.context.blocks.counts
        for z in range(layers):
            strips = [
                self._strip(z, y, range(first, min(first + BLOCKS_AT_ONCE, columns)))
                for y, first in product(range(rows), range(0, columns, BLOCKS_AT_ONCE))
            ]
            pairs, fragments = zip(*strips, strict=True)
            yield np.concatenate(pairs), np.concatenate(fragments)

    def _strip(self, z: int, y: int, xs: range) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs of a few blocks in a row along x and those before them, and these blocks' own fragments."""
        context = self.context
        _, rows, columns = context.blocks.counts

        def borders(k: int, j: int, first: int) -> list[NDArray[np.int64]]:
            start = (k * rows + j) * columns
            return read_borders(context.database, context.run.run_id, range(start + first, start + xs.stop))

        near = [(k, j) for k, j in product(range(max(z - 1, 0), z + 1), range(max(y - 1, 0), y + 1))]
        found = [border for k, j in near for border in borders(k, j, max(xs.start - 1, 0))]
        own = np.concatenate([np.zeros(0, np.int64), *(border[:, 1] for border in borders(z, y, xs.start))])
        return shared_voxel_pairs(found), np.unique(own)
