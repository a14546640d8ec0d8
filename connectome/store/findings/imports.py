"""Imported runs: rows that others made, loaded as a whole in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, text, update

from connectome.store.database import Database
from connectome.store.findings.edges import refresh_all_roots, refresh_edges, vacuum_edges
from connectome.store.runs.records import NewImport, RunKind, RunState
from connectome.store.runs.runs import data_set_of_name, insert_run
from connectome.store.schema.base import partition
from connectome.store.schema.tables import RunTable, attach_partitions, stage_partitions
from connectome.store.transfer.copying import Columns, copy_columns

MAINTENANCE_WORK_MEM = "512MB"  # for the indexes


@dataclass(frozen=True, kw_only=True)
class RunLoading:
    """A run that is being loaded, inside the one transaction of the import."""

    connection: Connection
    run_id: int
    data_set_id: int

    def write(self, table: str, columns: Columns) -> int:
        """Append rows, in any order and any number of calls; returns their number.

        Tables: `cleft`, `synapse`, `candidate`; `edge` in a run of edges alone.

        Raises:
            SegmentIdError: an id of 2^63 or more. ValueError: lengths differ, or a value doesn't fit its column.
        """
        rows = {**columns, "run_id": self.run_id}
        return copy_columns(self.connection, table, rows, into=partition(table, self.run_id), freeze=True)


@contextmanager
def import_run(database: Database, new: NewImport) -> Iterator[RunLoading]:
    """Load a run: all of it appears, finished and with its edges, when the `with` ends; nothing remains of an error.

    Rows go into tables that nobody sees yet and that have no indexes; edges, keys and indexes are made at the end.

    Raises:
        RunConflictError: the name is taken.
        DatabaseError: a row breaks a rule of the schema: two rows of one key, a synapse without its cleft.
    """
    values: dict[str, Any] = {
        "name": new.name,
        "kind": RunKind.IMPORT.value,
        "state": RunState.RUNNING.value,
        "parameters": new.parameters,
        "code_version": new.code_version,
        "content": "edges" if new.edges_only else "synapses",
    }
    with database.begin() as connection:
        values["data_set_id"] = data_set_of_name(connection, new.data_set or new.name)
        run_id = insert_run(connection, values)
        stage_partitions(connection, run_id)
        yield RunLoading(connection=connection, run_id=run_id, data_set_id=values["data_set_id"])
        if not new.edges_only:
            refresh_edges(connection, run_id)
        connection.execute(text(f"SET LOCAL maintenance_work_mem = '{MAINTENANCE_WORK_MEM}'"))
        attach_partitions(connection, run_id)
        refresh_all_roots(connection, run_id)
        finished = {"state": RunState.FINISHED.value, "finished_at": func.clock_timestamp()}
        connection.execute(update(RunTable).where(RunTable.run_id == run_id).values(finished))
    vacuum_edges(database, run_id)


def count_unscored(loading: RunLoading) -> int:
    """The number of synapses without confidence in a run that is being loaded; the run's parameters keep it."""
    synapse = partition("synapse", loading.run_id)
    found = loading.connection.exec_driver_sql(f"SELECT count(*) - count(confidence) FROM {synapse}").scalar()
    kept = text("UPDATE run SET parameters = parameters || jsonb_build_object('unscored', :n) WHERE run_id = :run_id")
    loading.connection.execute(kept, {"n": int(found or 0), "run_id": loading.run_id})
    return int(found or 0)
