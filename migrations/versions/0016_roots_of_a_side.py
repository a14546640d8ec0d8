"""A synapse has a root of its own on the side whose segment was split; the other side follows from its segment.

Revision: 0016, after 0015.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COMMENT = "Its {side} root in this version"
OWN = "{}; NULL: the one that follows from its segment"
FILL = """
UPDATE synapse_root o SET {side}_root_id = coalesce(
    (SELECT root_id FROM root r WHERE r.roots_id = o.roots_id AND r.segment_id = s.{side}_segment_id),
    s.{side}_segment_id)
FROM synapse s
WHERE o.{side}_root_id IS NULL AND s.run_id = o.run_id AND s.cleft_id = o.cleft_id AND s.number = o.number
"""
SIDES = {"pre": "presynaptic", "post": "postsynaptic"}


def upgrade() -> None:
    """Let a side have none."""
    for side, name in SIDES.items():
        comment = COMMENT.format(side=name)
        op.alter_column("synapse_root", f"{side}_root_id", nullable=True, comment=OWN.format(comment))


def downgrade() -> None:
    """Write the root of every side."""
    for side, name in SIDES.items():
        op.execute(FILL.format(side=side))
        op.alter_column("synapse_root", f"{side}_root_id", nullable=False, comment=COMMENT.format(side=name))
