"""What became of each block, and how much each stage has to do.

Revision: 0013, after 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from connectome.migrations.columns import bigint, integer, text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STAGES = "stage IN ('predict', 'label', 'stitch', 'relabel', 'assign', 'deduplicate', 'edges')"
OLD_RUN, NEW_RUN = ("running", "finished", "failed"), ("running", "incomplete", "finished")
OLD_COMMENT = "running (or interrupted), finished, or failed"
NEW_COMMENT = (
    "running (or interrupted), incomplete (blocks failed; the same build command tries them again), or finished"
)
OLD_BLOCK = "Finished blocks: a row means that the block''s volumes and rows are complete"
NEW_BLOCK = "Blocks: a row in state done means that the block''s volumes and rows are complete, failed says why not"
OLD_FINISHED, NEW_FINISHED = "When the block''s transaction began", "When the transaction that wrote the row began"
READER = """
DO $$ BEGIN
    IF to_regrole('connectome_reader') IS NOT NULL THEN
        GRANT SELECT ON stage TO connectome_reader;
    END IF;
END $$
"""


def upgrade() -> None:
    """Every block so far is done, at the first attempt as far as is known."""
    add_to_blocks()
    create_stage()
    op.drop_constraint(op.f("ck_run_state"), "run")
    op.execute("UPDATE run SET state = 'incomplete' WHERE state = 'failed'")
    change_states(NEW_RUN, NEW_COMMENT)


def downgrade() -> None:
    """Failed blocks are again blocks without a row; incomplete runs were running."""
    op.drop_constraint(op.f("ck_run_state"), "run")
    op.execute("UPDATE run SET state = 'running' WHERE state = 'incomplete'")
    change_states(OLD_RUN, OLD_COMMENT)
    op.drop_table("stage")
    op.execute("DELETE FROM block WHERE state = 'failed'")
    for constraint in ("state", "attempts", "error"):
        op.drop_constraint(op.f(f"ck_block_{constraint}"), "block")
    for column in ("state", "attempts", "error", "worker"):
        op.drop_column("block", column)
    comment_on_block(OLD_BLOCK, OLD_FINISHED)


def add_to_blocks() -> None:
    """Let a block be failed."""
    described = [
        ("state", sa.Text, "done, or failed: its last attempt ended with an error", "done"),
        ("attempts", sa.Integer, "How often the block was tried, over all sessions of the run", "1"),
    ]
    for name, kind, comment, default in described:
        op.add_column("block", sa.Column(name, kind, nullable=False, server_default=default, comment=comment))
    op.add_column("block", sa.Column("error", sa.Text, comment="Why the last attempt failed; NULL where it is done"))
    op.add_column("block", sa.Column("worker", sa.Text, comment="Who tried the block last; NULL if unknown"))
    op.create_check_constraint(op.f("ck_block_state"), "block", "state IN ('done', 'failed')")
    op.create_check_constraint(op.f("ck_block_attempts"), "block", "attempts >= 1")
    op.create_check_constraint(op.f("ck_block_error"), "block", "(state = 'failed') = (error IS NOT NULL)")
    comment_on_block(NEW_BLOCK, NEW_FINISHED)


def create_stage() -> None:
    """Create the table stage."""
    op.create_table(
        "stage",
        integer("run_id", "The run"),
        text("stage", "Stage of the build: predict, label, stitch, relabel, assign, deduplicate or edges"),
        bigint("blocks", "Blocks of the stage, done or not"),
        bigint("voxels", "What its blocks add up to, in its unit"),
        text("unit", "What block.voxels counts in this stage: voxels, clefts or synapses"),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the stage was begun first",
        ),
        sa.PrimaryKeyConstraint("run_id", "stage", name="pk_stage"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_stage_run_id_run"), ondelete="CASCADE"),
        sa.CheckConstraint(STAGES, name=op.f("ck_stage_stage")),
        sa.CheckConstraint("blocks >= 0 AND voxels >= 0", name=op.f("ck_stage_totals")),
        sa.CheckConstraint("unit IN ('voxels', 'clefts', 'synapses')", name=op.f("ck_stage_unit")),
        comment="Stages that a build has begun, with all that they have to do",
    )
    op.execute(READER)


def change_states(states: tuple[str, ...], comment: str) -> None:
    """Let run.state be one of these."""
    values = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(op.f("ck_run_state"), "run", f"state IN ({values})")
    op.execute(f"COMMENT ON COLUMN run.state IS '{comment}'")


def comment_on_block(table: str, finished_at: str) -> None:
    """Say what a row of block means."""
    op.execute(f"COMMENT ON TABLE block IS '{table}'")
    op.execute(f"COMMENT ON COLUMN block.finished_at IS '{finished_at}'")
