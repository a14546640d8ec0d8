"""Scores may be those of pairs: what the columns' comments say.

Revision: 0012, after 0011.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CANDIDATE = "Mean output of the assigner over the segment''s voxels in the patch, 0 to 1"
NEW_CANDIDATE = (
    "Score in the role, 0 to 1: an AVAN''s mean output over the segment, or a pruner''s probability of its best pair"
)
SYNAPSE = "Score of the {role}synaptic segment in its role, 0 to 1; NULL if nothing scored it"
NEW_SYNAPSE = (
    "Score of the {role}synaptic segment in its role, 0 to 1; a pruner''s is the pair''s; NULL if nothing scored it"
)


def upgrade() -> None:
    """Say it."""
    comment(NEW_CANDIDATE, NEW_SYNAPSE)


def downgrade() -> None:
    """Say what was said before."""
    comment(CANDIDATE, SYNAPSE)


def comment(candidate: str, synapse: str) -> None:
    """Set the comments of the scores; `synapse` has a place for the role."""
    op.execute(f"COMMENT ON COLUMN candidate.score IS '{candidate}'")
    for role in ("pre", "post"):
        op.execute(f"COMMENT ON COLUMN synapse.{role}_score IS '{synapse.format(role=role)}'")
