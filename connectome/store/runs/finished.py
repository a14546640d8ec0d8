"""The gate before anything that is made of a run's results: half a connectome is handed to nobody as a whole one."""

from __future__ import annotations

from sqlalchemy import select

from connectome.errors import IncompleteRunError, RunNotFoundError
from connectome.store.database import Database
from connectome.store.runs.records import RunRecord, RunState
from connectome.store.runs.runs import get_run
from connectome.store.schema.tables import RunTable

CLEFTS = "clefts.zarr"
"""The label volume in a run's folder."""
LATEST = (RunTable.finished_at.desc(), RunTable.run_id.desc())


def finished_run(database: Database, run_name: str | None) -> RunRecord:
    """The finished run of a name; None: the one that finished last.

    Raises:
        RunNotFoundError: no run has this name, or none is finished.
        IncompleteRunError: its build isn't finished.
    """
    run = get_run(database, _latest_finished(database) if run_name is None else run_name)
    if run.state != RunState.FINISHED:
        raise IncompleteRunError(
            f"run '{run_name}' is {run.state}, not finished: the same `connectome build volume` command with "
            f"--name {run_name} finishes it"
        )
    return run


def finished_run_id(database: Database, run_name: str | None) -> int:
    """The number of the run that `finished_run` gives, in one question.

    Raises:
        RunNotFoundError, IncompleteRunError: as `finished_run` does.
    """
    statement = select(RunTable.run_id).where(RunTable.state == RunState.FINISHED.value)
    if run_name is not None:
        statement = statement.where(RunTable.name == run_name)
    with database.begin() as connection:
        run_id = connection.scalar(statement.order_by(*LATEST).limit(1))
    return finished_run(database, run_name).run_id if run_id is None else run_id


def _latest_finished(database: Database) -> str:
    statement = select(RunTable.name).where(RunTable.state == RunState.FINISHED.value).order_by(*LATEST).limit(1)
    with database.begin() as connection:
        name = connection.scalar(statement)
    if name is None:
        raise RunNotFoundError(
            "no run is finished yet: connectome build volume makes one, connectome import synapses loads one"
        )
    return name
