"""Stage deduplicate: synapses that the detector found in pieces become one."""

from __future__ import annotations

import numpy as np

from connectome.partners.duplicates import PlacedSynapses, merge_duplicates
from connectome.pipeline.context import BuildContext
from connectome.pipeline.stages.stage import Blocks, Computed, Work
from connectome.store.findings.duplicates import cleft_count, repeated_synapses, synapses_per_part, write_merged

CLEFTS_A_PART = 1_000_000


def deduplicate_blocks(context: BuildContext) -> Blocks | None:
    """Parts of the presynaptic segments with their numbers of synapses, so each pair of segments is seen whole.

    Their number follows from the number of clefts alone, which stays the same when the stage is interrupted. With a
    distance of 0 nm there is nothing to do, and the stage leaves no trace.
    """
    if context.parameters.duplicate_distance_nm == 0:
        return None
    sizes = synapses_per_part(context.database, context.run.run_id, max(_parts(context), 1))
    return Blocks.of(sizes.items, unit="synapses")


def open_deduplicate(context: BuildContext) -> Work:
    """The work of the stage."""
    run_id, parts = context.run.run_id, _parts(context)

    def work(part: int) -> Computed:
        found = repeated_synapses(context.database, run_id, part, parts)
        centroids = np.stack([found[f"{axis}_nm"] for axis in "zyx"], 1)
        names = ("cleft_id", "pre_segment_id", "post_segment_id", "size_voxels")
        synapses = PlacedSynapses(**{name: found[name] for name in names}, centroid_nm=centroids)
        merged = merge_duplicates(synapses, context.parameters.duplicate_distance_nm)
        goes = ~merged.stays
        rows = {name: found[name][goes] for name in names[:3]}
        rows |= {"kept_cleft_id": found["cleft_id"][merged.kept[goes]], "distance_nm": merged.distance_nm[goes]}
        return Computed(write_rows=lambda transaction: write_merged(transaction.connection, run_id, rows))

    return work


def _parts(context: BuildContext) -> int:
    return -(-cleft_count(context.database, context.run.run_id) // CLEFTS_A_PART)
