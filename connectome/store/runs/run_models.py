"""The models of a run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from connectome.store.database import Database
from connectome.store.schema.tables import ModelTable, RunTable


@dataclass(frozen=True, kw_only=True)
class RunModel:
    """A checkpoint that a run was made with."""

    role: str
    name: str
    method: str
    sha256: str


def run_models(database: Database, run_id: int) -> list[RunModel]:
    """The detector and the assigner of a run, those that it has."""
    of_run = select(RunTable.detector_model_id, RunTable.assigner_model_id).where(RunTable.run_id == run_id)
    with database.session() as session:
        ids = [number for number in session.execute(of_run).one() if number is not None]
        rows = session.scalars(select(ModelTable).where(ModelTable.model_id.in_(ids)).order_by(ModelTable.role.desc()))
        return [RunModel(role=row.role, name=row.name, method=row.method, sha256=row.sha256) for row in rows]
