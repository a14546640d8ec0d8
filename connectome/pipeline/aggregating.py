"""Stage edges: all synapses from one segment to another become one row."""

from __future__ import annotations

from connectome.pipeline.context import BuildContext, WriteRows
from connectome.store.blocks import BlockTransaction, Stage
from connectome.store.edges import refresh_edges, vacuum_edges
from connectome.store.reading import counts


def aggregate_edges(context: BuildContext) -> None:
    """Run the stage: one block, inside PostgreSQL."""
    run_id = context.run.run_id

    def work(block_id: int) -> WriteRows:
        def write(transaction: BlockTransaction) -> None:
            refresh_edges(transaction.connection, run_id)

        return write

    context.run_stage(Stage.EDGES, [(0, counts(context.database, run_id).synapses)], work, unit="synapses")
    vacuum_edges(context.database, run_id)
