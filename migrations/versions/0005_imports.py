"""Runs may be imports of tables that others made: without volumes, models, box and folder.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BUILD_ONLY = {
    "image_volume_id": "The image",
    "segmentation_volume_id": "The segmentation",
    "detector_model_id": "The cleft detector",
    **{
        f"box_{end}_{axis}": f"Box of the build: {what} along {axis}{exclusive} (working resolution)"
        for end, what, exclusive in (("start", "first voxel", ""), ("stop", "stop", ", exclusive"))
        for axis in "zyx"
    },
    "folder": "Folder of the run's own volumes",
}
COMPLETE = f"kind = 'import' OR num_nulls({', '.join(BUILD_ONLY)}) = 0"
REFUSE_IMPORTS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM run WHERE kind = 'import') THEN
        RAISE EXCEPTION 'revision 0004 holds no imported run: delete such runs first';
    END IF;
END $$
"""


def upgrade() -> None:
    """Every run so far is a build."""
    op.add_column(
        "run",
        sa.Column(
            "kind",
            sa.Text,
            nullable=False,
            server_default="build",
            comment="build: made here from an image and a segmentation; import: a table that others made",
        ),
    )
    op.alter_column("run", "kind", server_default=None)
    op.create_check_constraint(op.f("ck_run_kind"), "run", "kind IN ('build', 'import')")
    op.create_check_constraint(op.f("ck_run_complete"), "run", COMPLETE)
    for column, comment in BUILD_ONLY.items():
        op.alter_column("run", column, nullable=True, comment=f"{comment}; NULL for an import")
    op.alter_column("run", "parameters", comment="All parameters of the build, or what was imported from where")
    op.create_table_comment("run", "Builds and imports: every other row belongs to one")


def downgrade() -> None:
    """Refuse to lose imported runs; else take everything back."""
    op.execute(REFUSE_IMPORTS)
    op.create_table_comment("run", "Builds: every other row belongs to one")
    op.alter_column("run", "parameters", comment="All parameters of the build")
    op.drop_constraint(op.f("ck_run_complete"), "run")
    for column, comment in BUILD_ONLY.items():
        op.alter_column("run", column, nullable=False, comment=comment)
    op.drop_column("run", "kind")
