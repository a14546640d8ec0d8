"""Stages stitch and relabel: fragments become clefts, in the database and then as a volume of labels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import LabelledBlock
from connectome.clefts.stitching import join, shared_voxel_pairs
from connectome.geometry import BlockGrid
from connectome.pipeline.context import BuildContext, WriteRows, box_blocks, chunk_shape, no_rows, shifted
from connectome.pipeline.labelling import blended_tiles, labelled_block, seen_box
from connectome.store.blocks import BlockTransaction, Stage
from connectome.store.building import CleftRules, fragment_targets, read_borders, write_clefts, write_rows
from connectome.volume import Volume

BLOCKS_AT_ONCE = 64


def stitch(context: BuildContext) -> None:
    """Run the stage stitch: one block, since union-find needs all pairs of fragments; borders are read bit by bit."""
    rules = CleftRules(
        min_size_voxels=context.parameters.min_size_voxels,
        grid=context.grid,
        resolution_nm=context.inputs.resolution_nm,
        offset_nm=context.inputs.offset_nm,
    )

    def work(block_id: int) -> WriteRows:
        fragments, clefts = join(np.concatenate([np.zeros((0, 2), np.int64), *_pairs(context)]))
        changed = fragments != clefts

        def write(transaction: BlockTransaction) -> None:
            columns = {"fragment_id": fragments[changed], "cleft_id": clefts[changed]}
            write_rows(transaction.connection, "fragment_cleft", context.run.run_id, columns)
            write_clefts(transaction.connection, context.run.run_id, rules)

        return write

    context.run_stage(Stage.STITCH, [(0, context.inputs.box.size_voxels)], work)


def relabel_blocks(context: BuildContext) -> None:
    """Run the stage relabel: the clefts' ids become voxels; small objects vanish.

    Raises:
        StorageError: predictions can't be read, or labels can't be written.
    """

    def work(block_id: int) -> WriteRows:
        sources, targets = fragment_targets(context.database, context.run.run_id, block_id)
        if targets.any():
            block = context.grid.block(block_id)
            seen = seen_box(context, block)
            stored = context.inputs.box.contains(seen)
            prediction = context.prediction.read(seen) if stored else blended_tiles(context, seen)
            labelled = labelled_block(context, block, prediction)
            chunks = BlockGrid(block, chunk_shape(context.parameters.block_shape))
            write_labels(context.clefts, chunks, labelled, labelled.targets(sources, targets))
        return no_rows

    context.run_stage(Stage.RELABEL, box_blocks(context.grid), work)


def write_labels(volume: Volume, chunks: BlockGrid, labelled: LabelledBlock, ids: NDArray[np.int64]) -> None:
    """Write a block (`chunks.box`) with an id for each run, where there is any; elsewhere the new volume is 0 already.

    Raises:
        StorageError: disk full or unwritable.
    """
    for box in labelled.occupied(ids, chunks):
        volume.write(box, labelled.painted(ids, shifted(box, chunks.box.start)))


def _pairs(context: BuildContext) -> Iterator[NDArray[np.int64]]:
    """The fragments that neighbouring blocks share: of a few blocks in a row along x and those before them."""
    layers, rows, columns = context.grid.counts
    for z, y, first in product(range(layers), range(rows), range(0, columns, BLOCKS_AT_ONCE)):
        last = min(first + BLOCKS_AT_ONCE, columns)
        near = product(range(max(z - 1, 0), z + 1), range(max(y - 1, 0), y + 1), range(max(first - 1, 0), last))
        ids = [(k * rows + j) * columns + i for k, j, i in near]
        yield shared_voxel_pairs(read_borders(context.database, context.run.run_id, ids))
