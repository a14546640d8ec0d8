"""Stage label: blend the tiles of each block, label it, store its fragments and what its neighbours see of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import LabelledBlock, grown, label_block
from connectome.clefts.tiling import Blender
from connectome.geometry import Box
from connectome.pipeline.context import BuildContext, WriteRows, box_blocks, shifted
from connectome.store.blocks import BlockTransaction, Stage
from connectome.store.building import write_rows


def label(context: BuildContext) -> None:
    """Run the stage.

    Raises:
        StorageError: tiles can't be read, or predictions and labels can't be written.
    """

    def work(block_id: int) -> WriteRows:
        block = context.grid.block(block_id)
        wide = grown(block, context.inputs.box)
        seen = wide.grow(context.representation.halo).intersect(context.predicted_box)
        prediction = blended(context, seen)
        context.prediction.write(block, np.ascontiguousarray(prediction[block.slices(seen.start)]))
        strength = context.representation.strength(prediction)[wide.slices(seen.start)]
        parameters = context.parameters
        labelled = label_block(strength, block, context.inputs.shape, parameters.threshold, parameters.connectivity)
        context.clefts.write(block, labelled.labels)
        return lambda transaction: _write(context, transaction, block_id, labelled)

    context.run_stage(Stage.LABEL, box_blocks(context.grid), work)


def blended(context: BuildContext, box: Box) -> NDArray[np.uint8]:
    """The blended prediction over a box of working voxels: uint8 (z, y, x)."""
    lattice = context.lattice
    blender = Blender(lattice, box)
    for cell in lattice.cells_overlapping(box):
        output = lattice.output_box(cell)
        part = output.intersect(box)
        stored = shifted(part, output.start).shift(lattice.store_box(cell).start)
        blender.add(cell, part, context.tiles.read(stored))
    return blender.result()


def _write(context: BuildContext, transaction: BlockTransaction, block_id: int, labelled: LabelledBlock) -> None:
    fragments = labelled.fragments
    columns: dict[str, NDArray[Any]] = {
        "block_id": np.full(len(fragments.fragment_id), block_id, np.int64),
        "fragment_id": fragments.fragment_id, "size_voxels": fragments.size_voxels,
        "score_sum": fragments.score_sum, "score_max": fragments.score_max,
    }  # fmt: skip
    for i, axis in enumerate("zyx"):
        columns |= {f"sum_{axis}": fragments.index_sum[:, i], f"start_{axis}": fragments.start[:, i]}
        columns |= {f"stop_{axis}": fragments.stop[:, i]}
    write_rows(transaction.connection, "fragment", context.run.run_id, columns)
    transaction.faces = np.ascontiguousarray(labelled.border).tobytes() if len(labelled.border) else None
