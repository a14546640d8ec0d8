"""Runs: create, find, delete."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from connectome.errors import ConfigError, DatabaseError, RunConflictError
from connectome.geometry import Box
from connectome.store.database import Database
from connectome.store.runs.choice import choose_run, run_not_found
from connectome.store.runs.folders import put_back, remove_aside, set_aside
from connectome.store.runs.records import (
    BuildInputs,
    NewModel,
    NewRun,
    NewVolume,
    RunKind,
    RunRecord,
    RunState,
)
from connectome.store.schema.tables import (
    DataSetTable,
    ModelTable,
    RunTable,
    VolumeTable,
    attach_partitions,
    delete_if_free,
    stage_partitions,
)

PAUSE_S = 0.2
CLEFTS = "clefts.zarr"
"""The label volume in a run's folder."""


@dataclass(frozen=True, kw_only=True)
class RunModel:
    """A checkpoint that a run was made with."""

    role: str
    name: str
    method: str
    sha256: str


def create_run(database: Database, new: NewRun) -> RunRecord:
    """Record a new run with its inputs and models; known volumes and models are used again.

    Raises:
        RunConflictError: the name is taken.
    """
    with database.begin() as connection:
        data_set = new.data_set
        values: dict[str, Any] = {
            "name": new.name,
            "data_set_id": data_set_of_segmentation(connection, new.segmentation.url)
            if data_set is None
            else data_set_of_name(connection, data_set),
            "kind": RunKind.BUILD.value,
            "state": RunState.RUNNING.value,
            "image_volume_id": _volume_id(connection, "image", new.image),
            "segmentation_volume_id": _volume_id(connection, "segmentation", new.segmentation),
            "detector_model_id": _model_id(connection, "detector", new.detector),
            "assigner_model_id": None if new.assigner is None else _model_id(connection, "assigner", new.assigner),
            "parameters": new.parameters,
            "folder": str(new.folder),
            "code_version": new.code_version,
        }
        for axis, start, stop in zip("zyx", new.box.start, new.box.stop, strict=True):
            values |= {f"box_start_{axis}": start, f"box_stop_{axis}": stop}
        run_id = insert_run(connection, values)
        stage_partitions(connection, run_id)
        attach_partitions(connection, run_id)
    return get_run(database, new.name)


def data_set_of_name(connection: Connection, name: str) -> int:
    """The number of the data set of a name, which is made if there is none.

    Raises:
        ConfigError: the name is empty.
    """
    if not name.strip():
        raise ConfigError("a data set needs a name")
    connection.execute(insert(DataSetTable).values(name=name).on_conflict_do_nothing(index_elements=["name"]))
    return int(connection.scalars(select(DataSetTable.data_set_id).where(DataSetTable.name == name)).one())


def data_set_of_segmentation(connection: Connection, url: str) -> int:
    """The data set of the runs on a segmentation; the first of them makes one, named by the segmentation."""
    known = (
        select(RunTable.data_set_id)
        .join(VolumeTable, RunTable.segmentation_volume_id == VolumeTable.volume_id)
        .where(VolumeTable.url == url)
        .order_by(RunTable.run_id)
    )
    found = connection.scalar(known.limit(1))
    return data_set_of_name(connection, url) if found is None else int(found)


def insert_run(connection: Connection, values: dict[str, Any]) -> int:
    """Insert the row of a new run, without partitions; returns its number.

    Raises:
        RunConflictError: the name is taken.
    """
    statement = insert(RunTable).values(values).on_conflict_do_nothing(index_elements=["name"])
    run_id: int | None = connection.scalar(statement.returning(RunTable.run_id))
    if run_id is None:
        raise RunConflictError(f"a run named '{values['name']}' exists already", about="taken_name")
    return run_id


def find_run(database: Database, name: str) -> RunRecord | None:
    """The run of a name; None if there is none."""
    segmentation, image = aliased(VolumeTable), aliased(VolumeTable)
    detector, assigner = aliased(ModelTable), aliased(ModelTable)
    statement = (
        select(RunTable, DataSetTable.name, image.url, segmentation, detector.sha256, assigner.sha256)
        .join(DataSetTable, RunTable.data_set_id == DataSetTable.data_set_id)
        .outerjoin(image, RunTable.image_volume_id == image.volume_id)
        .outerjoin(segmentation, RunTable.segmentation_volume_id == segmentation.volume_id)
        .outerjoin(detector, RunTable.detector_model_id == detector.model_id)
        .outerjoin(assigner, RunTable.assigner_model_id == assigner.model_id)
        .where(RunTable.name == name)
    )
    with database.session() as session:
        row = session.execute(statement).one_or_none()
        return None if row is None else _record(row)


def find_build(database: Database, name: str) -> RunRecord | None:
    """The build of a name; None if there is none.

    Raises:
        RunConflictError: the run of this name is an import, which no build may replace.
    """
    found = find_run(database, name)
    if found is not None and found.kind is RunKind.IMPORT:
        raise RunConflictError(f"the run '{name}' was imported, not built", about="taken_name")
    return found


def get_run(database: Database, name: str) -> RunRecord:
    """The run of a name.

    Raises:
        RunNotFoundError: there is none; the message lists those that exist.
    """
    found = find_run(database, name)
    if found is not None:
        return found
    raise run_not_found(name, run_names(database))


def finished_run(database: Database, name: str | None) -> RunRecord:
    """The finished run of a name; None: the one that finished last.

    Raises:
        RunNotFoundError: no run has this name, or none is finished.
        IncompleteRunError: its build isn't finished.
    """
    return get_run(database, choose_run(database, name).name)


def run_names(database: Database) -> list[str]:
    """The names of all runs, the newest first."""
    with database.begin() as connection:
        return list(connection.scalars(select(RunTable.name).order_by(RunTable.run_id.desc())))


def run_models(database: Database, run_id: int) -> list[RunModel]:
    """The detector and the assigner of a run, those that it has."""
    of_run = select(RunTable.detector_model_id, RunTable.assigner_model_id).where(RunTable.run_id == run_id)
    with database.session() as session:
        ids = [number for number in session.execute(of_run).one() if number is not None]
        rows = session.scalars(select(ModelTable).where(ModelTable.model_id.in_(ids)).order_by(ModelTable.role.desc()))
        return [RunModel(role=row.role, name=row.name, method=row.method, sha256=row.sha256) for row in rows]


def delete_run(database: Database, run_id: int, *, folder: Path | None = None, timeout_s: float = 60.0) -> None:
    """Delete a run, all its rows at once, together with its folder; either both stay or both go.

    Args:
        database: where the run is.
        run_id: the run.
        folder: the run's own, see `require_own_folder`.
        timeout_s: how long to try while queries of others use the tables.

    Raises:
        DatabaseError: they still do. StorageError: the folder can't be removed.
    """
    deadline = time.monotonic() + timeout_s
    while not _delete_once(database, run_id, folder):
        if time.monotonic() > deadline:
            raise DatabaseError(
                f"run {run_id} can't be deleted: queries have been using the tables for {timeout_s:g} s; end "
                "them (psql: SELECT * FROM pg_stat_activity) and try again"
            )
        time.sleep(PAUSE_S)
    if folder is not None:
        remove_aside(folder)


def _delete_once(database: Database, run_id: int, folder: Path | None) -> bool:
    """Try to delete a run; the folder is set aside before the rows are gone, and put back if they stay."""
    try:
        with database.begin() as connection:
            if not delete_if_free(connection, run_id):
                return False
            if folder is not None:
                set_aside(folder)
    except BaseException:
        if folder is not None:
            put_back(folder)
        raise
    return True


def set_state(database: Database, run_id: int, state: RunState) -> None:
    """Say what became of a run."""
    finished_at = func.now() if state is RunState.FINISHED else None
    with database.begin() as connection:
        connection.execute(
            update(RunTable).where(RunTable.run_id == run_id).values(state=state.value, finished_at=finished_at)
        )


def _volume_id(connection: Connection, role: str, volume: NewVolume) -> int:
    values: dict[str, Any] = {"role": role, "url": volume.url, "dtype": volume.dtype}
    for i, axis in enumerate("zyx"):
        values |= {
            f"shape_{axis}": int(volume.shape[i]),
            f"resolution_{axis}_nm": float(volume.resolution_nm[i]),
            f"offset_{axis}_nm": float(volume.offset_nm[i]),
        }
    statement = insert(VolumeTable).values(values)
    statement = statement.on_conflict_do_update(constraint="uq_volume_identity", set_={"role": role})
    return connection.execute(statement.returning(VolumeTable.volume_id)).scalar_one()


def _model_id(connection: Connection, role: str, model: NewModel) -> int:
    values = {"role": role, "name": model.name, "sha256": model.sha256, "method": model.method, "config": model.config}
    statement = insert(ModelTable).values(values)
    statement = statement.on_conflict_do_update(index_elements=["role", "sha256"], set_={"role": role})
    return connection.execute(statement.returning(ModelTable.model_id)).scalar_one()


def _record(row: Sequence[Any]) -> RunRecord:
    run, data_set, image_url, segmentation, detector_sha256, assigner_sha256 = row
    return RunRecord(
        run_id=run.run_id,
        name=run.name,
        data_set=data_set,
        kind=RunKind(run.kind),
        state=RunState(run.state),
        inputs=None if run.kind == RunKind.IMPORT else _inputs(run, image_url, segmentation, detector_sha256),
        assigner_sha256=assigner_sha256,
        parameters=run.parameters,
        code_version=run.code_version,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


def _inputs(run: Any, image_url: str, segmentation: Any, detector_sha256: str) -> BuildInputs:
    start = run.box_start_z, run.box_start_y, run.box_start_x
    return BuildInputs(
        image_url=image_url,
        segmentation_url=segmentation.url,
        resolution_nm=(segmentation.resolution_z_nm, segmentation.resolution_y_nm, segmentation.resolution_x_nm),
        offset_nm=(segmentation.offset_z_nm, segmentation.offset_y_nm, segmentation.offset_x_nm),
        detector_sha256=detector_sha256,
        box=Box(start, (run.box_stop_z, run.box_stop_y, run.box_stop_x)),
        folder=Path(run.folder),
    )
