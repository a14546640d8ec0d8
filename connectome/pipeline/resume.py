"""The run that a build goes on with: the one of its name, if it is the same build, else a new one."""

from __future__ import annotations

from typing import Any

from connectome.errors import RunConflictError, StorageError
from connectome.networks.checkpoint import Checkpoint
from connectome.pipeline.chosen import Parameters
from connectome.pipeline.inputs import Inputs
from connectome.pipeline.parameters import AS_GIVEN, PARAMETERS, shown_parameters
from connectome.pipeline.request import BuildRequest
from connectome.store.database import Database
from connectome.store.runs.folders import RUNS, mark_folder, put_back, remove_aside, require_own_folder, set_aside
from connectome.store.runs.records import NewModel, NewRun, NewVolume, RunRecord
from connectome.store.runs.runs import create_run, delete_run, find_build
from connectome.version import VERSION
from connectome.volumes.multiscale import Multiscale
from connectome.volumes.samples import InputSamples, changed_inputs
from connectome.volumes.volume import as_url
from connectome.volumes.working_grid import Voxels

SAMPLES, WORKING_NM = "samples", "working_nm"
LATER = (SAMPLES, WORKING_NM)
"""What runs of earlier versions don't record."""


def resume_or_begin(database: Database, request: BuildRequest, new: NewRun) -> RunRecord:
    """The run of this name, if it is the same build; else a new one.

    Raises:
        RunConflictError: the run exists with other inputs, models or parameters, its inputs hold other voxels than when
            it was begun, or its folder is somebody else's.
        StorageError: the folder can't be made.
    """
    restart = request.execution.restart
    before = find_build(database, request.name)
    if before is not None and not restart:
        _require_same(before, new)
        put_back(before.folder)
        return before
    data_folder = request.execution.data_folder
    if before is not None:
        own = require_own_folder(before.folder, before.name, data_folder)
        delete_run(database, before.run_id, folder=None if own is None else before.folder)
    elif restart and require_own_folder(new.folder, new.name, data_folder) is not None:
        set_aside(new.folder)
    remove_aside(new.folder)
    return _begin(database, new)


def new_run(request: BuildRequest, inputs: Inputs, parameters: Parameters, samples: InputSamples) -> NewRun:
    """What a run of a request is made from."""
    return NewRun(
        name=request.name,
        data_set=request.data_set,
        image=_new_volume(inputs.given_image),
        segmentation=_new_volume(inputs.given_segmentation),
        detector=_new_model(inputs.detector),
        assigner=None if inputs.assigner.checkpoint is None else _new_model(inputs.assigner.checkpoint),
        parameters=parameters.to_json()
        | {
            "image": identity(inputs.image.volume),
            "segmentation": identity(inputs.segmentation.volume),
            WORKING_NM: list(inputs.resolution_nm),
            SAMPLES: samples.digests,
        },
        box=inputs.box,
        folder=(request.execution.data_folder / RUNS / request.name).absolute(),
        code_version=VERSION,
    )


def identity(volume: Voxels) -> str:
    """What an input was when the run began, to notice that it changed."""
    grid = volume.grid
    return (
        f"{as_url(volume.url)} ({volume.dtype.name} {list(grid.shape)}, resolution {list(grid.resolution_nm)} nm, "
        f"offset {list(grid.offset_nm)} nm)"
    )


def _new_volume(volume: Multiscale) -> NewVolume:
    """A volume as it was given; which level was read is in its identity."""
    grid = volume.finest.grid
    return NewVolume(
        url=as_url(volume.url),
        dtype=volume.finest.dtype.name,
        shape=grid.shape,
        resolution_nm=grid.resolution_nm,
        offset_nm=grid.offset_nm,
    )


def _new_model(checkpoint: Checkpoint) -> NewModel:
    card = checkpoint.card
    config = {"network": card.network.to_json(), "resolution_nm": list(card.resolution_nm), "training": card.training}
    return NewModel(name=card.name, sha256=checkpoint.sha256, method=card.method.value, config=config)


def _begin(database: Database, new: NewRun) -> RunRecord:
    """Make the run's folder and record the run.

    Raises:
        RunConflictError: the folder holds something that this database doesn't know. StorageError: it can't be made.
    """
    try:
        new.folder.mkdir(parents=True, exist_ok=True)
        if any(new.folder.iterdir()):
            raise RunConflictError(f"{new.folder} holds a run that this database doesn't know", about="folder")
    except OSError as error:
        raise StorageError(f"{new.folder} can't be made: {error.strerror}", about="data_folder") from error
    run = create_run(database, new)
    mark_folder(new.folder, new.name)
    return run


def _require_same(run: RunRecord, new: NewRun) -> None:
    """Refuse to resume a run with other inputs, models or parameters.

    Raises:
        RunConflictError: names the first difference.
    """
    compared = {name: value for name, value in new.parameters.items() if name not in (AS_GIVEN, SAMPLES)}
    # A run of an earlier version acted by the default of an option that it doesn't know.
    recorded = {name: option.default for name, option in PARAMETERS.items()} | run.parameters
    pairs: dict[str, tuple[Any, Any]] = {
        "data set": (run.data_set, new.data_set or run.data_set),
        "detector": (run.detector_sha256[:12], new.detector.sha256[:12]),
        "assigner": (_short(run.assigner_sha256), _short(new.assigner.sha256 if new.assigner else None)),
        **{
            name: (recorded.get(name), value)
            for name, value in compared.items()
            if name in recorded or name not in LATER
        },
        "box": (str(run.box), str(new.box)),
    }
    different = next((what for what, (old, now) in pairs.items() if old != now), None)
    if different == "confidence":
        raise RunConflictError(f"run '{run.name}' exists with another model of confidence", about="run")
    if different is not None:
        old, now = (shown_parameters(parameters).get(different) for parameters in (run.parameters, new.parameters))
        if different not in new.parameters:
            old, now = pairs[different]
        what = PARAMETERS[different].words if different in PARAMETERS else different
        raise RunConflictError(f"run '{run.name}' exists with {what} {old}, not {now}", about="run")
    _require_unchanged(run, new)


def _require_unchanged(run: RunRecord, new: NewRun) -> None:
    """Refuse to mix what two volumes at one place gave.

    Raises:
        RunConflictError: samples of image or segmentation differ from those of when the run was begun.
    """
    changed = changed_inputs(run.parameters.get(SAMPLES, {}), new.parameters[SAMPLES])
    if changed:
        where = " and ".join(f"the {name} ({getattr(run, f'{name}_url')})" for name in changed)
        raise RunConflictError(f"{where} changed since run '{run.name}' was begun: other voxels lie there", about="run")


def _short(sha256: str | None) -> str:
    return "none" if sha256 is None else sha256[:12]
