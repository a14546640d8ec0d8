"""What a run finds: fragment, fragment_cleft, cleft, candidate, synapse.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

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
    op.create_table(
        "fragment",
        integer("run_id", "The run that wrote the row"),
        bigint("block_id", "Block that the piece lies in"),
        bigint("fragment_id", "1 + the C-order index of its first voxel in the whole volume"),
        bigint("size_voxels", "Voxels"),
        bigint("sum_z", "Sum of the voxels' z indices"),
        bigint("sum_y", "Sum of the voxels' y indices"),
        bigint("sum_x", "Sum of the voxels' x indices"),
        bigint("start_z", "Bounding box: first voxel along z"),
        bigint("start_y", "Bounding box: first voxel along y"),
        bigint("start_x", "Bounding box: first voxel along x"),
        bigint("stop_z", "Bounding box: stop along z, exclusive"),
        bigint("stop_y", "Bounding box: stop along y, exclusive"),
        bigint("stop_x", "Bounding box: stop along x, exclusive"),
        bigint("score_sum", "Sum of the detector's output over its voxels, each 0 to 255"),
        sa.Column(
            "score_max",
            sa.SmallInteger,
            nullable=False,
            comment="Greatest output of the detector over its voxels, 0 to 255",
        ),
        sa.PrimaryKeyConstraint("run_id", "block_id", "fragment_id", name="pk_fragment"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_fragment_run_id_run"), ondelete="CASCADE"),
        sa.CheckConstraint("fragment_id > 0", name=op.f("ck_fragment_fragment_id")),
        sa.CheckConstraint("size_voxels > 0", name=op.f("ck_fragment_size_voxels")),
        comment="Connected pieces of cleft voxels inside one block, before stitching",
    )


def create_fragment_cleft() -> None:
    """Create the table fragment_cleft."""
    op.create_table(
        "fragment_cleft",
        integer("run_id", "The run that wrote the row"),
        bigint("fragment_id", "The fragment"),
        bigint("cleft_id", "The cleft it became part of; 0 if it was dropped as too small"),
        sa.PrimaryKeyConstraint("run_id", "fragment_id", name="pk_fragment_cleft"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.run_id"], name=op.f("fk_fragment_cleft_run_id_run"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("cleft_id >= 0", name=op.f("ck_fragment_cleft_cleft_id")),
        comment="Fragments that stitching renamed or dropped; a fragment without a row is a cleft of its own id",
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
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_cleft_run_id_run"), ondelete="CASCADE"),
        sa.CheckConstraint("cleft_id > 0", name=op.f("ck_cleft_cleft_id")),
        sa.CheckConstraint("mean_score BETWEEN 0 AND 1 AND max_score BETWEEN 0 AND 1", name=op.f("ck_cleft_scores")),
        sa.CheckConstraint("size_voxels > 0", name=op.f("ck_cleft_size_voxels")),
        sa.CheckConstraint("state IN ('detected', 'assigned', 'no_partners')", name=op.f("ck_cleft_state")),
        comment="Synaptic clefts: connected objects of predicted cleft voxels",
    )
    op.create_index("ix_cleft_run_id_block_id", "cleft", ["run_id", "block_id"])


def create_candidate() -> None:
    """Create the table candidate."""
    op.create_table(
        "candidate",
        integer("run_id", "The run that wrote the row"),
        bigint("cleft_id", "The cleft"),
        bigint("segment_id", "The segment"),
        text("role", "The role that is scored: pre or post"),
        real("score", "Mean output of the assigner over the segment's voxels in the patch, 0 to 1"),
        integer("contact_voxels", "Voxels of the segment that touch the dilated cleft"),
        sa.PrimaryKeyConstraint("run_id", "cleft_id", "segment_id", "role", name="pk_candidate"),
        sa.ForeignKeyConstraint(
            ["run_id", "cleft_id"],
            ["cleft.run_id", "cleft.cleft_id"],
            name=op.f("fk_candidate_run_id_cleft_id_cleft"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("contact_voxels > 0", name=op.f("ck_candidate_contact_voxels")),
        sa.CheckConstraint("role IN ('pre', 'post')", name=op.f("ck_candidate_role")),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_candidate_score")),
        sa.CheckConstraint("segment_id > 0", name=op.f("ck_candidate_segment_id")),
        comment="Segments near a cleft with the score that the assigner gives them in each role",
    )


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
        sa.ForeignKeyConstraint(
            ["run_id", "cleft_id"],
            ["cleft.run_id", "cleft.cleft_id"],
            name=op.f("fk_synapse_run_id_cleft_id_cleft"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "pre_score BETWEEN 0 AND 1 AND post_score BETWEEN 0 AND 1 AND confidence BETWEEN 0 AND 1",
            name=op.f("ck_synapse_scores"),
        ),
        sa.CheckConstraint("pre_segment_id > 0 AND post_segment_id > 0", name=op.f("ck_synapse_segment_ids")),
        comment="Synapses: clefts with their chosen partners; a polyadic cleft has several rows",
    )
    op.create_index("ix_synapse_run_id_post_segment_id", "synapse", ["run_id", "post_segment_id"])
    op.create_index("ix_synapse_run_id_pre_segment_id", "synapse", ["run_id", "pre_segment_id"])
