"""Edges become a table, filled once per run; clefts get an index of their place.

Revision: 0007, after 0006.
"""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa
from alembic import op

from connectome.migrations import partitions
from connectome.migrations.columns import bigint, double, integer

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE = import_module("connectome.migrations.versions.0006_partitions")
VIEW = import_module("connectome.migrations.versions.0003_edge_view")
TABLES = (*BEFORE.TABLES, "edge")
FILL = """
INSERT INTO edge (run_id, pre_segment_id, post_segment_id, synapse_count, size_voxels, mean_confidence)
SELECT run_id, pre_segment_id, post_segment_id, count(*), coalesce(sum(size_voxels), 0), avg(confidence)
FROM synapse JOIN cleft USING (run_id, cleft_id) JOIN run USING (run_id)
WHERE run.state = 'finished' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
CELL = """
CREATE FUNCTION nm_cell(x_nm double precision, y_nm double precision, z_nm double precision) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((floor(z_nm / 2048)::bigint + 1048576) << 42) | ((floor(y_nm / 2048)::bigint + 1048576) << 21)
           | (floor(x_nm / 2048)::bigint + 1048576)
$$
"""
IN_BOX = """
CREATE FUNCTION clefts_in_box(of_run integer, start_x_nm double precision, start_y_nm double precision,
                              start_z_nm double precision, stop_x_nm double precision, stop_y_nm double precision,
                              stop_z_nm double precision) RETURNS SETOF cleft
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT inside.*
    FROM generate_series(floor(start_z_nm / 2048)::integer, floor(stop_z_nm / 2048)::integer) AS z
    CROSS JOIN generate_series(floor(start_y_nm / 2048)::integer, floor(stop_y_nm / 2048)::integer) AS y
    CROSS JOIN LATERAL (
        SELECT * FROM cleft
        WHERE run_id = of_run AND nm_cell(cleft.x_nm, cleft.y_nm, cleft.z_nm)
              BETWEEN nm_cell(clefts_in_box.start_x_nm, 2048 * y::double precision, 2048 * z::double precision)
                  AND nm_cell(clefts_in_box.stop_x_nm, 2048 * y::double precision, 2048 * z::double precision)
        OFFSET 0
    ) AS inside
    WHERE inside.x_nm >= clefts_in_box.start_x_nm AND inside.x_nm < clefts_in_box.stop_x_nm
      AND inside.y_nm >= clefts_in_box.start_y_nm AND inside.y_nm < clefts_in_box.stop_y_nm
      AND inside.z_nm >= clefts_in_box.start_z_nm AND inside.z_nm < clefts_in_box.stop_z_nm
$$
"""
BOX = (
    "clefts_in_box(integer, double precision, double precision, double precision, double precision, "
    "double precision, double precision)"
)


def upgrade() -> None:
    """Fill the edges of finished runs; a running build fills its own at the end."""
    op.execute("DROP VIEW edge")
    partitions.define(TABLES, BEFORE.REFERENCES)
    create_edge()
    partitions.stage_and_attach(("edge",))
    op.execute(FILL)
    op.execute(CELL)
    op.execute("COMMENT ON FUNCTION nm_cell IS 'The cube of 2048 nm that a point lies in: z, y, x in 21 bits each'")
    op.create_index(op.f("ix_cleft_cell"), "cleft", [sa.text("nm_cell(x_nm, y_nm, z_nm)")])
    op.execute(IN_BOX)
    op.execute(
        f"COMMENT ON FUNCTION {BOX} IS 'Clefts of a run whose centroid lies in a box in nm, stop exclusive; by index'"
    )


def downgrade() -> None:
    """Edges become a view again."""
    op.execute(f"DROP FUNCTION {BOX}")
    op.drop_index("ix_cleft_cell", "cleft")
    op.execute("DROP FUNCTION nm_cell")
    op.execute("DELETE FROM block WHERE stage = 'edges'")
    partitions.drop_all(("edge",))
    partitions.define(BEFORE.TABLES, BEFORE.REFERENCES)
    VIEW.upgrade()


def create_edge() -> None:
    """Create the table edge."""
    op.create_table(
        "edge",
        integer("run_id", "The run that the synapses belong to"),
        bigint("pre_segment_id", "The presynaptic segment"),
        bigint("post_segment_id", "The postsynaptic segment"),
        integer("synapse_count", "Number of synapses"),
        bigint("size_voxels", "Summed size of their clefts in voxels at the working resolution; unknown sizes count 0"),
        double("mean_confidence", "Mean confidence of the synapses, 0 to 1"),
        sa.PrimaryKeyConstraint("run_id", "pre_segment_id", "post_segment_id", name="pk_edge"),
        sa.CheckConstraint("mean_confidence BETWEEN 0 AND 1", name=op.f("ck_edge_mean_confidence")),
        sa.CheckConstraint("synapse_count > 0 AND size_voxels >= 0", name=op.f("ck_edge_sums")),
        comment="Edges: all synapses from one segment to another, aggregated when the run is finished",
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_index(op.f("ix_edge_post_segment_id"), "edge", ["post_segment_id"])
