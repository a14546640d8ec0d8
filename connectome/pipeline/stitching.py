"""Stages stitch and relabel: fragments become clefts, in the database and then in the volume of labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.stitching import BorderLayer, join_layers, relabel, shared_voxel_pairs
from connectome.pipeline.blocks import Blocks, Computed, Work, box_blocks
from connectome.pipeline.context import BuildContext
from connectome.store.blocks import BlockTransaction
from connectome.store.building import CleftRules, fragment_targets, read_borders, write_clefts, write_rows


def stitch_blocks(context: BuildContext) -> Blocks:
    """One block: union-find needs all pairs."""
    return Blocks.of(lambda: [(0, context.inputs.box.size_voxels)])


def open_stitch(context: BuildContext) -> Work:
    """The work of the stage: it holds two layers of borders at a time, and the objects that reach the upper one."""
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
    """The work of the stage: fragment ids in the volume become cleft ids, small objects vanish."""

    def work(block_id: int) -> Computed:
        block = context.grid.block(block_id)
        sources, targets = fragment_targets(context.database, context.run.run_id, block_id)
        if np.array_equal(sources, targets):
            return Computed()
        labels = relabel(context.clefts.read(block), sources, targets)
        return Computed(write_voxels=lambda: context.clefts.write(block, labels))

    return work


def _layers(context: BuildContext) -> Iterator[BorderLayer]:
    """The borders of the blocks, layer by layer along z, with the pairs that each has inside and with the one below."""
    layers, ny, nx = context.grid.counts
    below: list[NDArray[np.int64]] = []
    for layer in range(layers):
        here = read_borders(context.database, context.run.run_id, range(layer * ny * nx, (layer + 1) * ny * nx))
        fragments = np.concatenate([np.zeros(0, np.int64), *(border[:, 1] for border in here)])
        yield BorderLayer(pairs=shared_voxel_pairs([*below, *here]), fragments=np.unique(fragments))
        below = here
