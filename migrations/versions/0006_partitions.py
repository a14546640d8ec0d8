"""What a run finds is partitioned by run, and takes imported rows: more columns may be NULL.

Revision: 0006, after 0005.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import sqlalchemy as sa
from alembic import op

from connectome.migrations import partitions
from connectome.migrations.findings import CREATORS, INDEXES

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("fragment", "fragment_cleft", "cleft", "candidate", "duplicate", "synapse")
TO_CLEFT = "run_id, cleft_id"
REFERENCES = (
    ("cleft_id", "candidate", TO_CLEFT, "cleft", TO_CLEFT),
    ("cleft_id", "duplicate", TO_CLEFT, "cleft", TO_CLEFT),
    ("kept_cleft_id", "duplicate", "run_id, kept_cleft_id", "cleft", TO_CLEFT),
    ("cleft_id", "synapse", TO_CLEFT, "cleft", TO_CLEFT),
)
NUMBERED = "row_number() OVER (PARTITION BY run_id, cleft_id ORDER BY pre_segment_id, post_segment_id) - 1"
VIEW = import_module("connectome.migrations.versions.0003_edge_view")
OLD_INDEXES = (
    ("ix_cleft_run_id_block_id", "cleft", ["run_id", "block_id"]),
    ("ix_synapse_run_id_post_segment_id", "synapse", ["run_id", "post_segment_id"]),
    ("ix_synapse_run_id_pre_segment_id", "synapse", ["run_id", "pre_segment_id"]),
)


def upgrade() -> None:
    """Copy each run's rows into partitions of its own; keys and indexes are made over full tables."""
    op.execute("DROP VIEW edge")
    kept = {table: _columns(table) for table in TABLES}
    for table in reversed(TABLES):
        partitions.set_aside(table)
    partitions.create_functions()
    partitions.define(TABLES, REFERENCES)
    for table in TABLES:
        CREATORS[table]()
    op.execute("SELECT stage_partitions(run_id, partitioned_tables()) FROM run")
    for run_id in op.get_bind().scalars(sa.text("SELECT run_id FROM run")).all():
        for table, columns in kept.items():
            number = {"number": NUMBERED} if table == "synapse" else {}
            _copy(f"{table}_{run_id}", f"kept_{table} WHERE run_id = {run_id}", columns, number)
    op.execute("SELECT attach_partitions(run_id, partitioned_tables()) FROM run")
    for name, table, columns in INDEXES:
        op.create_index(op.f(name), table, columns)
    for table in reversed(TABLES):
        op.drop_table(f"kept_{table}")
    VIEW.upgrade()


def downgrade() -> None:
    """Copy all rows back into plain tables."""
    op.execute("DROP VIEW edge")
    found: Any = import_module("connectome.migrations.versions.0002_clefts")
    methods: Any = import_module("connectome.migrations.versions.0004_methods")
    for table in reversed(TABLES):
        partitions.set_aside(table)
    for table in TABLES:
        getattr(methods if table == "duplicate" else found, f"create_{table}")()
    for table in TABLES:
        _copy(table, f"kept_{table}", _columns(table), {})
    partitions.drop_functions()
    for table in reversed(TABLES):
        op.drop_table(f"kept_{table}")
    op.alter_column("synapse", "confidence", comment="Calibrated probability that the synapse is correct, 0 to 1")
    VIEW.upgrade()


def _columns(table: str) -> list[str]:
    return [column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)]


def _copy(target: str, source: str, columns: list[str], computed: dict[str, str]) -> None:
    names, values = ", ".join([*columns, *computed]), ", ".join([*columns, *computed.values()])
    op.execute(f"INSERT INTO {target} ({names}) SELECT {values} FROM {source}")
