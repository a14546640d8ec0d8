"""Stages label and relabel: fragments of each block, and once the clefts are known, their ids as a volume.

Label stores a block's fragments and what its neighbours see of them. Relabel labels the block again, which is cheaper
than reading fragments' voxels back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import LabelledBlock
from connectome.geometry import BlockGrid
from connectome.pipeline.stages.stage import BoxStage, Computed
from connectome.store.findings.building import fragment_targets, write_table
from connectome.store.runs.blocks import BlockTransaction, Stage
from connectome.volumes.volume import Volume


class LabelStage(BoxStage):
    """Blends the tiles of each block, labels it, stores its fragments."""

    name = Stage.LABEL
    volumes = ("prediction",)
    tables = ("fragment",)

    def work(self, block_id: int) -> Computed:
        """Label a block.

        Raises:
            StorageError: tiles can't be read, or predictions can't be written.
        """
        context, block = self.context, self.context.blocks.block(block_id)
        seen = context.seen_box(block)
        prediction = context.blended_tiles(seen)
        stored = np.ascontiguousarray(prediction[block.slices(seen.start)])
        labelled = context.labelled(block, prediction)

        def write(transaction: BlockTransaction) -> None:
            write_table(transaction.connection, context.run.run_id, labelled.fragments, block_id=block_id)
            transaction.faces = np.ascontiguousarray(labelled.border).tobytes() if len(labelled.border) else None

        return Computed(write_voxels=lambda: context.prediction.write(block, stored), write_rows=write)


class RelabelStage(BoxStage):
    """The clefts' ids become voxels; small objects vanish."""

    name = Stage.RELABEL
    volumes = ("clefts",)

    def work(self, block_id: int) -> Computed:
        """Write a block's ids, where there are any; elsewhere the new volume is 0 already.

        Raises:
            StorageError: predictions can't be read, or labels can't be written.
        """
        context = self.context
        sources, targets = fragment_targets(context.database, context.run.run_id, block_id)
        if not targets.any():
            return Computed()
        block = context.blocks.block(block_id)
        seen = context.seen_box(block)
        stored = context.inputs.box.contains(seen)
        prediction = context.prediction.read(seen) if stored else context.blended_tiles(seen)
        labelled = context.labelled(block, prediction)
        ids = labelled.targets(sources, targets)
        chunks = BlockGrid(block, context.chunk_shape)
        return Computed(write_voxels=lambda: write_labels(context.clefts, chunks, labelled, ids))


def write_labels(volume: Volume, chunks: BlockGrid, labelled: LabelledBlock, ids: NDArray[np.int64]) -> None:
    """Write a block (`chunks.box`) with an id for each fragment; where there is none, the new volume is 0 already.

    Raises:
        StorageError: disk full or unwritable.
    """
    labels = labelled.painted(ids)
    for box in labelled.occupied(ids, chunks):
        volume.write(box, labels[box.slices(chunks.box.start)])
