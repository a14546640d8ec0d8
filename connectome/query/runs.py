"""Lists and reports of runs, and deleting them. Light: no torch, no volumes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connectome.store.database import Database
from connectome.store.runs.blocks import FailedBlock, StageProgress, failed_blocks, stage_progress
from connectome.store.runs.folders import require_own_folder
from connectome.store.runs.lock import lock_run, runs_under_way
from connectome.store.runs.records import RunRecord, RunState
from connectome.store.runs.runs import RunModel, delete_run, get_run, run_models, run_names

INTERRUPTED = "interrupted"
FAILED_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """A run in a list.

    Attributes:
        state: running, interrupted (nothing builds it), incomplete (blocks failed) or finished.
        stage: the one it is at; None where it is finished, imported, or hasn't begun one.
    """

    name: str
    kind: str
    state: str
    created_at: datetime
    finished_at: datetime | None
    stage: StageProgress | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        stage = None if self.stage is None else stage_json(self.stage)
        return asdict(self) | {
            "created_at": self.created_at.isoformat(),
            "finished_at": _iso(self.finished_at),
            "stage": stage,
        }


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """All that is known of a run; of its failed blocks the first ones."""

    run: RunRecord
    state: str
    stages: list[StageProgress]
    failed: list[FailedBlock]
    models: list[RunModel]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        inputs = self.run.inputs
        place = (
            {}
            if inputs is None
            else {
                "image": inputs.image_url,
                "segmentation": inputs.segmentation_url,
                "box": str(inputs.box),
                "folder": str(inputs.folder),
            }
        )
        return {
            "name": self.run.name,
            "data_set": self.run.data_set,
            "kind": self.run.kind.value,
            "state": self.state,
            **place,
            "code_version": self.run.code_version,
            "created_at": self.run.created_at.isoformat(),
            "finished_at": _iso(self.run.finished_at),
            "models": [asdict(model) for model in self.models],
            "stages": [stage_json(stage) for stage in self.stages],
            "failed_blocks": [asdict(block) | {"failed_at": block.failed_at.isoformat()} for block in self.failed],
            "parameters": self.run.parameters,
        }


def list_runs(database: Database) -> list[RunLine]:
    """All runs, the newest first."""
    names = run_names(database)
    under_way = runs_under_way(database, names)
    lines = []
    for name in names:
        run = get_run(database, name)
        finished = run.state is RunState.FINISHED
        stages = [] if finished else stage_progress(database, run.run_id)
        lines.append(
            RunLine(
                name=name,
                kind=run.kind.value,
                state=_state(run, under_way),
                created_at=run.created_at,
                finished_at=run.finished_at,
                stage=stages[-1] if stages else None,
            )
        )
    return lines


def describe_run(database: Database, name: str) -> RunReport:
    """All about one run.

    Raises:
        RunNotFoundError: there is none of this name.
    """
    run = get_run(database, name)
    return RunReport(
        run=run,
        state=_state(run, runs_under_way(database, [name])),
        stages=stage_progress(database, run.run_id),
        failed=failed_blocks(database, run.run_id, FAILED_SHOWN),
        models=run_models(database, run.run_id),
    )


def remove_run(database: Database, name: str, data_folder: Path) -> Path | None:
    """Delete a run: its rows and its folder, which is returned; None where it has none.

    Raises:
        RunNotFoundError: there is none of this name. RunConflictError: it is being built, or the folder that its row
            names isn't its own in the data folder. DatabaseError: others use the tables. StorageError: the folder can't
            be removed.
    """
    with lock_run(database, name):
        run = get_run(database, name)
        if run.inputs is None or require_own_folder(run.folder, name, data_folder) is None:
            delete_run(database, run.run_id)
            return None
        delete_run(database, run.run_id, folder=run.folder)
        return run.folder


def stage_json(stage: StageProgress) -> dict[str, Any]:
    """A stage as plain values."""
    return asdict(stage) | {"rate": stage.rate}


def _state(run: RunRecord, under_way: set[str]) -> str:
    if run.name in under_way:
        return RunState.RUNNING.value
    return INTERRUPTED if run.state is RunState.RUNNING else run.state.value


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
