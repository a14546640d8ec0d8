"""`connectome build volume`: from two volumes to rows in PostgreSQL, resumable at any point."""

from __future__ import annotations

import shutil
from pathlib import Path

from connectome.errors import ClusterError, IncompleteRunError, SegmentIdError
from connectome.pipeline.chosen import choose_parameters
from connectome.pipeline.context import TILES, BuildContext
from connectome.pipeline.engines.run_stage import check_engine, open_engine, run_stage
from connectome.pipeline.engines.threads import ThreadEngine
from connectome.pipeline.inputs import open_inputs
from connectome.pipeline.request import BuildRequest
from connectome.pipeline.resume import new_run, resume_or_begin
from connectome.pipeline.stages import STAGES
from connectome.pipeline.summary import BuildSummary, summary_of
from connectome.records import NoProgress, Progress
from connectome.store.database import Database
from connectome.store.findings.edges import vacuum_edges
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import RunState
from connectome.store.runs.runs import find_build, set_state
from connectome.volumes.samples import look_at


def build_volume(request: BuildRequest, progress: Progress | None = None) -> BuildSummary:
    """Build a connectome, or finish one that was begun.

    Raises:
        InputError, CheckpointError, DeviceError: before anything is computed.
        RunConflictError: the run exists with other inputs or parameters, or another process builds it.
        IncompleteRunError: blocks failed, and why; the others of their stage are done.
        ClusterError, DatabaseError: the blocks under way are lost, all before them are kept.
    """
    execution = request.execution
    check_engine(execution)
    shown = progress or NoProgress()
    inputs = open_inputs(request.volumes, request.models, execution.device)
    with Database.open(execution.database_url, execution.data_folder, create=True) as database:
        with lock_run(database, request.name) as lock:
            samples = look_at(inputs.image, inputs.segmentation, inputs.box)
            before = None if execution.restart else find_build(database, request.name)
            if before is None:
                samples.require()
            warnings = [*inputs.warnings, *samples.doubts]
            for warning in warnings:
                shown.say(f"warning: {warning}")
            parameters = choose_parameters(request, inputs, before.parameters if before else None)
            run = resume_or_begin(database, request, new_run(request, inputs, parameters, samples))
            finished = run.state is RunState.FINISHED
            if not finished:
                context = BuildContext(
                    database=database,
                    run=run,
                    inputs=inputs,
                    parameters=parameters,
                    progress=shown,
                    lock=lock,
                    attempts=execution.attempts,
                )
                _run_stages(context, request)
        return summary_of(database, run, inputs, already_finished=finished, warnings=warnings)


def _run_stages(context: BuildContext, request: BuildRequest) -> None:
    """Run all stages; a run that can't go on is marked as incomplete."""
    run_id = context.run.run_id
    context.retried(lambda: set_state(context.database, run_id, RunState.RUNNING))
    try:
        with open_engine(context, request) as engine:
            for kind in STAGES:
                run_stage(kind(context), engine if kind.spread else ThreadEngine())
    except (IncompleteRunError, ClusterError, SegmentIdError):
        set_state(context.database, run_id, RunState.INCOMPLETE)
        raise
    context.retried(lambda: set_state(context.database, run_id, RunState.FINISHED))
    context.retried(lambda: vacuum_edges(context.database, run_id))
    shutil.rmtree(Path(context.run.folder) / TILES, ignore_errors=True)
