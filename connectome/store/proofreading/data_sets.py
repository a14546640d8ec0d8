"""Data sets: the animal or volume that runs, versions of roots and annotations belong to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from connectome.errors import ConfigError
from connectome.store.database import Database
from connectome.store.runs.runs import data_set_of_name, get_run
from connectome.store.schema.tables import DataSetTable, RunTable


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set.

    Attributes:
        others: how many data sets there are besides.
    """

    data_set_id: int
    name: str
    others: int


def choose_data_set(database: Database, name: str | None = None, run: str | None = None) -> DataSet:
    """The data set that is meant: that of a name (made if it isn't there), that of a run, else the oldest.

    The oldest stays the same whatever is imported later.

    Raises:
        ConfigError: both are given, or there is no data set yet. RunNotFoundError: no such run.
    """
    if name is not None and run is not None:
        raise ConfigError("a data set is named by itself or by one of its runs, not by both", about="data_set")
    run_id = None if run is None else get_run(database, run).run_id
    oldest = select(DataSetTable).order_by(DataSetTable.data_set_id)
    with database.begin() as connection:
        if name is not None:
            data_set_of_name(connection, name)
        found = list(connection.execute(oldest))
        wanted = None
        if run_id is not None:
            wanted = connection.scalar(select(RunTable.data_set_id).where(RunTable.run_id == run_id))
    if not found:
        raise ConfigError("there is no data set yet: runs make them, so build or import one first", about="data_set")
    chosen = next(row for row in found if (name is None or row.name == name) and wanted in (None, row.data_set_id))
    return DataSet(data_set_id=chosen.data_set_id, name=chosen.name, others=len(found) - 1)
