"""A cleft may be a duplicate, or have a score that is too low for a synapse.

Revision: 0011, after 0010.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATES = ("detected", "assigned", "no_partners")
NEW_STATES = ("low_score", "duplicate")
COMMENT = "detected, assigned, or no_partners (fewer than two segments touch it)"
NEW_COMMENT = (
    "detected, assigned, no_partners (fewer than two segments touch it), low_score (its synapse scores less than the "
    "run''s min_score) or duplicate (its synapse was merged into another cleft''s)"
)


def upgrade() -> None:
    """Let clefts be in the new states."""
    change_states((*STATES, *NEW_STATES), NEW_COMMENT)


def downgrade() -> None:
    """Take the new states back; clefts in them were assigned."""
    op.execute(f"UPDATE cleft SET state = 'assigned' WHERE state IN ({_quoted(NEW_STATES)})")
    change_states(STATES, COMMENT)


def change_states(states: tuple[str, ...], comment: str) -> None:
    """Let cleft.state be one of these."""
    op.drop_constraint(op.f("ck_cleft_state"), "cleft")
    op.create_check_constraint(op.f("ck_cleft_state"), "cleft", f"state IN ({_quoted(states)})")
    op.execute(f"COMMENT ON COLUMN cleft.state IS '{comment}'")


def _quoted(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
