"""Models name their method, a run may have no assigner network, duplicates are recorded, two more stages.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from connectome.migrations.columns import bigint, integer, real

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

METHODS = ("mask", "stdt", "signed-proximity", "avan", "mask-pruner", "proximity-pruner")
STAGES = ("predict", "label", "stitch", "relabel", "assign")
CONFIDENCE = "Mean cleft score times both partner scores, 0 to 1; not calibrated"
STAGE_COMMENT = "Stage of the build: predict, label, stitch, relabel or assign"
ASSIGNER = "The partner assigner"
UNASSIGNABLE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM run WHERE assigner_model_id IS NULL) THEN
        RAISE EXCEPTION 'revision 0003 holds no run without an assigner network: delete such runs first';
    END IF;
END $$
"""


def upgrade() -> None:
    """Add and widen; the models of older runs were of the only methods that there were."""
    op.add_column(
        "model",
        sa.Column(
            "method", sa.Text, comment=f"How the model works: {', '.join(METHODS[:-1])} or {METHODS[-1]}", nullable=True
        ),
    )
    op.execute("UPDATE model SET method = CASE role WHEN 'detector' THEN 'mask' ELSE 'avan' END")
    op.alter_column("model", "method", nullable=False)
    op.create_check_constraint(op.f("ck_model_method"), "model", f"method IN ({_quoted(METHODS)})")
    op.alter_column("run", "assigner_model_id", nullable=True, comment=f"{ASSIGNER}; NULL: no network chose partners")
    change_stages((*STAGES, "deduplicate", "edges"), f"{STAGE_COMMENT[:-10]}, assign, deduplicate or edges")
    op.alter_column("synapse", "confidence", comment="Calibrated probability that the synapse is correct, 0 to 1")
    create_duplicate()


def downgrade() -> None:
    """Take back what `upgrade` did; finished blocks of the new stages are forgotten."""
    op.execute(UNASSIGNABLE)
    op.drop_table("duplicate")
    op.alter_column("synapse", "confidence", comment=CONFIDENCE)
    op.execute("DELETE FROM block WHERE stage IN ('deduplicate', 'edges')")
    change_stages(STAGES, STAGE_COMMENT)
    op.alter_column("run", "assigner_model_id", nullable=False, comment=ASSIGNER)
    op.drop_column("model", "method")


def change_stages(stages: tuple[str, ...], comment: str) -> None:
    """Let block.stage be one of these."""
    op.drop_constraint(op.f("ck_block_stage"), "block")
    op.create_check_constraint(op.f("ck_block_stage"), "block", f"stage IN ({_quoted(stages)})")
    op.alter_column("block", "stage", comment=comment)


def create_duplicate() -> None:
    """Create the table duplicate."""
    op.create_table(
        "duplicate",
        integer("run_id", "The run that wrote the row"),
        bigint("cleft_id", "The cleft whose synapse was merged into another one's"),
        bigint("kept_cleft_id", "The cleft that the remaining synapse belongs to"),
        real("distance_nm", "Distance of the two clefts' centroids in nm"),
        sa.PrimaryKeyConstraint("run_id", "cleft_id", "kept_cleft_id", name="pk_duplicate"),
        sa.ForeignKeyConstraint(
            ["run_id", "cleft_id"],
            ["cleft.run_id", "cleft.cleft_id"],
            name=op.f("fk_duplicate_run_id_cleft_id_cleft"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "kept_cleft_id"],
            ["cleft.run_id", "cleft.cleft_id"],
            name=op.f("fk_duplicate_run_id_kept_cleft_id_cleft"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("cleft_id <> kept_cleft_id", name=op.f("ck_duplicate_different")),
        sa.CheckConstraint("distance_nm >= 0", name=op.f("ck_duplicate_distance_nm")),
        comment="Clefts whose synapse was merged into another one's: equal partners, centroids near each other",
    )


def _quoted(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
