"""Stage label: blend the tiles of each block, label it, store its fragments and what its neighbours see of them.

The labels themselves are written once the clefts are known (see `stitching.relabel_blocks`); labelling again is cheaper
than reading them back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import Connectivity, LabelledBlock, grown, label_block
from connectome.clefts.tiling import Blender, TileLattice
from connectome.geometry import Box, Triple
from connectome.pipeline.context import BuildContext, shifted
from connectome.pipeline.stages.stage import Blocks, Computed, Work, box_blocks
from connectome.store.findings.building import write_rows
from connectome.store.runs.blocks import BlockTransaction


def label_blocks(context: BuildContext) -> Blocks:
    """The blocks of the box."""
    return box_blocks(context.grid)


def open_label(context: BuildContext) -> Work:
    """The work of the stage.

    Raises (the work):
        StorageError: tiles can't be read, or predictions can't be written.
    """

    def work(block_id: int) -> Computed:
        block = context.grid.block(block_id)
        seen = seen_box(context, block)
        prediction = blended_tiles(context, seen)
        stored = np.ascontiguousarray(prediction[block.slices(seen.start)])
        labelled = labelled_block(context, block, prediction)
        return Computed(
            write_voxels=lambda: context.prediction.write(block, stored),
            write_rows=lambda transaction: _write(context, transaction, block_id, labelled),
        )

    return work


def seen_box(context: BuildContext, block: Box) -> Box:
    """What of the prediction the labels of a block depend on."""
    wide = grown(block, context.inputs.box)
    return wide.grow(context.representation.halo).intersect(context.predicted_box)


def labelled_block(context: BuildContext, block: Box, prediction: NDArray[np.uint8]) -> LabelledBlock:
    """A block's components, from the prediction (uint8 (z, y, x)) over its `seen_box`."""
    wide, parameters = grown(block, context.inputs.box), context.parameters
    strength = context.representation.strength(prediction)[wide.slices(seen_box(context, block).start)]
    threshold, connectivity = parameters.stored_threshold, Connectivity(parameters.connectivity)
    return label_block(np.ascontiguousarray(strength), block, context.inputs.shape, threshold, connectivity)


def blended_tiles(context: BuildContext, box: Box) -> NDArray[np.uint8]:
    """The prediction over a box of the predicted voxels, from the tiles: uint8 (z, y, x)."""

    def read_tile(cell: Triple, part: Box) -> NDArray[np.uint8]:
        return context.tiles.read(part.shift(context.lattice.store_box(cell).start))

    return blended(context.lattice, box, read_tile)


def blended(lattice: TileLattice, box: Box, read_tile: Callable[[Triple, Box], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The blended prediction over a box of working voxels: uint8 (z, y, x).

    Args:
        lattice: the detector's tiles.
        box: where.
        read_tile: gives a part of a tile's output, from its place in the lattice and a box in voxels of the output.
    """
    blender = Blender(lattice, box)
    for cell in lattice.cells_overlapping(box):
        output = lattice.output_box(cell)
        part = output.intersect(box)
        blender.add(cell, part, read_tile(cell, shifted(part, output.start)))
    return blender.result()


def _write(context: BuildContext, transaction: BlockTransaction, block_id: int, labelled: LabelledBlock) -> None:
    fragments = labelled.fragments
    columns: dict[str, NDArray[Any]] = {
        "block_id": np.full(len(fragments.fragment_id), block_id, np.int64),
        "fragment_id": fragments.fragment_id,
        "size_voxels": fragments.size_voxels,
        "score_sum": fragments.score_sum,
        "score_max": fragments.score_max,
    }
    for i, axis in enumerate("zyx"):
        columns |= {f"sum_{axis}": fragments.index_sum[:, i], f"start_{axis}": fragments.start[:, i]}
        columns |= {f"stop_{axis}": fragments.stop[:, i]}
    write_rows(transaction.connection, "fragment", context.run.run_id, columns)
    transaction.faces = np.ascontiguousarray(labelled.border).tobytes() if len(labelled.border) else None
