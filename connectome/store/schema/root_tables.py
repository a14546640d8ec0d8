"""Tables of proofreading: roots, root, root_refresh, synapse_root, root_edge; and annotation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from connectome.store.schema.base import BY_RUN, Base, bigint, integer, run_key, smallint, text
from connectome.store.schema.finding_tables import EDGE_SUMS, mean_confidence, unscored_count


def roots_key(comment: str) -> Mapped[int]:
    """The version of roots, in a primary key; rows go with their version."""
    return mapped_column(
        ForeignKey("roots.roots_id", ondelete="CASCADE"), primary_key=True, autoincrement=False, comment=comment
    )


class RootsTable(Base):
    """A version of proofreading."""

    __tablename__ = "roots"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("(roots_id = 0) = (data_set_id IS NULL)", name="data_set"),
        {"comment": "Versions of proofreading: each maps segments to roots and is complete in itself; history stays"},
    )

    roots_id: Mapped[int] = mapped_column(
        Integer, Identity(always=True), primary_key=True, comment="Number of the version; 0: the segments as they are"
    )
    name: Mapped[str] = text("Name of the version, chosen by the user")
    parent_roots_id: Mapped[int | None] = mapped_column(
        ForeignKey("roots.roots_id"), comment="The version that this one was made from; NULL: from none"
    )
    source: Mapped[str] = text("The table or volume that the version was made from")
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When the version was made"
    )
    data_set_id: Mapped[int | None] = mapped_column(
        ForeignKey("data_set.data_set_id"),
        comment="The data set that its ids belong to; NULL for version 0, which holds for all",
    )


class RootTable(Base):
    """The root of a segment."""

    __tablename__ = "root"
    __table_args__ = (
        Index(None, "roots_id", "root_id"),
        CheckConstraint("segment_id > 0 AND root_id > 0", name="ids"),
        {"comment": "The root of each segment in a version; a segment without a row is its own root"},
    )

    roots_id: Mapped[int] = roots_key("The version")
    segment_id: Mapped[int] = bigint("The segment", key=True)
    root_id: Mapped[int] = bigint("The neuron that the segment belongs to")


class SupervoxelRootTable(Base):
    """The root of a supervoxel."""

    __tablename__ = "supervoxel_root"
    __table_args__ = (
        CheckConstraint("supervoxel_id > 0 AND root_id > 0", name="ids"),
        {
            "comment": "The root of each supervoxel in a version; what follows for the synapses is in synapse_root",
        },
    )

    roots_id: Mapped[int] = roots_key("The version")
    supervoxel_id: Mapped[int] = bigint("The supervoxel", key=True)
    root_id: Mapped[int] = bigint("The neuron that the supervoxel belongs to")


class RootRefreshTable(Base):
    """A run whose edges between the roots of a version have been made."""

    __tablename__ = "root_refresh"
    __table_args__ = ({"comment": "The runs and versions of roots whose edges are in root_edge"},)

    run_id: Mapped[int] = mapped_column(
        ForeignKey("run.run_id", ondelete="CASCADE"), primary_key=True, autoincrement=False, comment="The run"
    )
    roots_id: Mapped[int] = roots_key("The version of roots")
    refreshed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), comment="When its edges were made"
    )


class AnnotationTable(Base):
    """What is said of a neuron."""

    __tablename__ = "annotation"
    __table_args__ = (
        Index(None, "label", "value"),
        CheckConstraint("neuron_id > 0", name="neuron_id"),
        CheckConstraint("label <> ''", name="label"),
        {"comment": "Annotations of neurons: one value a label"},
    )

    data_set_id: Mapped[int] = mapped_column(
        ForeignKey("data_set.data_set_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="The data set that the neuron belongs to",
    )
    roots_id: Mapped[int] = roots_key("The version of roots that neuron_id belongs to; 0: it is a segment")
    neuron_id: Mapped[int] = bigint("The segment or root", key=True)
    label: Mapped[str] = text("What is said of it: type, side, or any other label", key=True)
    value: Mapped[str] = text("The label's value")


class SynapseRootTable(Base):
    """The roots of a synapse where they don't follow from its segments."""

    __tablename__ = "synapse_root"
    __table_args__ = (
        CheckConstraint("pre_root_id > 0 AND post_root_id > 0", name="ids"),
        {
            "comment": "Synapses whose roots in a version don't follow from their segments, as a segment was split",
            **BY_RUN,
        },
    )

    run_id: Mapped[int] = run_key(comment="The run of the synapse")
    roots_id: Mapped[int] = roots_key("The version of roots")
    cleft_id: Mapped[int] = bigint("The synapse: its cleft", key=True)
    number: Mapped[int] = smallint("The synapse: its number in its cleft", key=True)
    pre_root_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Its presynaptic root in this version; NULL: the one that follows from its segment"
    )
    post_root_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Its postsynaptic root in this version; NULL: the one that follows from its segment"
    )


class RootEdgeTable(Base):
    """All synapses from one root to another."""

    __tablename__ = "root_edge"
    __table_args__ = (
        Index(None, "roots_id", "post_root_id", postgresql_include=["run_id", "pre_root_id", *EDGE_SUMS]),
        ForeignKeyConstraint(
            ["run_id", "roots_id"], ["root_refresh.run_id", "root_refresh.roots_id"], ondelete="CASCADE"
        ),
        CheckConstraint("synapse_count > 0 AND size_voxels >= 0", name="sums"),
        CheckConstraint("mean_confidence BETWEEN 0 AND 1", name="mean_confidence"),
        CheckConstraint("unscored_count BETWEEN 0 AND synapse_count", name="unscored_count"),
        {"comment": "Edges between the roots of a version, aggregated from edge", **BY_RUN},
    )

    run_id: Mapped[int] = run_key(comment="The run that the synapses belong to")
    roots_id: Mapped[int] = integer("The version of roots", key=True)
    pre_root_id: Mapped[int] = bigint("The presynaptic root", key=True)
    post_root_id: Mapped[int] = bigint("The postsynaptic root", key=True)
    synapse_count: Mapped[int] = integer("Number of synapses")
    size_voxels: Mapped[int] = bigint(
        "Summed size of their clefts in voxels at the working resolution; unknown sizes count 0"
    )
    mean_confidence: Mapped[float | None] = mean_confidence()
    unscored_count: Mapped[int] = unscored_count()
