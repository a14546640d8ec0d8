"""Tables of clefts, partitioned by run: fragment, fragment_cleft, cleft."""

from __future__ import annotations

from sqlalchemy import REAL, BigInteger, CheckConstraint, Double, Index, Integer
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped

from connectome.store.schema.base import BY_RUN, Base, bigint, double, optional, run_key, smallint, text


class FragmentTable(Base):
    """A connected piece of cleft voxels inside one block, before stitching."""

    __tablename__ = "fragment"
    __table_args__ = (
        CheckConstraint("fragment_id > 0", name="fragment_id"),
        CheckConstraint("size_voxels > 0", name="size_voxels"),
        {"comment": "Connected pieces of cleft voxels inside one block, before stitching", **BY_RUN},
    )

    run_id: Mapped[int] = run_key()
    block_id: Mapped[int] = bigint("Block that the piece lies in", key=True)
    fragment_id: Mapped[int] = bigint("1 + the C-order index of its first voxel in the whole volume", key=True)
    size_voxels: Mapped[int] = bigint("Voxels")
    sum_z: Mapped[int] = bigint("Sum of the voxels' z indices")
    sum_y: Mapped[int] = bigint("Sum of the voxels' y indices")
    sum_x: Mapped[int] = bigint("Sum of the voxels' x indices")
    start_z: Mapped[int] = bigint("Bounding box: first voxel along z")
    start_y: Mapped[int] = bigint("Bounding box: first voxel along y")
    start_x: Mapped[int] = bigint("Bounding box: first voxel along x")
    stop_z: Mapped[int] = bigint("Bounding box: stop along z, exclusive")
    stop_y: Mapped[int] = bigint("Bounding box: stop along y, exclusive")
    stop_x: Mapped[int] = bigint("Bounding box: stop along x, exclusive")
    score_sum: Mapped[int] = bigint("Sum of the detector's output over its voxels, each 0 to 255")
    score_max: Mapped[int] = smallint("Greatest output of the detector over its voxels, 0 to 255")


class FragmentCleftTable(Base):
    """Where a fragment went when stitching changed or dropped it."""

    __tablename__ = "fragment_cleft"
    __table_args__ = (
        CheckConstraint("cleft_id >= 0", name="cleft_id"),
        {
            "comment": "Fragments that stitching renamed or dropped; a fragment without a row is a cleft of its own id",
            **BY_RUN,
        },
    )

    run_id: Mapped[int] = run_key()
    fragment_id: Mapped[int] = bigint("The fragment", key=True)
    cleft_id: Mapped[int] = bigint("The cleft it became part of; 0 if it was dropped as too small")


class CleftTable(Base):
    """One connected object of cleft voxels in the whole volume."""

    __tablename__ = "cleft"
    __table_args__ = (
        Index(None, "block_id"),
        Index("ix_cleft_cell", sql("nm_cell(x_nm, y_nm, z_nm)")),
        CheckConstraint("cleft_id > 0", name="cleft_id"),
        CheckConstraint("size_voxels > 0", name="size_voxels"),
        CheckConstraint("mean_score BETWEEN 0 AND 1 AND max_score BETWEEN 0 AND 1", name="scores"),
        CheckConstraint("state IN ('detected', 'assigned', 'no_partners', 'low_score', 'duplicate')", name="state"),
        {"comment": "Synaptic clefts: connected objects of predicted cleft voxels", **BY_RUN},
    )

    run_id: Mapped[int] = run_key()
    cleft_id: Mapped[int] = bigint(
        "1 + the C-order index of its first voxel in the whole volume; an import's own id", key=True
    )
    block_id: Mapped[int] = bigint("Block of the assign stage that the cleft's centre lies in; 0 in an import")
    size_voxels: Mapped[int | None] = optional(
        BigInteger, "Voxels at the working resolution; NULL if an import doesn't know"
    )
    x_nm: Mapped[float] = double("Centroid: x in nm")
    y_nm: Mapped[float] = double("Centroid: y in nm")
    z_nm: Mapped[float] = double("Centroid: z in nm")
    start_x_nm: Mapped[float | None] = optional(Double, "Bounding box: start along x in nm; NULL if unknown")
    start_y_nm: Mapped[float | None] = optional(Double, "Bounding box: start along y in nm; NULL if unknown")
    start_z_nm: Mapped[float | None] = optional(Double, "Bounding box: start along z in nm; NULL if unknown")
    stop_x_nm: Mapped[float | None] = optional(Double, "Bounding box: stop along x in nm, exclusive; NULL if unknown")
    stop_y_nm: Mapped[float | None] = optional(Double, "Bounding box: stop along y in nm, exclusive; NULL if unknown")
    stop_z_nm: Mapped[float | None] = optional(Double, "Bounding box: stop along z in nm, exclusive; NULL if unknown")
    centre_z: Mapped[int | None] = optional(Integer, "Working voxel that its patch is centred on: z; NULL in an import")
    centre_y: Mapped[int | None] = optional(Integer, "Working voxel that its patch is centred on: y; NULL in an import")
    centre_x: Mapped[int | None] = optional(Integer, "Working voxel that its patch is centred on: x; NULL in an import")
    mean_score: Mapped[float | None] = optional(
        REAL, "Mean output of the detector over its voxels, 0 to 1; NULL if unknown"
    )
    max_score: Mapped[float | None] = optional(
        REAL, "Greatest output of the detector over its voxels, 0 to 1; NULL if unknown"
    )
    state: Mapped[str] = text(
        "detected, assigned, no_partners (fewer than two segments touch it), low_score (its synapse scores less than "
        "the run's min_score) or duplicate (its synapse was merged into another cleft's)"
    )
