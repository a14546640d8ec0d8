"""What a run finds: tables that revisions 0002 and 0006 create alike, and those of 0006 alone. Never change it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from connectome.migrations.columns import bigint, double, integer, real, text

BY_RUN = "LIST (run_id)"
INDEXES = (
    ("ix_cleft_block_id", "cleft", ["block_id"]),
    ("ix_synapse_pre_segment_id", "synapse", ["pre_segment_id"]),
    ("ix_synapse_post_segment_id", "synapse", ["post_segment_id"]),
)


def nullable(column: sa.Column[int] | sa.Column[float]) -> sa.Column[int] | sa.Column[float]:
    """The same column, where NULL is allowed."""
    column.nullable = True
    return column


def create_fragment(*keys: sa.ForeignKeyConstraint, **options: Any) -> None:
    """Create the table fragment, with further keys and options."""
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
        *keys,
        sa.CheckConstraint("fragment_id > 0", name=op.f("ck_fragment_fragment_id")),
        sa.CheckConstraint("size_voxels > 0", name=op.f("ck_fragment_size_voxels")),
        comment="Connected pieces of cleft voxels inside one block, before stitching",
        **options,
    )


def create_fragment_cleft(*keys: sa.ForeignKeyConstraint, **options: Any) -> None:
    """Create the table fragment_cleft, with further keys and options."""
    op.create_table(
        "fragment_cleft",
        integer("run_id", "The run that wrote the row"),
        bigint("fragment_id", "The fragment"),
        bigint("cleft_id", "The cleft it became part of; 0 if it was dropped as too small"),
        sa.PrimaryKeyConstraint("run_id", "fragment_id", name="pk_fragment_cleft"),
        *keys,
        sa.CheckConstraint("cleft_id >= 0", name=op.f("ck_fragment_cleft_cleft_id")),
        comment="Fragments that stitching renamed or dropped; a fragment without a row is a cleft of its own id",
        **options,
    )


def create_cleft() -> None:
    """Create the table cleft."""
    op.create_table(
        "cleft",
        integer("run_id", "The run that wrote the row"),
        bigint("cleft_id", "1 + the C-order index of its first voxel in the whole volume; an import's own id"),
        bigint("block_id", "Block of the assign stage that the cleft's centre lies in; 0 in an import"),
        nullable(bigint("size_voxels", "Voxels at the working resolution; NULL if an import doesn't know")),
        double("x_nm", "Centroid: x in nm"),
        double("y_nm", "Centroid: y in nm"),
        double("z_nm", "Centroid: z in nm"),
        *(
            nullable(double(f"{end}_{axis}_nm", f"Bounding box: {end} along {axis} in nm{rest}; NULL if unknown"))
            for end, rest in (("start", ""), ("stop", ", exclusive"))
            for axis in "xyz"
        ),
        *(
            nullable(
                integer(f"centre_{axis}", f"Working voxel that its patch is centred on: {axis}; NULL in an import")
            )
            for axis in "zyx"
        ),
        nullable(real("mean_score", "Mean output of the detector over its voxels, 0 to 1; NULL if unknown")),
        nullable(real("max_score", "Greatest output of the detector over its voxels, 0 to 1; NULL if unknown")),
        text("state", "detected, assigned, or no_partners (fewer than two segments touch it)"),
        sa.PrimaryKeyConstraint("run_id", "cleft_id", name="pk_cleft"),
        sa.CheckConstraint("cleft_id > 0", name=op.f("ck_cleft_cleft_id")),
        sa.CheckConstraint("mean_score BETWEEN 0 AND 1 AND max_score BETWEEN 0 AND 1", name=op.f("ck_cleft_scores")),
        sa.CheckConstraint("size_voxels > 0", name=op.f("ck_cleft_size_voxels")),
        sa.CheckConstraint("state IN ('detected', 'assigned', 'no_partners')", name=op.f("ck_cleft_state")),
        comment="Synaptic clefts: connected objects of predicted cleft voxels",
        postgresql_partition_by=BY_RUN,
    )


def create_candidate(*keys: sa.ForeignKeyConstraint, **options: Any) -> None:
    """Create the table candidate, with further keys and options."""
    op.create_table(
        "candidate",
        integer("run_id", "The run that wrote the row"),
        bigint("cleft_id", "The cleft"),
        bigint("segment_id", "The segment"),
        text("role", "The role that is scored: pre or post"),
        real("score", "Mean output of the assigner over the segment's voxels in the patch, 0 to 1"),
        integer("contact_voxels", "Voxels of the segment that touch the dilated cleft"),
        sa.PrimaryKeyConstraint("run_id", "cleft_id", "segment_id", "role", name="pk_candidate"),
        *keys,
        sa.CheckConstraint("contact_voxels > 0", name=op.f("ck_candidate_contact_voxels")),
        sa.CheckConstraint("role IN ('pre', 'post')", name=op.f("ck_candidate_role")),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_candidate_score")),
        sa.CheckConstraint("segment_id > 0", name=op.f("ck_candidate_segment_id")),
        comment="Segments near a cleft with the score that the assigner gives them in each role",
        **options,
    )


def create_duplicate() -> None:
    """Create the table duplicate."""
    op.create_table(
        "duplicate",
        integer("run_id", "The run that wrote the row"),
        bigint("cleft_id", "The cleft whose synapse was merged into another one's"),
        bigint("kept_cleft_id", "The cleft that the remaining synapse belongs to"),
        real("distance_nm", "Distance of the two clefts' centroids in nm"),
        sa.PrimaryKeyConstraint("run_id", "cleft_id", "kept_cleft_id", name="pk_duplicate"),
        sa.CheckConstraint("cleft_id <> kept_cleft_id", name=op.f("ck_duplicate_different")),
        sa.CheckConstraint("distance_nm >= 0", name=op.f("ck_duplicate_distance_nm")),
        comment="Clefts whose synapse was merged into another one's: equal partners, centroids near each other",
        postgresql_partition_by=BY_RUN,
    )


def create_synapse() -> None:
    """Create the table synapse."""
    scores = "pre_score BETWEEN 0 AND 1 AND post_score BETWEEN 0 AND 1 AND confidence BETWEEN 0 AND 1"
    op.create_table(
        "synapse",
        integer("run_id", "The run that wrote the row"),
        bigint("cleft_id", "The cleft"),
        bigint("pre_segment_id", "The presynaptic segment"),
        bigint("post_segment_id", "The postsynaptic segment"),
        sa.Column(
            "number",
            sa.SmallInteger,
            nullable=False,
            server_default="0",
            comment="Tells the synapses of a polyadic cleft apart, from 0",
        ),
        nullable(real("pre_score", "Score of the presynaptic segment in its role, 0 to 1; NULL if nothing scored it")),
        nullable(
            real("post_score", "Score of the postsynaptic segment in its role, 0 to 1; NULL if nothing scored it")
        ),
        real("confidence", "Calibrated probability that the synapse is correct, 0 to 1; 1 if an import has none"),
        *(
            real(f"{role}_{axis}_nm", f"A point inside the {role}synaptic segment beside the cleft: {axis} in nm")
            for role in ("pre", "post")
            for axis in "xyz"
        ),
        nullable(bigint("source_id", "Id of the synapse in the table that was imported; NULL in a build")),
        sa.PrimaryKeyConstraint("run_id", "cleft_id", "number", name="pk_synapse"),
        sa.CheckConstraint("number >= 0", name=op.f("ck_synapse_number")),
        sa.CheckConstraint(scores, name=op.f("ck_synapse_scores")),
        sa.CheckConstraint("pre_segment_id > 0 AND post_segment_id > 0", name=op.f("ck_synapse_segment_ids")),
        comment="Synapses: clefts with their chosen partners; a polyadic cleft has several rows",
        postgresql_partition_by=BY_RUN,
    )


CREATORS: dict[str, Callable[[], object]] = {
    **{
        table: partial(create, postgresql_partition_by=BY_RUN)
        for table, create in (
            ("fragment", create_fragment),
            ("fragment_cleft", create_fragment_cleft),
            ("candidate", create_candidate),
        )
    },
    "cleft": create_cleft,
    "duplicate": create_duplicate,
    "synapse": create_synapse,
}
