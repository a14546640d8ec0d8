"""Stage assign: partners of every cleft, block by block of the clefts' centres."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from connectome.partners.assignment import assign
from connectome.partners.synapses import Assigned, assigned
from connectome.pipeline.stages.stage import BuildStage, Computed
from connectome.pipeline.steps import patch_batches
from connectome.store.findings.building import block_clefts, clefts_per_block, set_cleft_states, write_table
from connectome.store.runs.blocks import BlockTransaction, Stage


class AssignStage(BuildStage):
    """The blocks that hold a cleft's centre; others need no work."""

    name = Stage.ASSIGN
    unit = "clefts"
    tables = ("candidate", "synapse")
    network = True

    @cached_property
    def _counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return clefts_per_block(self.context.database, self.context.run.run_id)

    def blocks(self) -> Iterator[tuple[int, int]]:
        """The blocks with their numbers of clefts."""
        return zip(*map(np.ndarray.tolist, self._counts), strict=True)

    def open(self) -> None:
        """Load the assigner."""
        context = self.context
        self._assigner = context.open_assigner()
        self._reader = context.patch_reader(context.clefts, context.prediction.read)

    def work(self, block_id: int) -> Computed:
        """Find the partners of a block's clefts.

        Raises:
            StorageError: a volume can't be read.
        """
        context, parameters = self.context, self.context.parameters
        clefts = block_clefts(context.database, context.run.run_id, block_id, context.working_grid)
        rules = context.working_grid, parameters.min_score, parameters.confidence
        found = []
        for own, seen, patches in patch_batches(clefts, self._reader):
            with context.network.held():
                partners = assign(
                    patches,
                    self._assigner,
                    parameters.assignment,
                    context.inputs.resolution_nm,
                    self._reader.shape,
                )
            found.append(assigned(own, partners, seen, *rules))
        whole = Assigned.concatenated(found)

        def write(transaction: BlockTransaction) -> None:
            run_id, connection = context.run.run_id, transaction.connection
            write_table(connection, run_id, whole.candidates)
            write_table(connection, run_id, whole.synapses)
            set_cleft_states(connection, run_id, clefts.cleft_id, whole.state)

        return Computed(write_rows=write)
