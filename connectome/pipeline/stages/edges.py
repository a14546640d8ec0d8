"""Stage edges: all synapses from one segment to another become one row, and between roots of each version."""

from __future__ import annotations

from connectome.pipeline.context import BuildContext
from connectome.pipeline.stages.stage import Blocks, Computed, Work
from connectome.store.findings.edges import refresh_edges
from connectome.store.findings.reading import counts
from connectome.store.proofreading.root_versions import refresh_all_roots
from connectome.store.runs.blocks import BlockTransaction


def edge_blocks(context: BuildContext) -> Blocks:
    """One block: PostgreSQL adds up all synapses at once."""
    synapses = counts(context.database, context.run.run_id).synapses
    return Blocks.of(lambda: [(0, synapses)], unit="synapses")


def open_edges(context: BuildContext) -> Work:
    """The work of the stage."""

    def write(transaction: BlockTransaction) -> None:
        refresh_edges(transaction.connection, context.run.run_id)
        refresh_all_roots(transaction.connection, context.run.run_id)

    return lambda block_id: Computed(write_rows=write)
