"""What goes into a run and how far it is: volume, model, run, block.

Revision: 0001, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from connectome.migrations.columns import bigint, double, identity, integer, real, text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, referenced ones first."""
    create_volume()
    create_model()
    create_run()
    create_block()


def downgrade() -> None:
    """Drop the tables, referencing ones first."""
    for table in ("block", "run", "model", "volume"):
        op.drop_table(table)


def create_volume() -> None:
    """Create the table volume."""
    op.create_table(
        "volume",
        identity("volume_id", "Number of the volume"),
        text("role", "What the volume holds: image or segmentation"),
        text("url", "Where the volume lies, as it was given"),
        text("dtype", "Data type of the voxels"),
        bigint("shape_z", "Voxels along z"),
        bigint("shape_y", "Voxels along y"),
        bigint("shape_x", "Voxels along x"),
        double("resolution_z_nm", "Size of a voxel along z in nm"),
        double("resolution_y_nm", "Size of a voxel along y in nm"),
        double("resolution_x_nm", "Size of a voxel along x in nm"),
        double("offset_z_nm", "Corner of the first voxel along z in nm"),
        double("offset_y_nm", "Corner of the first voxel along y in nm"),
        double("offset_x_nm", "Corner of the first voxel along x in nm"),
        sa.PrimaryKeyConstraint("volume_id", name="pk_volume"),
        sa.UniqueConstraint(
            "role",
            "url",
            "dtype",
            "shape_z",
            "shape_y",
            "shape_x",
            "resolution_z_nm",
            "resolution_y_nm",
            "resolution_x_nm",
            "offset_z_nm",
            "offset_y_nm",
            "offset_x_nm",
            name=op.f("uq_volume_identity"),
        ),
        sa.CheckConstraint(
            "resolution_z_nm > 0 AND resolution_y_nm > 0 AND resolution_x_nm > 0", name=op.f("ck_volume_resolution")
        ),
        sa.CheckConstraint("role IN ('image', 'segmentation')", name=op.f("ck_volume_role")),
        sa.CheckConstraint("shape_z > 0 AND shape_y > 0 AND shape_x > 0", name=op.f("ck_volume_shape")),
        comment="Input volumes: an image or a segmentation on a voxel grid",
    )


def create_model() -> None:
    """Create the table model."""
    op.create_table(
        "model",
        identity("model_id", "Number of the model"),
        text("role", "What the model does: detector (clefts) or assigner (partners)"),
        text("name", "Name of the checkpoint when it was first used"),
        text("sha256", "SHA-256 of the checkpoint file, hexadecimal"),
        sa.Column("config", JSONB, nullable=False, comment="Configuration that the checkpoint carries"),
        sa.PrimaryKeyConstraint("model_id", name="pk_model"),
        sa.UniqueConstraint("role", "sha256", name=op.f("uq_model_role_sha256")),
        sa.CheckConstraint("role IN ('detector', 'assigner')", name=op.f("ck_model_role")),
        comment="Network checkpoints, known by their checksum",
    )


def create_run() -> None:
    """Create the table run."""
    op.create_table(
        "run",
        identity("run_id", "Number of the run"),
        text("name", "Name of the run, chosen by the user"),
        text("state", "running (or interrupted), finished, or failed"),
        integer("image_volume_id", "The image"),
        integer("segmentation_volume_id", "The segmentation"),
        integer("detector_model_id", "The cleft detector"),
        integer("assigner_model_id", "The partner assigner"),
        sa.Column("parameters", JSONB, nullable=False, comment="All parameters of the build"),
        bigint("box_start_z", "Box of the build: first voxel along z (working resolution)"),
        bigint("box_start_y", "Box of the build: first voxel along y (working resolution)"),
        bigint("box_start_x", "Box of the build: first voxel along x (working resolution)"),
        bigint("box_stop_z", "Box of the build: stop along z, exclusive (working resolution)"),
        bigint("box_stop_y", "Box of the build: stop along y, exclusive (working resolution)"),
        bigint("box_stop_x", "Box of the build: stop along x, exclusive (working resolution)"),
        text("folder", "Folder of the run's own volumes"),
        text("code_version", "Version of connectome that created the run"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the run was created",
        ),
        sa.Column(
            "finished_at", sa.DateTime(timezone=True), nullable=True, comment="When the run was finished; NULL before"
        ),
        sa.PrimaryKeyConstraint("run_id", name="pk_run"),
        sa.UniqueConstraint("name", name=op.f("uq_run_name")),
        sa.ForeignKeyConstraint(["assigner_model_id"], ["model.model_id"], name=op.f("fk_run_assigner_model_id_model")),
        sa.ForeignKeyConstraint(["detector_model_id"], ["model.model_id"], name=op.f("fk_run_detector_model_id_model")),
        sa.ForeignKeyConstraint(["image_volume_id"], ["volume.volume_id"], name=op.f("fk_run_image_volume_id_volume")),
        sa.ForeignKeyConstraint(
            ["segmentation_volume_id"], ["volume.volume_id"], name=op.f("fk_run_segmentation_volume_id_volume")
        ),
        sa.CheckConstraint(
            "box_start_z < box_stop_z AND box_start_y < box_stop_y AND box_start_x < box_stop_x",
            name=op.f("ck_run_box"),
        ),
        sa.CheckConstraint("state IN ('running', 'finished', 'failed')", name=op.f("ck_run_state")),
        comment="Builds: every other row belongs to one",
    )


def create_block() -> None:
    """Create the table block."""
    op.create_table(
        "block",
        integer("run_id", "The run that wrote the row"),
        text("stage", "Stage of the build: predict, label, stitch, relabel or assign"),
        bigint("block_id", "Place of the block in its stage, from 0"),
        bigint("voxels", "Voxels that the block covers"),
        real("seconds", "How long the block took"),
        sa.Column(
            "faces",
            sa.LargeBinary,
            nullable=True,
            comment="Labels on the block's faces for stitching (packed arrays); NULL where a stage has none",
        ),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the block's transaction began",
        ),
        sa.PrimaryKeyConstraint("run_id", "stage", "block_id", name="pk_block"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_block_run_id_run"), ondelete="CASCADE"),
        sa.CheckConstraint("block_id >= 0", name=op.f("ck_block_block_id")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_block_seconds")),
        sa.CheckConstraint("stage IN ('predict', 'label', 'stitch', 'relabel', 'assign')", name=op.f("ck_block_stage")),
        sa.CheckConstraint("voxels >= 0", name=op.f("ck_block_voxels")),
        comment="Finished blocks: a row means that the block's volumes and rows are complete",
    )
