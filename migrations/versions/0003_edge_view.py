"""The view edge: all synapses from one segment to another, aggregated.

Revision: 0003, after 0002.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VIEW = """
CREATE VIEW edge AS
SELECT synapse.run_id,
       synapse.pre_segment_id,
       synapse.post_segment_id,
       count(*) AS synapse_count,
       sum(cleft.size_voxels)::bigint AS size_voxels,
       avg(synapse.confidence) AS mean_confidence
FROM synapse
JOIN cleft ON cleft.run_id = synapse.run_id AND cleft.cleft_id = synapse.cleft_id
GROUP BY synapse.run_id, synapse.pre_segment_id, synapse.post_segment_id
"""

COMMENTS = {
    "run_id": "The run that wrote the synapses",
    "pre_segment_id": "The presynaptic segment",
    "post_segment_id": "The postsynaptic segment",
    "synapse_count": "Number of synapses",
    "size_voxels": "Summed size of their clefts in voxels at the working resolution",
    "mean_confidence": "Mean confidence of the synapses, 0 to 1",
}


def upgrade() -> None:
    """Create the view with its comments."""
    op.execute(VIEW)
    op.execute("COMMENT ON VIEW edge IS 'Edges: all synapses from one segment to another, aggregated'")
    for column, comment in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN edge.{column} IS '{comment}'")


def downgrade() -> None:
    """Drop the view."""
    op.execute("DROP VIEW edge")
