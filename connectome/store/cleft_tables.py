"""Tables of what a run finds: fragment, fragment_cleft, cleft, candidate, synapse, and the edge view."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
)
from sqlalchemy.orm import Mapped

from connectome.store.schema import Base, bigint, double, integer, real, run_key, smallint, text


class FragmentTable(Base):
    """A connected piece of cleft voxels inside one block, before stitching."""

    __tablename__ = "fragment"
    __table_args__ = (
        CheckConstraint("fragment_id > 0", name="fragment_id"),
        CheckConstraint("size_voxels > 0", name="size_voxels"),
        {"comment": "Connected pieces of cleft voxels inside one block, before stitching"},
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
        {"comment": "Fragments that stitching renamed or dropped; a fragment without a row is a cleft of its own id"},
    )

    run_id: Mapped[int] = run_key()
    fragment_id: Mapped[int] = bigint("The fragment", key=True)
    cleft_id: Mapped[int] = bigint("The cleft it became part of; 0 if it was dropped as too small")


class CleftTable(Base):
    """One connected object of cleft voxels in the whole volume."""

    __tablename__ = "cleft"
    __table_args__ = (
        Index(None, "run_id", "block_id"),
        CheckConstraint("cleft_id > 0", name="cleft_id"),
        CheckConstraint("size_voxels > 0", name="size_voxels"),
        CheckConstraint("mean_score BETWEEN 0 AND 1 AND max_score BETWEEN 0 AND 1", name="scores"),
        CheckConstraint("state IN ('detected', 'assigned', 'no_partners', 'low_score', 'duplicate')", name="state"),
        {"comment": "Synaptic clefts: connected objects of predicted cleft voxels"},
    )

    run_id: Mapped[int] = run_key()
    cleft_id: Mapped[int] = bigint("1 + the C-order index of its first voxel in the whole volume", key=True)
    block_id: Mapped[int] = bigint("Block of the assign stage that the cleft's centre lies in")
    size_voxels: Mapped[int] = bigint("Voxels at the working resolution")
    x_nm: Mapped[float] = double("Centroid: x in nm")
    y_nm: Mapped[float] = double("Centroid: y in nm")
    z_nm: Mapped[float] = double("Centroid: z in nm")
    start_x_nm: Mapped[float] = double("Bounding box: start along x in nm")
    start_y_nm: Mapped[float] = double("Bounding box: start along y in nm")
    start_z_nm: Mapped[float] = double("Bounding box: start along z in nm")
    stop_x_nm: Mapped[float] = double("Bounding box: stop along x in nm, exclusive")
    stop_y_nm: Mapped[float] = double("Bounding box: stop along y in nm, exclusive")
    stop_z_nm: Mapped[float] = double("Bounding box: stop along z in nm, exclusive")
    centre_z: Mapped[int] = integer("Working voxel that its patch is centred on: z")
    centre_y: Mapped[int] = integer("Working voxel that its patch is centred on: y")
    centre_x: Mapped[int] = integer("Working voxel that its patch is centred on: x")
    mean_score: Mapped[float] = real("Mean output of the detector over its voxels, 0 to 1")
    max_score: Mapped[float] = real("Greatest output of the detector over its voxels, 0 to 1")
    state: Mapped[str] = text(
        "detected, assigned, no_partners (fewer than two segments touch it), low_score (its synapse scores less than "
        "the run's min_score) or duplicate (its synapse was merged into another cleft's)"
    )


class CandidateTable(Base):
    """A segment near a cleft with its score in one role."""

    __tablename__ = "candidate"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "cleft_id"], ["cleft.run_id", "cleft.cleft_id"], ondelete="CASCADE"),
        CheckConstraint("role IN ('pre', 'post')", name="role"),
        CheckConstraint("segment_id > 0", name="segment_id"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
        CheckConstraint("contact_voxels > 0", name="contact_voxels"),
        {"comment": "Segments near a cleft with the score that the assigner gives them in each role"},
    )

    run_id: Mapped[int] = integer("The run that wrote the row", key=True)
    cleft_id: Mapped[int] = bigint("The cleft", key=True)
    segment_id: Mapped[int] = bigint("The segment", key=True)
    role: Mapped[str] = text("The role that is scored: pre or post", key=True)
    score: Mapped[float] = real("Mean output of the assigner over the segment's voxels in the patch, 0 to 1")
    contact_voxels: Mapped[int] = integer("Voxels of the segment that touch the dilated cleft")


class SynapseTable(Base):
    """A cleft with its chosen partners."""

    __tablename__ = "synapse"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "cleft_id"], ["cleft.run_id", "cleft.cleft_id"], ondelete="CASCADE"),
        Index(None, "run_id", "pre_segment_id"),
        Index(None, "run_id", "post_segment_id"),
        CheckConstraint("pre_segment_id > 0 AND post_segment_id > 0", name="segment_ids"),
        CheckConstraint(
            "pre_score BETWEEN 0 AND 1 AND post_score BETWEEN 0 AND 1 AND confidence BETWEEN 0 AND 1", name="scores"
        ),
        {"comment": "Synapses: clefts with their chosen partners; a polyadic cleft has several rows"},
    )

    run_id: Mapped[int] = integer("The run that wrote the row", key=True)
    cleft_id: Mapped[int] = bigint("The cleft", key=True)
    pre_segment_id: Mapped[int] = bigint("The presynaptic segment", key=True)
    post_segment_id: Mapped[int] = bigint("The postsynaptic segment", key=True)
    pre_score: Mapped[float] = real("Score of the presynaptic segment in its role, 0 to 1")
    post_score: Mapped[float] = real("Score of the postsynaptic segment in its role, 0 to 1")
    confidence: Mapped[float] = real("Calibrated probability that the synapse is correct, 0 to 1")
    pre_x_nm: Mapped[float] = real("A point inside the presynaptic segment beside the cleft: x in nm")
    pre_y_nm: Mapped[float] = real("A point inside the presynaptic segment beside the cleft: y in nm")
    pre_z_nm: Mapped[float] = real("A point inside the presynaptic segment beside the cleft: z in nm")
    post_x_nm: Mapped[float] = real("A point inside the postsynaptic segment beside the cleft: x in nm")
    post_y_nm: Mapped[float] = real("A point inside the postsynaptic segment beside the cleft: y in nm")
    post_z_nm: Mapped[float] = real("A point inside the postsynaptic segment beside the cleft: z in nm")


class DuplicateTable(Base):
    """A cleft whose synapse was merged into another one's."""

    __tablename__ = "duplicate"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "cleft_id"], ["cleft.run_id", "cleft.cleft_id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["run_id", "kept_cleft_id"], ["cleft.run_id", "cleft.cleft_id"], ondelete="CASCADE"),
        CheckConstraint("cleft_id <> kept_cleft_id", name="different"),
        CheckConstraint("distance_nm >= 0", name="distance_nm"),
        {"comment": "Clefts whose synapse was merged into another one's: equal partners, centroids near each other"},
    )

    run_id: Mapped[int] = integer("The run that wrote the row", key=True)
    cleft_id: Mapped[int] = bigint("The cleft whose synapse was merged into another one's", key=True)
    kept_cleft_id: Mapped[int] = bigint("The cleft that the remaining synapse belongs to", key=True)
    distance_nm: Mapped[float] = real("Distance of the two clefts' centroids in nm")


EDGE = Table(
    "edge",
    MetaData(),  # a view: the migrations own its definition, so it stays out of the tables' metadata
    Column("run_id", Integer),
    Column("pre_segment_id", BigInteger),
    Column("post_segment_id", BigInteger),
    Column("synapse_count", BigInteger),
    Column("size_voxels", BigInteger),
    Column("mean_confidence", Double),
)
