"""Stages deduplicate and edges: over the synapses of the whole run, in the database."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from connectome.partners.duplicates import merge_duplicates
from connectome.pipeline.stages.stage import BuildStage, Computed
from connectome.store.findings.building import cleft_count, repeated_synapses, synapses_per_part, write_merged
from connectome.store.findings.edges import refresh_all_roots, refresh_edges
from connectome.store.findings.reading import counts
from connectome.store.runs.blocks import BlockTransaction, Stage

CLEFTS_A_PART = 1_000_000


class DeduplicateStage(BuildStage):
    """Synapses that the detector found in pieces become one.

    A block is a part of the presynaptic segments, so each pair of segments is seen whole. Their number follows from the
    number of clefts alone, which stays the same when the stage is interrupted.
    """

    name = Stage.DEDUPLICATE
    block = "part of the presynaptic segments"
    unit = "synapses"
    tables = ("duplicate",)
    spread = False

    @property
    def is_wanted(self) -> bool:
        """With a distance of 0 nm there is nothing to do."""
        return self.context.parameters.duplicate_distance_nm > 0

    @cached_property
    def _parts(self) -> int:
        return max(-(-cleft_count(self.context.database, self.context.run.run_id) // CLEFTS_A_PART), 1)

    @cached_property
    def _sizes(self) -> dict[int, int]:
        return synapses_per_part(self.context.database, self.context.run.run_id, self._parts)

    def blocks(self) -> Iterator[tuple[int, int]]:
        """The parts with their numbers of synapses."""
        return iter(self._sizes.items())

    def work(self, block_id: int) -> Computed:
        """Merge the synapses of a part."""
        context = self.context
        synapses = repeated_synapses(context.database, context.run.run_id, block_id, self._parts)
        merged = merge_duplicates(synapses, context.parameters.duplicate_distance_nm)
        goes = ~merged.stays
        gone, kept, apart_nm = synapses.take(goes), synapses.cleft_id[merged.kept[goes]], merged.distance_nm[goes]

        def write(transaction: BlockTransaction) -> None:
            write_merged(transaction.connection, context.run.run_id, gone, kept, apart_nm)

        return Computed(write_rows=write)


class EdgesStage(BuildStage):
    """All synapses from one segment to another become one row, and between roots of each version.

    One block: PostgreSQL adds up all synapses at once.
    """

    name = Stage.EDGES
    block = "the run"
    unit = "synapses"
    tables = ("edge",)
    spread = False

    def blocks(self) -> Iterator[tuple[int, int]]:
        """The run."""
        return iter([(0, counts(self.context.database, self.context.run.run_id).synapses)])

    def work(self, block_id: int) -> Computed:
        """Add up the synapses."""
        return Computed(write_rows=self._write)

    def _write(self, transaction: BlockTransaction) -> None:
        refresh_edges(transaction.connection, self.context.run.run_id)
        refresh_all_roots(transaction.connection, self.context.run.run_id)
