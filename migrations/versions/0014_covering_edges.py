"""The edges to a neuron are read from their index alone.

Revision: 0014, after 0013.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SUMS = ["synapse_count", "size_voxels", "mean_confidence"]
INDEXES = (
    ("ix_edge_post_segment_id", "edge", ["post_segment_id"], ["run_id", "pre_segment_id", *SUMS]),
    ("ix_root_edge_roots_id_post_root_id", "root_edge", ["roots_id", "post_root_id"], ["run_id", "pre_root_id", *SUMS]),
)


def upgrade() -> None:
    """Make the indexes anew with all columns of an edge: its rows lie in as many pages as a neuron has inputs."""
    for name, table, columns, included in INDEXES:
        op.drop_index(op.f(name), table)
        op.create_index(op.f(name), table, columns, postgresql_include=included)


def downgrade() -> None:
    """Make them of the keys alone."""
    for name, table, columns, _ in INDEXES:
        op.drop_index(op.f(name), table)
        op.create_index(op.f(name), table, columns)
