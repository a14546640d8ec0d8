"""What a run finds: fragment, fragment_cleft, cleft, candidate, synapse.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from connectome.migrations import findings
from connectome.migrations.columns import bigint, double, integer, real, text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, referenced ones first."""
    create_fragment()
    create_fragment_cleft()
    create_cleft()
    create_candidate()
    create_synapse()


def downgrade() -> None:
    """Drop the tables, referencing ones first."""
    for table in ("synapse", "candidate", "cleft", "fragment_cleft", "fragment"):
        op.drop_table(table)


def create_fragment() -> None:
    """Create the table fragment."""
    findings.create_fragment(to_run("fragment"))


def create_fragment_cleft() -> None:
    """Create the table fragment_cleft."""
    findings.create_fragment_cleft(to_run("fragment_cleft"))


def create_candidate() -> None:
    """Create the table candidate."""
    findings.create_candidate(to_cleft("candidate"))


def to_run(table: str) -> sa.ForeignKeyConstraint:
    """The key to the run that a row belongs to."""
    return sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f(f"fk_{table}_run_id_run"), ondelete="CASCADE")


def to_cleft(table: str) -> sa.ForeignKeyConstraint:
    """The key to the cleft that a row belongs to."""
    return sa.ForeignKeyConstraint(
        ["run_id", "cleft_id"],
        ["cleft.run_id", "cleft.cleft_id"],
        name=op.f(f"fk_{table}_run_id_cleft_id_cleft"),
        ondelete="CASCADE",
    )


def create_cleft() -> None:
    """Create the table cleft."""
    op.create_table(
        "cleft",
        integer("run_id", "The run that wrote the row"),
        bigint("cleft_id", "1 + the C-order index of its first voxel in the whole volume"),
        bigint("block_id", "Block of the assign stage that the cleft's centre lies in"),
        bigint("size_voxels", "Voxels at the working resolution"),
        double("x_nm", "Centroid: x in nm"),
        double("y_nm", "Centroid: y in nm"),
        double("z_nm", "Centroid: z in nm"),
        double("start_x_nm", "Bounding box: start along x in nm"),
        double("start_y_nm", "Bounding box: start along y in nm"),
        double("start_z_nm", "Bounding box: start along z in nm"),
        double("stop_x_nm", "Bounding box: stop along x in nm, exclusive"),
        double("stop_y_nm", "Bounding box: stop along y in nm, exclusive"),
        double("stop_z_nm", "Bounding box: stop along z in nm, exclusive"),
        integer("centre_z", "Working voxel that its patch is centred on: z"),
        integer("centre_y", "Working voxel that its patch is centred on: y"),
        integer("centre_x", "Working voxel that its patch is centred on: x"),
        real("mean_score", "Mean output of the detector over its voxels, 0 to 1"),
        real("max_score", "Greatest output of the detector over its voxels, 0 to 1"),
        text("state", "detected, assigned, or no_partners (fewer than two segments touch it)"),
        sa.PrimaryKeyConstraint("run_id", "cleft_id", name="pk_cleft"),
        to_run("cleft"),
        sa.CheckConstraint("cleft_id > 0", name=op.f("ck_cleft_cleft_id")),
        sa.CheckConstraint("mean_score BETWEEN 0 AND 1 AND max_score BETWEEN 0 AND 1", name=op.f("ck_cleft_scores")),
        sa.CheckConstraint("size_voxels > 0", name=op.f("ck_cleft_size_voxels")),
        sa.CheckConstraint("state IN ('detected', 'assigned', 'no_partners')", name=op.f("ck_cleft_state")),
        comment="Synaptic clefts: connected objects of predicted cleft voxels",
    )
    op.create_index("ix_cleft_run_id_block_id", "cleft", ["run_id", "block_id"])


def create_synapse() -> None:
    """Create the table synapse."""
    op.create_table(
        "synapse",
        integer("run_id", "The run that wrote the row"),
        bigint("cleft_id", "The cleft"),
        bigint("pre_segment_id", "The presynaptic segment"),
        bigint("post_segment_id", "The postsynaptic segment"),
        real("pre_score", "Score of the presynaptic segment in its role, 0 to 1"),
        real("post_score", "Score of the postsynaptic segment in its role, 0 to 1"),
        real("confidence", "Mean cleft score times both partner scores, 0 to 1; not calibrated"),
        real("pre_x_nm", "A point inside the presynaptic segment beside the cleft: x in nm"),
        real("pre_y_nm", "A point inside the presynaptic segment beside the cleft: y in nm"),
        real("pre_z_nm", "A point inside the presynaptic segment beside the cleft: z in nm"),
        real("post_x_nm", "A point inside the postsynaptic segment beside the cleft: x in nm"),
        real("post_y_nm", "A point inside the postsynaptic segment beside the cleft: y in nm"),
        real("post_z_nm", "A point inside the postsynaptic segment beside the cleft: z in nm"),
        sa.PrimaryKeyConstraint("run_id", "cleft_id", "pre_segment_id", "post_segment_id", name="pk_synapse"),
        to_cleft("synapse"),
        sa.CheckConstraint(
            "pre_score BETWEEN 0 AND 1 AND post_score BETWEEN 0 AND 1 AND confidence BETWEEN 0 AND 1",
            name=op.f("ck_synapse_scores"),
        ),
        sa.CheckConstraint("pre_segment_id > 0 AND post_segment_id > 0", name=op.f("ck_synapse_segment_ids")),
        comment="Synapses: clefts with their chosen partners; a polyadic cleft has several rows",
    )
    op.create_index("ix_synapse_run_id_post_segment_id", "synapse", ["run_id", "post_segment_id"])
    op.create_index("ix_synapse_run_id_pre_segment_id", "synapse", ["run_id", "pre_segment_id"])
