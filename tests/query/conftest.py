"""Fixtures of the queries' tests: a run of known synapses, loaded from a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from synapse_batches import batch_of, example_rows

from connectome.query.connectome import Connectome
from connectome.query.importing import ImportRequest, import_synapses
from connectome.store.database import Database
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.synapse_writing import TableTarget, write_synapses

Rows = list[dict[str, Any]]
Load = Callable[[str, Rows], None]


def load_run(database: Database, folder: Path, name: str, rows: Rows) -> None:
    """Make a finished run of synapses, by way of a table in `folder`."""
    path = folder / f"{name}.parquet"
    with write_synapses(TableTarget(path=path, kind=FileKind.PARQUET, columns=Columns.CONNECTOME)) as writer:
        writer.write_batch(batch_of(rows))
    import_synapses(database, ImportRequest(path=path, columns=Columns.CONNECTOME, name=name, data_set="lab"))


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Load:
    """Makes a finished run of synapses: load(name, rows)."""
    return lambda name, rows: load_run(database, tmp_path, name, rows)


@pytest.fixture
def rows(load: Load) -> Rows:
    """The synapses of the run `known`: 120 among five neurons, with ids near 2^63."""
    made = example_rows(120)
    load("known", made)
    return made


@pytest.fixture
def connectome(database: Database) -> Connectome:
    """The database, open for questions."""
    return Connectome(database)


@pytest.fixture(scope="module")
def known(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connectome]:
    """A database for all tests of a file, with the run `known`."""
    with Database.open(module_database_url, Path()) as database:
        load_run(database, tmp_path_factory.mktemp("known"), "known", example_rows(120))
        yield Connectome(database)


@pytest.fixture(scope="module")
def known_rows() -> Rows:
    """The synapses of `known`."""
    return example_rows(120)
