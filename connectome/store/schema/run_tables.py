"""Tables of what goes into a run and how far it is: volume, model, run, block."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from connectome.store.schema.base import Base, bigint, double, optional, real, text


class DataSetTable(Base):
    """An animal or volume: what ids belong to."""

    __tablename__ = "data_set"
    __table_args__ = (
        UniqueConstraint("name"),
        {
            "comment": "Data sets: the animal or volume that runs, roots and annotations belong to; ids mean something "
            "within one"
        },
    )

    data_set_id: Mapped[int] = mapped_column(
        Integer, Identity(always=True), primary_key=True, comment="Number of the data set"
    )
    name: Mapped[str] = text("Name of the data set")


class VolumeTable(Base):
    """An input volume, shared by all runs that read it."""

    __tablename__ = "volume"
    __table_args__ = (
        UniqueConstraint(
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
            name="uq_volume_identity",
        ),
        CheckConstraint("role IN ('image', 'segmentation')", name="role"),
        CheckConstraint("shape_z > 0 AND shape_y > 0 AND shape_x > 0", name="shape"),
        CheckConstraint("resolution_z_nm > 0 AND resolution_y_nm > 0 AND resolution_x_nm > 0", name="resolution"),
        {"comment": "Input volumes: an image or a segmentation on a voxel grid"},
    )

    volume_id: Mapped[int] = mapped_column(
        Integer, Identity(always=True), primary_key=True, comment="Number of the volume"
    )
    role: Mapped[str] = text("What the volume holds: image or segmentation")
    url: Mapped[str] = text("Where the volume lies, as it was given, without credentials")
    dtype: Mapped[str] = text("Data type of the voxels")
    shape_z: Mapped[int] = bigint("Voxels along z")
    shape_y: Mapped[int] = bigint("Voxels along y")
    shape_x: Mapped[int] = bigint("Voxels along x")
    resolution_z_nm: Mapped[float] = double("Size of a voxel along z in nm")
    resolution_y_nm: Mapped[float] = double("Size of a voxel along y in nm")
    resolution_x_nm: Mapped[float] = double("Size of a voxel along x in nm")
    offset_z_nm: Mapped[float] = double("Corner of the first voxel along z in nm")
    offset_y_nm: Mapped[float] = double("Corner of the first voxel along y in nm")
    offset_x_nm: Mapped[float] = double("Corner of the first voxel along x in nm")


class ModelTable(Base):
    """A network checkpoint, known by its checksum."""

    __tablename__ = "model"
    __table_args__ = (
        UniqueConstraint("role", "sha256"),
        CheckConstraint("role IN ('detector', 'assigner')", name="role"),
        CheckConstraint(
            "method IN ('mask', 'stdt', 'signed-proximity', 'avan', 'mask-pruner', 'proximity-pruner')", name="method"
        ),
        {"comment": "Network checkpoints, known by their checksum"},
    )

    model_id: Mapped[int] = mapped_column(
        Integer, Identity(always=True), primary_key=True, comment="Number of the model"
    )
    role: Mapped[str] = text("What the model does: detector (clefts) or assigner (partners)")
    name: Mapped[str] = text("Name of the checkpoint when it was first used")
    sha256: Mapped[str] = text("SHA-256 of the checkpoint file, hexadecimal")
    config: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Configuration that the checkpoint carries")
    method: Mapped[str] = text(
        "How the model works: mask, stdt, signed-proximity, avan, mask-pruner or proximity-pruner"
    )


STAGES = "stage IN ('predict', 'label', 'stitch', 'relabel', 'assign', 'deduplicate', 'edges')"
STAGE_COMMENT = "Stage of the build: predict, label, stitch, relabel, assign, deduplicate or edges"
BUILD_ONLY = (
    "image_volume_id",
    "segmentation_volume_id",
    "detector_model_id",
    "box_start_z",
    "box_start_y",
    "box_start_x",
    "box_stop_z",
    "box_stop_y",
    "box_stop_x",
    "folder",
)


class RunTable(Base):
    """One build: inputs, models, parameters, code version, state."""

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("state IN ('running', 'incomplete', 'finished')", name="state"),
        CheckConstraint(
            "box_start_z < box_stop_z AND box_start_y < box_stop_y AND box_start_x < box_stop_x", name="box"
        ),
        CheckConstraint("kind IN ('build', 'import')", name="kind"),
        CheckConstraint("content IN ('synapses', 'edges')", name="content"),
        CheckConstraint(f"kind = 'import' OR num_nulls({', '.join(BUILD_ONLY)}) = 0", name="complete"),
        {"comment": "Builds and imports: every other row belongs to one"},
    )

    run_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True, comment="Number of the run")
    name: Mapped[str] = text("Name of the run, chosen by the user")
    state: Mapped[str] = text(
        "running (or interrupted), incomplete (blocks failed; the same build command tries them again), or finished"
    )
    image_volume_id: Mapped[int | None] = mapped_column(
        ForeignKey("volume.volume_id"), comment="The image; NULL for an import"
    )
    segmentation_volume_id: Mapped[int | None] = mapped_column(
        ForeignKey("volume.volume_id"), comment="The segmentation; NULL for an import"
    )
    detector_model_id: Mapped[int | None] = mapped_column(
        ForeignKey("model.model_id"), comment="The cleft detector; NULL for an import"
    )
    assigner_model_id: Mapped[int | None] = mapped_column(
        ForeignKey("model.model_id"), comment="The partner assigner; NULL: no network chose partners"
    )
    parameters: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment="All parameters of the build, or what was imported from where"
    )
    box_start_z: Mapped[int | None] = optional(
        BigInteger, "Box of the build: first voxel along z (working resolution); NULL for an import"
    )
    box_start_y: Mapped[int | None] = optional(
        BigInteger, "Box of the build: first voxel along y (working resolution); NULL for an import"
    )
    box_start_x: Mapped[int | None] = optional(
        BigInteger, "Box of the build: first voxel along x (working resolution); NULL for an import"
    )
    box_stop_z: Mapped[int | None] = optional(
        BigInteger, "Box of the build: stop along z, exclusive (working resolution); NULL for an import"
    )
    box_stop_y: Mapped[int | None] = optional(
        BigInteger, "Box of the build: stop along y, exclusive (working resolution); NULL for an import"
    )
    box_stop_x: Mapped[int | None] = optional(
        BigInteger, "Box of the build: stop along x, exclusive (working resolution); NULL for an import"
    )
    folder: Mapped[str | None] = optional(Text, "Folder of the run's own volumes; NULL for an import")
    code_version: Mapped[str] = text("Version of connectome that created the run")
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When the run was created"
    )
    finished_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When the run was finished; NULL before"
    )
    kind: Mapped[str] = text("build: made here from an image and a segmentation; import: a table that others made")
    data_set_id: Mapped[int] = mapped_column(
        ForeignKey("data_set.data_set_id"), comment="The data set that its ids belong to"
    )
    content: Mapped[str] = mapped_column(
        Text, server_default="synapses", comment="What it holds: synapses and their edges, or edges alone"
    )


class BlockTable(Base):
    """A block of a stage that was done or has failed: the row of a done one is its commit record."""

    __tablename__ = "block"
    __table_args__ = (
        CheckConstraint(STAGES, name="stage"),
        CheckConstraint("block_id >= 0", name="block_id"),
        CheckConstraint("voxels >= 0", name="voxels"),
        CheckConstraint("seconds >= 0", name="seconds"),
        CheckConstraint("state IN ('done', 'failed')", name="state"),
        CheckConstraint("attempts >= 1", name="attempts"),
        CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name="error"),
        {
            "comment": "Blocks: a row in state done means that the block's volumes and rows are complete, failed says "
            "why not"
        },
    )

    run_id: Mapped[int] = mapped_column(
        ForeignKey("run.run_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="The run that wrote the row",
    )
    stage: Mapped[str] = text(STAGE_COMMENT, key=True)
    block_id: Mapped[int] = bigint("Place of the block in its stage, from 0", key=True)
    voxels: Mapped[int] = bigint("Voxels that the block covers")
    seconds: Mapped[float] = real("How long the block took")
    faces: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="Labels on the block's faces for stitching (packed arrays); NULL where a stage has none"
    )
    finished_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When the transaction that wrote the row began"
    )
    state: Mapped[str] = mapped_column(
        Text, server_default="done", comment="done, or failed: its last attempt ended with an error"
    )
    attempts: Mapped[int] = mapped_column(
        Integer, server_default="1", comment="How often the block was tried, over all sessions of the run"
    )
    error: Mapped[str | None] = optional(Text, "Why the last attempt failed; NULL where it is done")
    worker: Mapped[str | None] = optional(Text, "Who tried the block last; NULL if unknown")


class StageTable(Base):
    """A stage that a build has begun."""

    __tablename__ = "stage"
    __table_args__ = (
        CheckConstraint(STAGES, name="stage"),
        CheckConstraint("blocks >= 0 AND voxels >= 0", name="totals"),
        CheckConstraint("unit IN ('voxels', 'clefts', 'synapses')", name="unit"),
        {"comment": "Stages that a build has begun, with all that they have to do"},
    )

    run_id: Mapped[int] = mapped_column(
        ForeignKey("run.run_id", ondelete="CASCADE"), primary_key=True, autoincrement=False, comment="The run"
    )
    stage: Mapped[str] = text(STAGE_COMMENT, key=True)
    blocks: Mapped[int] = bigint("Blocks of the stage, done or not")
    voxels: Mapped[int] = bigint("What its blocks add up to, in its unit")
    unit: Mapped[str] = text("What block.voxels counts in this stage: voxels, clefts or synapses")
    started_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When the stage was begun first"
    )
