"""Tables of what a run finds, partitioned by run: fragments, clefts, candidates, synapses, duplicates, edges.

The foreign keys to clefts lie between the partitions of one run: `synapse_7` refers to `cleft_7`.
"""

from __future__ import annotations

from sqlalchemy import REAL, BigInteger, CheckConstraint, Double, Index, Integer
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from connectome.store.schema.base import BY_RUN, Base, bigint, double, integer, optional, real, run_key, smallint, text

EDGE_SUMS = ("synapse_count", "size_voxels", "mean_confidence")


def mean_confidence() -> Mapped[float | None]:
    """The mean confidence of an edge."""
    return optional(Double, "Mean confidence of the synapses, 0 to 1; of those that have one, NULL if none has")


def unscored_count() -> Mapped[int]:
    """The number of synapses of an edge that its mean confidence leaves out."""
    return mapped_column(Integer, server_default="0", comment="Number of its synapses that have no confidence")


class CandidateTable(Base):
    """A segment near a cleft with its score in one role."""

    __tablename__ = "candidate"
    __table_args__ = (
        CheckConstraint("role IN ('pre', 'post')", name="role"),
        CheckConstraint("segment_id > 0", name="segment_id"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
        CheckConstraint("contact_voxels > 0", name="contact_voxels"),
        {"comment": "Segments near a cleft with the score that the assigner gives them in each role", **BY_RUN},
    )

    run_id: Mapped[int] = run_key()
    cleft_id: Mapped[int] = bigint("The cleft", key=True)
    segment_id: Mapped[int] = bigint("The segment", key=True)
    role: Mapped[str] = text("The role that is scored: pre or post", key=True)
    score: Mapped[float] = real(
        "Score in the role, 0 to 1: an AVAN's mean output over the segment, or a pruner's probability of its best pair"
    )
    contact_voxels: Mapped[int] = integer("Voxels of the segment that touch the dilated cleft")


class SynapseTable(Base):
    """A cleft with its chosen partners."""

    __tablename__ = "synapse"
    __table_args__ = (
        Index(None, "pre_segment_id"),
        Index(None, "post_segment_id"),
        CheckConstraint("number >= 0", name="number"),
        CheckConstraint("pre_segment_id > 0 AND post_segment_id > 0", name="segment_ids"),
        CheckConstraint(
            "pre_score BETWEEN 0 AND 1 AND post_score BETWEEN 0 AND 1 AND confidence BETWEEN 0 AND 1", name="scores"
        ),
        CheckConstraint("pre_supervoxel_id > 0 AND post_supervoxel_id > 0", name="supervoxel_ids"),
        {"comment": "Synapses: clefts with their chosen partners; a polyadic cleft has several rows", **BY_RUN},
    )

    run_id: Mapped[int] = run_key()
    cleft_id: Mapped[int] = bigint("The cleft", key=True)
    pre_segment_id: Mapped[int] = bigint("The presynaptic segment")
    post_segment_id: Mapped[int] = bigint("The postsynaptic segment")
    number: Mapped[int] = smallint("Tells the synapses of a polyadic cleft apart, from 0", key=True, default="0")
    pre_score: Mapped[float | None] = optional(
        REAL,
        "Score of the presynaptic segment in its role, 0 to 1; a pruner's is the pair's; NULL if nothing scored it",
    )
    post_score: Mapped[float | None] = optional(
        REAL,
        "Score of the postsynaptic segment in its role, 0 to 1; a pruner's is the pair's; NULL if nothing scored it",
    )
    confidence: Mapped[float | None] = optional(
        REAL, "Calibrated probability that the synapse is correct, 0 to 1; NULL if an import doesn't tell"
    )
    pre_x_nm: Mapped[float] = real("A point inside the presynaptic segment beside the cleft: x in nm")
    pre_y_nm: Mapped[float] = real("A point inside the presynaptic segment beside the cleft: y in nm")
    pre_z_nm: Mapped[float] = real("A point inside the presynaptic segment beside the cleft: z in nm")
    post_x_nm: Mapped[float] = real("A point inside the postsynaptic segment beside the cleft: x in nm")
    post_y_nm: Mapped[float] = real("A point inside the postsynaptic segment beside the cleft: y in nm")
    post_z_nm: Mapped[float] = real("A point inside the postsynaptic segment beside the cleft: z in nm")
    source_id: Mapped[int | None] = optional(
        BigInteger, "Id of the synapse in the table that was imported; NULL in a build"
    )
    pre_supervoxel_id: Mapped[int | None] = optional(
        BigInteger, "The supervoxel of its presynaptic point; NULL: its segment is what proofreading moves"
    )
    post_supervoxel_id: Mapped[int | None] = optional(
        BigInteger, "The supervoxel of its postsynaptic point; NULL: its segment is what proofreading moves"
    )


class DuplicateTable(Base):
    """A cleft whose synapse was merged into another one's."""

    __tablename__ = "duplicate"
    __table_args__ = (
        CheckConstraint("cleft_id <> kept_cleft_id", name="different"),
        CheckConstraint("distance_nm >= 0", name="distance_nm"),
        {
            "comment": "Clefts whose synapse was merged into another one's: equal partners, centroids near each other",
            **BY_RUN,
        },
    )

    run_id: Mapped[int] = run_key()
    cleft_id: Mapped[int] = bigint("The cleft whose synapse was merged into another one's", key=True)
    kept_cleft_id: Mapped[int] = bigint("The cleft that the remaining synapse belongs to", key=True)
    distance_nm: Mapped[float] = real("Distance of the two clefts' centroids in nm")


class EdgeTable(Base):
    """All synapses from one segment to another."""

    __tablename__ = "edge"
    __table_args__ = (
        Index(None, "post_segment_id", postgresql_include=["run_id", "pre_segment_id", *EDGE_SUMS]),
        CheckConstraint("synapse_count > 0 AND size_voxels >= 0", name="sums"),
        CheckConstraint("mean_confidence BETWEEN 0 AND 1", name="mean_confidence"),
        CheckConstraint("unscored_count BETWEEN 0 AND synapse_count", name="unscored_count"),
        {"comment": "Edges: all synapses from one segment to another, aggregated when the run is finished", **BY_RUN},
    )

    run_id: Mapped[int] = run_key(comment="The run that the synapses belong to")
    pre_segment_id: Mapped[int] = bigint("The presynaptic segment", key=True)
    post_segment_id: Mapped[int] = bigint("The postsynaptic segment", key=True)
    synapse_count: Mapped[int] = integer("Number of synapses")
    size_voxels: Mapped[int] = bigint(
        "Summed size of their clefts in voxels at the working resolution; unknown sizes count 0"
    )
    mean_confidence: Mapped[float | None] = mean_confidence()
    unscored_count: Mapped[int] = unscored_count()


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
    """The new cleft of a fragment that stitching renamed, or none where it dropped the fragment."""

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
