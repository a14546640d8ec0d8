"""All tables, in one place to import from; and the partitions of a run, made with it and gone with it.

The work on partitions is done by functions that the migrations define.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from connectome.store.schema.base import Base
from connectome.store.schema.finding_tables import (
    CandidateTable,
    CleftTable,
    DuplicateTable,
    EdgeTable,
    FragmentCleftTable,
    FragmentTable,
    SynapseTable,
)
from connectome.store.schema.root_tables import (
    AnnotationTable,
    RootEdgeTable,
    RootRefreshTable,
    RootsTable,
    RootTable,
    SupervoxelRootTable,
    SynapseRootTable,
)
from connectome.store.schema.run_tables import BlockTable, DataSetTable, ModelTable, RunTable, StageTable, VolumeTable

METADATA = Base.metadata

__all__ = [
    "METADATA",
    "AnnotationTable",
    "BlockTable",
    "CandidateTable",
    "CleftTable",
    "DataSetTable",
    "DuplicateTable",
    "EdgeTable",
    "FragmentCleftTable",
    "FragmentTable",
    "ModelTable",
    "RootEdgeTable",
    "RootRefreshTable",
    "RootTable",
    "RootsTable",
    "RunTable",
    "StageTable",
    "SupervoxelRootTable",
    "SynapseRootTable",
    "SynapseTable",
    "VolumeTable",
]
LOCK_WAIT = "300ms"  # less than PostgreSQL's deadlock_timeout: whoever else waits is never the one that is cancelled
LOCK_REFUSED = "55P03"  # SQLSTATE lock_not_available


def partitioned_tables(connection: Connection) -> list[str]:
    """The tables that are partitioned by run, referenced ones first."""
    return list(connection.scalar(text("SELECT partitioned_tables()")) or [])


def stage_partitions(connection: Connection, run_id: int) -> None:
    """Make a run's partitions, not attached yet and without indexes: to be filled quickly, seen by nobody."""
    connection.execute(text("SELECT stage_partitions(:run_id, partitioned_tables())"), {"run_id": run_id})


def attach_partitions(connection: Connection, run_id: int, tables: Sequence[str] | None = None) -> None:
    """Attach a run's partitions: indexes and foreign keys are made over what they hold. Readers don't wait.

    Args:
        connection: in the transaction that made them.
        run_id: the run, whose row exists.
        tables: only these; None: all.
    """
    names = list(tables) if tables is not None else partitioned_tables(connection)
    connection.execute(text("SELECT attach_partitions(:run_id, :tables)"), {"run_id": run_id, "tables": names})


def delete_if_free(connection: Connection, run_id: int) -> bool:
    """Delete a run with all its rows, unless somebody is using the tables; says whether it was done.

    Dropping partitions needs the tables for itself for a moment. It doesn't queue for long, as everybody else would
    have to queue behind it.
    """
    tables = ", ".join(table.name for table in METADATA.sorted_tables if _partitioned(table.name))
    try:
        with connection.begin_nested():
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
            connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
            connection.execute(text("DELETE FROM run WHERE run_id = :run_id"), {"run_id": run_id})
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) == LOCK_REFUSED:
            return False
        raise
    return True


def _partitioned(table: str) -> bool:
    return METADATA.tables[table].dialect_options["postgresql"]["partition_by"] is not None
