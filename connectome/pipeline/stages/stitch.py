"""Stages stitch and relabel: fragments become clefts, in the database and then as a volume of labels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import LabelledBlock
from connectome.clefts.stitching import Pairs, join_layers, shared_voxel_pairs
from connectome.geometry import BlockGrid
from connectome.pipeline.context import BuildContext, chunk_shape
from connectome.pipeline.stages.label import blended_tiles, labelled_block, seen_box
from connectome.pipeline.stages.stage import Blocks, Computed, Work, box_blocks
from connectome.store.findings.building import CleftRules, fragment_targets, read_borders, write_clefts, write_rows
from connectome.store.runs.blocks import BlockTransaction
from connectome.volumes.volume import Volume

BLOCKS_AT_ONCE = 64


def stitch_blocks(context: BuildContext) -> Blocks:
    """One block: union-find needs all pairs of fragments."""
    return Blocks.of(lambda: [(0, context.inputs.box.size_voxels)])


def open_stitch(context: BuildContext) -> Work:
    """The work of the stage; it holds the pairs of a layer of blocks and the objects that reach it."""
    rules = CleftRules(
        min_size_voxels=context.parameters.min_size_voxels,
        grid=context.grid,
        resolution_nm=context.inputs.resolution_nm,
        offset_nm=context.inputs.offset_nm,
    )

    def write(transaction: BlockTransaction) -> None:
        run_id = context.run.run_id
        for fragments, clefts in join_layers(_layers(context)):
            changed = fragments != clefts
            columns = {"fragment_id": fragments[changed], "cleft_id": clefts[changed]}
            write_rows(transaction.connection, "fragment_cleft", run_id, columns)
        write_clefts(transaction.connection, run_id, rules)

    return lambda block_id: Computed(write_rows=write)


def relabel_blocks(context: BuildContext) -> Blocks:
    """The blocks of the box."""
    return box_blocks(context.grid)


def open_relabel(context: BuildContext) -> Work:
    """The work of the stage: the clefts' ids become voxels; small objects vanish.

    Raises (the work):
        StorageError: predictions can't be read, or labels can't be written.
    """

    def work(block_id: int) -> Computed:
        sources, targets = fragment_targets(context.database, context.run.run_id, block_id)
        if not targets.any():
            return Computed()
        block = context.grid.block(block_id)
        seen = seen_box(context, block)
        stored = context.inputs.box.contains(seen)
        prediction = context.prediction.read(seen) if stored else blended_tiles(context, seen)
        labelled = labelled_block(context, block, prediction)
        chunks = BlockGrid(block, chunk_shape(context.parameters.block_shape))
        ids = labelled.targets(sources, targets)
        return Computed(write_voxels=lambda: write_labels(context.clefts, chunks, labelled, ids))

    return work


def write_labels(volume: Volume, chunks: BlockGrid, labelled: LabelledBlock, ids: NDArray[np.int64]) -> None:
    """Write a block (`chunks.box`) with an id for each fragment; where there is none, the new volume is 0 already.

    Raises:
        StorageError: disk full or unwritable.
    """
    labels = labelled.painted(ids)
    for box in labelled.occupied(ids, chunks):
        volume.write(box, labels[box.slices(chunks.box.start)])


def _layers(context: BuildContext) -> Iterator[tuple[Pairs, NDArray[np.int64]]]:
    """The layers of blocks along z: pairs of fragments that share voxels, and the fragments that go on upwards."""
    layers, rows, columns = context.grid.counts
    for z in range(layers):
        strips = [
            _strip(context, z, y, range(first, min(first + BLOCKS_AT_ONCE, columns)))
            for y, first in product(range(rows), range(0, columns, BLOCKS_AT_ONCE))
        ]
        pairs, fragments = zip(*strips, strict=True)
        yield np.concatenate(pairs), np.concatenate(fragments)


def _strip(context: BuildContext, z: int, y: int, xs: range) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of a few blocks in a row along x and those before them, and these blocks' own fragments."""
    _, rows, columns = context.grid.counts

    def borders(k: int, j: int, first: int) -> list[NDArray[np.int64]]:
        start = (k * rows + j) * columns
        return read_borders(context.database, context.run.run_id, range(start + first, start + xs.stop))

    near = [(k, j) for k, j in product(range(max(z - 1, 0), z + 1), range(max(y - 1, 0), y + 1))]
    found = [border for k, j in near for border in borders(k, j, max(xs.start - 1, 0))]
    own = np.concatenate([np.zeros(0, np.int64), *(border[:, 1] for border in borders(z, y, xs.start))])
    return shared_voxel_pairs(found), np.unique(own)
