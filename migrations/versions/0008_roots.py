"""Proofreading: versions of roots, edges between roots, annotations of neurons.

Revision: 0008, after 0007.
"""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa
from alembic import op

from connectome.migrations import partitions
from connectome.migrations.columns import bigint, double, identity, integer, text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BEFORE = import_module("connectome.migrations.versions.0007_edges")
ADDED = ("synapse_root", "root_edge")
TABLES = (*BEFORE.TABLES, *ADDED)
SYNAPSE_KEY = "run_id, cleft_id, number"
REFERENCES = (
    *BEFORE.BEFORE.REFERENCES,
    ("synapse", "synapse_root", SYNAPSE_KEY, "synapse", SYNAPSE_KEY),
)
SEGMENTS = """
INSERT INTO roots (roots_id, name, source) OVERRIDING SYSTEM VALUE
VALUES (0, 'segments', 'the segmentation itself: every segment is its own root')
"""


def upgrade() -> None:
    """Create the tables, with partitions for the runs there are."""
    create_roots()
    create_root()
    create_root_refresh()
    create_annotation()
    create_synapse_root()
    create_root_edge()
    op.execute(SEGMENTS)
    partitions.define(TABLES, REFERENCES)
    partitions.stage_and_attach(ADDED)


def downgrade() -> None:
    """Drop the tables, referencing ones first."""
    partitions.define(BEFORE.TABLES, BEFORE.BEFORE.REFERENCES)
    partitions.drop_all(ADDED)
    for table in ("annotation", "root_refresh", "root", "roots"):
        op.drop_table(table)


def create_roots() -> None:
    """Create the table roots."""
    op.create_table(
        "roots",
        identity("roots_id", "Number of the version; 0: the segments as they are"),
        text("name", "Name of the version, chosen by the user"),
        sa.Column("parent_roots_id", sa.Integer, comment="The version that this one was made from; NULL: from none"),
        text("source", "The table or volume that the version was made from"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the version was made",
        ),
        sa.PrimaryKeyConstraint("roots_id", name="pk_roots"),
        sa.UniqueConstraint("name", name=op.f("uq_roots_name")),
        sa.ForeignKeyConstraint(["parent_roots_id"], ["roots.roots_id"], name=op.f("fk_roots_parent_roots_id_roots")),
        comment="Versions of proofreading: each maps segments to roots and is complete in itself; history stays",
    )


def create_root() -> None:
    """Create the table root."""
    op.create_table(
        "root",
        integer("roots_id", "The version"),
        bigint("segment_id", "The segment"),
        bigint("root_id", "The neuron that the segment belongs to"),
        sa.PrimaryKeyConstraint("roots_id", "segment_id", name="pk_root"),
        sa.ForeignKeyConstraint(
            ["roots_id"], ["roots.roots_id"], name=op.f("fk_root_roots_id_roots"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("segment_id > 0 AND root_id > 0", name=op.f("ck_root_ids")),
        comment="The root of each segment in a version; a segment without a row is its own root",
    )
    op.create_index(op.f("ix_root_roots_id_root_id"), "root", ["roots_id", "root_id"])


def create_root_refresh() -> None:
    """Create the table root_refresh."""
    op.create_table(
        "root_refresh",
        integer("run_id", "The run"),
        integer("roots_id", "The version of roots"),
        sa.Column(
            "refreshed_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When its edges were made",
        ),
        sa.PrimaryKeyConstraint("run_id", "roots_id", name="pk_root_refresh"),
        sa.ForeignKeyConstraint(
            ["roots_id"], ["roots.roots_id"], name=op.f("fk_root_refresh_roots_id_roots"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.run_id"], name=op.f("fk_root_refresh_run_id_run"), ondelete="CASCADE"
        ),
        comment="The runs and versions of roots whose edges are in root_edge",
    )


def create_annotation() -> None:
    """Create the table annotation."""
    op.create_table(
        "annotation",
        integer("roots_id", "The version of roots that neuron_id belongs to; 0: it is a segment"),
        bigint("neuron_id", "The segment or root"),
        text("label", "What is said of it: type, side, or any other label"),
        text("value", "The label's value"),
        sa.PrimaryKeyConstraint("roots_id", "neuron_id", "label", name="pk_annotation"),
        sa.ForeignKeyConstraint(
            ["roots_id"], ["roots.roots_id"], name=op.f("fk_annotation_roots_id_roots"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("label <> ''", name=op.f("ck_annotation_label")),
        sa.CheckConstraint("neuron_id > 0", name=op.f("ck_annotation_neuron_id")),
        comment="Annotations of neurons: one value a label",
    )
    op.create_index(op.f("ix_annotation_label_value"), "annotation", ["label", "value"])


def create_synapse_root() -> None:
    """Create the table synapse_root."""
    op.create_table(
        "synapse_root",
        integer("run_id", "The run of the synapse"),
        integer("roots_id", "The version of roots"),
        bigint("cleft_id", "The synapse: its cleft"),
        sa.Column("number", sa.SmallInteger, nullable=False, comment="The synapse: its number in its cleft"),
        bigint("pre_root_id", "Its presynaptic root in this version"),
        bigint("post_root_id", "Its postsynaptic root in this version"),
        sa.PrimaryKeyConstraint("run_id", "roots_id", "cleft_id", "number", name="pk_synapse_root"),
        sa.ForeignKeyConstraint(
            ["roots_id"], ["roots.roots_id"], name=op.f("fk_synapse_root_roots_id_roots"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("pre_root_id > 0 AND post_root_id > 0", name=op.f("ck_synapse_root_ids")),
        comment="Synapses whose roots in a version don't follow from their segments, as a segment was split",
        postgresql_partition_by="LIST (run_id)",
    )


def create_root_edge() -> None:
    """Create the table root_edge."""
    op.create_table(
        "root_edge",
        integer("run_id", "The run that the synapses belong to"),
        integer("roots_id", "The version of roots"),
        bigint("pre_root_id", "The presynaptic root"),
        bigint("post_root_id", "The postsynaptic root"),
        integer("synapse_count", "Number of synapses"),
        bigint("size_voxels", "Summed size of their clefts in voxels at the working resolution; unknown sizes count 0"),
        double("mean_confidence", "Mean confidence of the synapses, 0 to 1"),
        sa.PrimaryKeyConstraint("run_id", "roots_id", "pre_root_id", "post_root_id", name="pk_root_edge"),
        sa.ForeignKeyConstraint(
            ["run_id", "roots_id"],
            ["root_refresh.run_id", "root_refresh.roots_id"],
            name=op.f("fk_root_edge_run_id_roots_id_root_refresh"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("mean_confidence BETWEEN 0 AND 1", name=op.f("ck_root_edge_mean_confidence")),
        sa.CheckConstraint("synapse_count > 0 AND size_voxels >= 0", name=op.f("ck_root_edge_sums")),
        comment="Edges between the roots of a version, aggregated from edge",
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_index(op.f("ix_root_edge_roots_id_post_root_id"), "root_edge", ["roots_id", "post_root_id"])
