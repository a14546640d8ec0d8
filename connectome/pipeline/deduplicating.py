"""Stage deduplicate: synapses that the detector found in pieces become one."""

from __future__ import annotations

import numpy as np

from connectome.partners.duplicates import PlacedSynapses, merge_duplicates
from connectome.pipeline.context import BuildContext, WriteRows
from connectome.store.blocks import BlockTransaction, Stage
from connectome.store.duplicates import cleft_count, repeated_synapses, synapses_per_part, write_merged

CLEFTS_A_PART = 1_000_000


def deduplicate(context: BuildContext) -> None:
    """Run the stage; with a distance of 0 nm there is nothing to do, and it leaves no trace.

    Its blocks are parts of the presynaptic segments, so each pair of segments is seen whole. Their number follows from
    the number of clefts alone, which stays the same when the stage is interrupted.
    """
    distance_nm = context.parameters.duplicate_distance_nm
    if distance_nm == 0:
        return
    run_id = context.run.run_id
    parts = -(-cleft_count(context.database, run_id) // CLEFTS_A_PART)

    def work(part: int) -> WriteRows:
        found = repeated_synapses(context.database, run_id, part, parts)
        centroids = np.stack([found[f"{axis}_nm"] for axis in "zyx"], 1)
        names = ("cleft_id", "pre_segment_id", "post_segment_id", "size_voxels")
        synapses = PlacedSynapses(**{name: found[name] for name in names}, centroid_nm=centroids)
        merged = merge_duplicates(synapses, distance_nm)
        goes = ~merged.stays
        rows = {name: found[name][goes] for name in names[:3]}
        rows |= {"kept_cleft_id": found["cleft_id"][merged.kept[goes]], "distance_nm": merged.distance_nm[goes]}

        def write(transaction: BlockTransaction) -> None:
            write_merged(transaction.connection, run_id, rows)

        return write

    sizes = synapses_per_part(context.database, run_id, max(parts, 1))
    context.run_stage(Stage.DEDUPLICATE, sizes.items(), work, unit="synapses")
