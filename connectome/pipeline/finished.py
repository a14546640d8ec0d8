"""The gate before anything that is made of a run's results. Light: graphs and scores need no torch."""

from __future__ import annotations

from connectome.errors import IncompleteRunError
from connectome.store.database import Database
from connectome.store.run_records import RunRecord, RunState
from connectome.store.runs import get_run

CLEFTS = "clefts.zarr"  # the run's label volume, in its folder


def finished_run(database: Database, run_name: str) -> RunRecord:
    """The finished run of this name: half a connectome is handed to nobody as a whole one.

    Raises:
        RunNotFoundError: no run has this name.
        IncompleteRunError: its build isn't finished.
    """
    run = get_run(database, run_name)
    if run.state != RunState.FINISHED:
        raise IncompleteRunError(
            f"run '{run_name}' is {run.state}, not finished: the same `connectome build volume` command with "
            f"--name {run_name} finishes it"
        )
    return run
