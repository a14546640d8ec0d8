"""`connectome build volume`: from two volumes to rows in PostgreSQL, resumable at any point."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from connectome import __version__
from connectome.clefts.representations import Representation
from connectome.clefts.tiling import TileShape
from connectome.errors import ClusterError, IncompleteRunError, RunConflictError, SegmentIdError, StorageError
from connectome.models.confidence_file import choose_confidence
from connectome.networks.checkpoint import Checkpoint
from connectome.partners.assignment import AssignmentRules
from connectome.pipeline.context import PREDICTION, TILES, BuildContext
from connectome.pipeline.engines.choice import check_engine, open_engine
from connectome.pipeline.engines.run_stage import run_stage
from connectome.pipeline.engines.threads import ThreadEngine
from connectome.pipeline.finished import CLEFTS
from connectome.pipeline.inputs import Inputs, open_inputs
from connectome.pipeline.normalisation import choose_grey_range
from connectome.pipeline.parameters import Parameters, threshold_of
from connectome.pipeline.request import BuildRequest
from connectome.pipeline.stages.order import STAGES
from connectome.records import NoProgress, Progress
from connectome.store.database import Database
from connectome.store.findings.edges import vacuum_edges
from connectome.store.findings.reading import counts
from connectome.store.runs.blocks import Stage, StageTotal, stage_totals
from connectome.store.runs.lock import lock_run
from connectome.store.runs.records import NewModel, NewRun, NewVolume, RunRecord, RunState
from connectome.store.runs.runs import create_run, delete_run, find_build, set_state
from connectome.volumes.segment_ids import check_samples
from connectome.volumes.volume import as_url
from connectome.volumes.working_grid import Voxels

ASKED = (
    "threshold",
    "min_size_voxels",
    "dilation_nm",
    "duplicate_distance_nm",
    "min_score",
    "pre_threshold",
    "post_threshold",
)
UNITS = {Stage.ASSIGN.value: "clefts", Stage.DEDUPLICATE.value: "synapses", Stage.EDGES.value: "synapses"}
DEFAULTS = {"min_size_voxels": 100, "duplicate_distance_nm": 0.0, "min_score": 0.0}


@dataclass(frozen=True, kw_only=True)
class BuildSummary:
    """What a finished run holds.

    Attributes:
        already_finished: nothing was left to do.
        box: what was built, in working voxels (z, y, x).
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
            f"{head}: {self.voxels / 1e6:,.1f} Mvoxel, box {self.box}",
            f"  clefts    {self.clefts:,} ({', '.join(lost)})",
            f"  synapses  {self.synapses:,}",
            f"  edges     {self.edges:,}",
        ]
        for name, total in self.stages.items():
            rate = total.voxels / max(total.seconds, 1e-3)
            unit = UNITS.get(name)
            per_second = f"{rate:,.1f} {unit}/s" if unit else f"{rate / 1e6:,.2f} Mvoxel/s"
            lines.append(f"  {name:<8}  {total.seconds:,.1f} s, {per_second}")
        lines.append(f"  volumes   {self.folder} ({PREDICTION}, {CLEFTS})")
        return "\n".join(lines)


def build_volume(request: BuildRequest, progress: Progress | None = None) -> BuildSummary:
    """Build a connectome, or finish one that was begun.

    Raises:
        InputError, CheckpointError, DeviceError: before anything is computed.
        RunConflictError: the run exists with other inputs or parameters, or another process builds it.
        IncompleteRunError: blocks failed, and why; the others of their stage are done.
        ClusterError, DatabaseError: the blocks under way are lost, all before them are kept.
    """
    check_engine(request)
    shown = progress or NoProgress()
    inputs = open_inputs(request)
    with Database.open(request.database_url, request.data_folder, create=True) as database:
        with lock_run(database, request.name) as lock:
            before = None if request.restart else find_build(database, request.name)
            parameters = choose_parameters(request, inputs, before.parameters if before else None)
            run = _resumed_or_new(database, request, _new_run(request, inputs, parameters), inputs)
            finished = run.state is RunState.FINISHED
            if not finished:
                context = BuildContext(
                    database=database,
                    run=run,
                    inputs=inputs,
                    parameters=parameters,
                    progress=shown,
                    lock=lock,
                    attempts=request.attempts,
                )
                _run_stages(context, request)
        return _summary(database, run, finished, inputs)


def choose_parameters(request: BuildRequest, inputs: Inputs, recorded: dict[str, Any] | None = None) -> Parameters:
    """What the request says, else what the checkpoints recommend, else the defaults.

    Args:
        request: what was asked for.
        inputs: models and volumes.
        recorded: parameters of the run that is resumed, for what is measured once.

    Raises:
        GreyValueError: the image has no contrast that could be normalised.
        ConfigError: the request names a file that is no model of confidence.
    """
    asked = {name: getattr(request, name) for name in ASKED if getattr(request, name) is not None}
    detector, assigner = inputs.detector, inputs.assigner
    representation = Representation(detector.card.method, inputs.resolution_nm)
    default = DEFAULTS | {"threshold": representation.default_threshold}
    chosen = {**default, **detector.card.parameters, **assigner.parameters, **asked}
    fitted = None if assigner.by_contact else assigner.checkpoint
    return Parameters(
        representation=representation.method,
        threshold=threshold_of(chosen["threshold"]),
        min_size_voxels=int(chosen["min_size_voxels"]),
        assigner=assigner.method,
        direction=assigner.direction(detector.card.method),
        assignment=AssignmentRules.of(chosen, request.polyadic, request.min_contact),
        duplicate_distance_nm=float(chosen["duplicate_distance_nm"]),
        min_score=float(chosen["min_score"]),
        confidence=choose_confidence(request.confidence, detector, fitted),
        connectivity=request.connectivity,
        block_shape=request.block_shape,
        tiles=TileShape(),
        normalisation=request.normalisation,
        grey_range=choose_grey_range(request.normalisation, inputs.image, recorded),
    )


def _resumed_or_new(database: Database, request: BuildRequest, new: NewRun, inputs: Inputs) -> RunRecord:
    """The run of this name, if it is the same build; else a new one, once samples of the segment ids are checked."""
    before = find_build(database, request.name)
    if before is not None and not request.restart:
        _require_same(before, new)
        return before
    check_samples(inputs.segmentation, inputs.box)
    if before is not None:
        delete_run(database, before.run_id)
        shutil.rmtree(before.folder, ignore_errors=True)
    return _begin(database, new, request.restart)


def _run_stages(context: BuildContext, request: BuildRequest) -> None:
    """Run all stages; a run that can't go on is marked as incomplete."""
    run_id = context.run.run_id
    context.insist(lambda: set_state(context.database, run_id, RunState.RUNNING))
    try:
        with open_engine(context, request) as engine:
            for spec in STAGES:
                run_stage(context, spec, engine if spec.spread else ThreadEngine())
    except (IncompleteRunError, ClusterError, SegmentIdError):
        set_state(context.database, run_id, RunState.INCOMPLETE)
        raise
    context.insist(lambda: set_state(context.database, run_id, RunState.FINISHED))
    context.insist(lambda: vacuum_edges(context.database, run_id))
    shutil.rmtree(Path(context.run.folder) / TILES, ignore_errors=True)


def _new_run(request: BuildRequest, inputs: Inputs, parameters: Parameters) -> NewRun:
    return NewRun(
        name=request.name,
        image=_new_volume(inputs.image.volume),
        segmentation=_new_volume(inputs.segmentation.volume),
        detector=_new_model(inputs.detector),
        assigner=None if inputs.assigner.checkpoint is None else _new_model(inputs.assigner.checkpoint),
        parameters=parameters.to_json()
        | {"image": identity(inputs.image.volume), "segmentation": identity(inputs.segmentation.volume)},
        box=inputs.box,
        folder=(request.data_folder / "runs" / request.name).absolute(),
        code_version=__version__,
    )


def identity(volume: Voxels) -> str:
    """What an input was when the run began, to notice that it changed."""
    grid = volume.grid
    return (
        f"{as_url(volume.url)} ({volume.dtype.name} {list(grid.shape)}, resolution {list(grid.resolution_nm)} nm, "
        f"offset {list(grid.offset_nm)} nm)"
    )


def _new_volume(volume: Voxels) -> NewVolume:
    grid = volume.grid
    return NewVolume(
        url=as_url(volume.url),
        dtype=volume.dtype.name,
        shape=grid.shape,
        resolution_nm=grid.resolution_nm,
        offset_nm=grid.offset_nm,
    )


def _new_model(checkpoint: Checkpoint) -> NewModel:
    card = checkpoint.card
    config = {"network": card.network.to_json(), "resolution_nm": list(card.resolution_nm), "training": card.training}
    return NewModel(name=card.name, sha256=checkpoint.sha256, method=card.method.value, config=config)


def _begin(database: Database, new: NewRun, restart: bool) -> RunRecord:
    """Make the run's folder and record the run.

    Raises:
        RunConflictError: the folder holds something that this database doesn't know. StorageError: it can't be made.
    """
    try:
        if restart:
            shutil.rmtree(new.folder, ignore_errors=True)
        new.folder.mkdir(parents=True, exist_ok=True)
        if any(new.folder.iterdir()):
            raise RunConflictError(
                f"{new.folder} holds a run that this database doesn't know: use another --name or --data-folder, or "
                "--restart to replace it"
            )
    except OSError as error:
        raise StorageError(f"{new.folder} can't be made: {error.strerror}; choose another --data-folder") from error
    return create_run(database, new)


def _require_same(run: RunRecord, new: NewRun) -> None:
    """Refuse to resume a run with other inputs, models or parameters.

    Raises:
        RunConflictError: names the first difference.
    """
    pairs: dict[str, tuple[Any, Any]] = {
        "detector": (run.detector_sha256[:12], new.detector.sha256[:12]),
        "assigner": (_short(run.assigner_sha256), _short(new.assigner.sha256 if new.assigner else None)),
        **{name: (run.parameters.get(name), value) for name, value in new.parameters.items()},
        "box": (str(run.box), str(new.box)),
    }
    for what, (old, now) in pairs.items():
        if old != now and what == "confidence":
            raise RunConflictError(
                f"run '{run.name}' exists with another model of confidence: use another --name, or --restart to build "
                "it anew"
            )
        if old != now:
            raise RunConflictError(
                f"run '{run.name}' exists with {what} {old}, not {now}: use another --name, or --restart to build it "
                "anew"
            )


def _short(sha256: str | None) -> str:
    return "none" if sha256 is None else sha256[:12]


def _summary(database: Database, run: RunRecord, already_finished: bool, inputs: Inputs) -> BuildSummary:
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
        stages={stage.value: total for stage, total in stage_totals(database, run.run_id).items()},
        folder=run.folder,
    )
