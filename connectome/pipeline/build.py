"""`connectome build volume`: from two volumes to rows in PostgreSQL, resumable at any point."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from connectome.errors import ClusterError, IncompleteRunError, SegmentIdError, StorageError, VolumeFormatError
from connectome.pipeline.chosen import choose_parameters
from connectome.pipeline.context import PREDICTION, TILES, BuildContext
from connectome.pipeline.engines.run_stage import check_engine, open_engine, run_stage
from connectome.pipeline.engines.threads import ThreadEngine
from connectome.pipeline.inputs import Inputs, open_inputs
from connectome.pipeline.request import BuildRequest
from connectome.pipeline.resume import new_run, resume_or_begin
from connectome.pipeline.stages import STAGES
from connectome.records import NoProgress, Progress
from connectome.store.database import Database
from connectome.store.findings.edges import vacuum_edges
from connectome.store.findings.reading import counts
from connectome.store.runs.blocks import StageTotal, stage_totals
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import RunRecord, RunState
from connectome.store.runs.runs import CLEFTS, find_build, set_state
from connectome.volumes.missing import find_missing
from connectome.volumes.samples import look_at
from connectome.volumes.volume import Volume

UNITS = {stage.name.value: stage.unit for stage in STAGES}


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
            missing = _missing(inputs)
            if request.volumes.refuse_missing and missing:
                raise VolumeFormatError("; ".join(missing))
            warnings = [*inputs.warnings, *samples.doubts, *missing]
            parameters = choose_parameters(request, inputs, before.parameters if before else None)
            run = resume_or_begin(database, request, new_run(request, inputs, parameters, samples))
            for warning in warnings:
                shown.say(f"warning: {warning}")
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
        return _summary(database, run, inputs, already_finished=finished, warnings=warnings)


def _missing(inputs: Inputs) -> list[str]:
    """What isn't stored of image and segmentation in the box, and which of the image's sections are blank."""
    told = []
    for name, view in (("image", inputs.image), ("segmentation", inputs.segmentation)):
        if isinstance(view.volume, Volume):
            with suppress(StorageError):  # told by the blocks that need it
                found = find_missing(view.volume, view.map.voxels(inputs.box), sections=name == "image")
                told += [f"{name} {view.volume.url} isn't whole: {found}"] * bool(found)
    return told


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


@dataclass(frozen=True, kw_only=True)
class BuildSummary:
    """The contents of a finished run.

    Attributes:
        already_finished: nothing was left to do.
        box: what was built, in working voxels (z, y, x).
        grid: the working grid, and what is read of the volumes.
        warnings: what looks wrong with the inputs, or with what was found.
        stages: blocks, voxels (or clefts, synapses) and seconds of each stage, over all sessions of the run.
    """

    run: str
    already_finished: bool
    clefts: int
    clefts_without_partners: int
    clefts_of_low_score: int
    duplicates: int
    synapses: int
    edges: int
    voxels: int
    box: str
    grid: str
    warnings: tuple[str, ...]
    stages: dict[str, StageTotal]
    folder: Path

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        stages = {name: asdict(total) for name, total in self.stages.items()}
        return {**asdict(self), "stages": stages, "folder": str(self.folder)}

    def to_text(self) -> str:
        """Lines for a person."""
        head = f"run '{self.run}' " + ("was finished already" if self.already_finished else "is finished")
        lost = [f"{self.clefts_without_partners:,} of them without two partners"]
        lost += [f"{self.clefts_of_low_score:,} of a low score"] if self.clefts_of_low_score else []
        lost += [f"{self.duplicates:,} duplicates"] if self.duplicates else []
        lines = [
            *(f"warning: {warning}" for warning in self.warnings),
            f"{head}: {self.voxels / 1e6:,.1f} Mvoxel, box {self.box}",
            f"  clefts    {self.clefts:,} ({', '.join(lost)})",
            f"  synapses  {self.synapses:,}",
            f"  edges     {self.edges:,}",
            f"  grid      {self.grid}",
        ]
        for name, total in self.stages.items():
            rate = total.voxels / max(total.seconds, 1e-3)
            unit = UNITS[name]
            per_second = f"{rate / 1e6:,.2f} Mvoxel/s" if unit == "voxels" else f"{rate:,.1f} {unit}/s"
            lines.append(f"  {name:<8}  {total.seconds:,.1f} s, {per_second}")
        lines.append(f"  volumes   {self.folder} ({PREDICTION}, {CLEFTS})")
        return "\n".join(lines)


def _summary(
    database: Database, run: RunRecord, inputs: Inputs, *, already_finished: bool, warnings: Sequence[str] = ()
) -> BuildSummary:
    """The summary of a run.

    Args:
        database: where it is.
        run: which.
        inputs: what it was made from.
        already_finished: it was so when it was asked for.
        warnings: what looks wrong with the inputs.
    """
    found = counts(database, run.run_id)
    return BuildSummary(
        run=run.name,
        already_finished=already_finished,
        clefts=found.clefts,
        clefts_without_partners=found.no_partners,
        clefts_of_low_score=found.low_score,
        duplicates=found.duplicates,
        synapses=found.synapses,
        edges=found.edges,
        voxels=inputs.box.size_voxels,
        box=str(inputs.box),
        grid=inputs.grid_text,
        warnings=(*_nothing_found(found.clefts, found.synapses), *warnings),
        stages={stage.value: total for stage, total in stage_totals(database, run.run_id).items()},
        folder=run.folder,
    )


def _nothing_found(clefts: int, synapses: int) -> list[str]:
    if clefts == 0:
        return [
            "no cleft was found: check that the image is EM tissue at its right resolution, and that the detector was "
            "trained for such"
        ]
    if synapses == 0:
        return ["no cleft has two partners: check that the segmentation covers the image's tissue, at the same place"]
    return []
