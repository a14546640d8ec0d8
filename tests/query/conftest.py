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
from connectome.tabular.kinds import Columns, FileKind
from connectome.tabular.synapse_writing import TableTarget, write_synapses

Rows = list[dict[str, Any]]
Load = Callable[[str, Rows], None]


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Load:
    """Makes a finished run of synapses: load(name, rows)."""

    def make(name: str, rows: Rows) -> None:
        path = tmp_path / f"{name}.parquet"
        with write_synapses(TableTarget(path=path, kind=FileKind.PARQUET, columns=Columns.CONNECTOME)) as writer:
            writer.write_batch(batch_of(rows))
        import_synapses(database, ImportRequest(path=path, columns=Columns.CONNECTOME, name=name))

    return make


@pytest.fixture
def rows(load: Load) -> Rows:
    """The synapses of the run `known`: 120 among five neurons, with ids near 2^63."""
    made = example_rows(120)
    load("known", made)
    return made


@pytest.fixture
def connectome(database: Database) -> Iterator[Connectome]:
    """The database, open for questions."""
    yield Connectome(database)
