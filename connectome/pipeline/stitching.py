"""Stages stitch and relabel: fragments become clefts, in the database and then in the volume of labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.stitching import join, relabel, shared_voxel_pairs
from connectome.pipeline.context import BuildContext, WriteRows, box_blocks, no_rows
from connectome.store.blocks import BlockTransaction, Stage
from connectome.store.building import CleftRules, fragment_targets, read_borders, write_clefts, write_rows


def stitch(context: BuildContext) -> None:
    """Run the stage stitch: one block, since union-find needs all pairs; it holds two layers of borders at a time."""
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
    """Run the stage relabel: fragment ids in the volume become cleft ids, small objects vanish."""

    def work(block_id: int) -> WriteRows:
        block = context.grid.block(block_id)
        sources, targets = fragment_targets(context.database, context.run.run_id, block_id)
        if not np.array_equal(sources, targets):
            context.clefts.write(block, relabel(context.clefts.read(block), sources, targets))
        return no_rows

    context.run_stage(Stage.RELABEL, box_blocks(context.grid), work)


def _pairs(context: BuildContext) -> Iterator[NDArray[np.int64]]:
    """The fragments that neighbouring blocks share, layer by layer along z."""
    layers, ny, nx = context.grid.counts
    below: list[NDArray[np.int64]] = []
    for layer in range(layers):
        here = read_borders(context.database, context.run.run_id, range(layer * ny * nx, (layer + 1) * ny * nx))
        yield shared_voxel_pairs([*below, *here])
        below = here
