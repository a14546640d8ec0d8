"""Asking needs few libraries: it works where the heavy ones can't even be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from synapse_batches import LARGEST, batch_of, example_rows

from connectome.query.importing import ImportRequest, import_synapses
from connectome.store.database import Database
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.synapse_writing import TableTarget, write_synapses

WITHOUT = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from connectome.cli.main import main
sys.argv = ["connectome", *sys.argv[2:]]
main()
"""
BUILDING = "torch,tensorstore,matplotlib,h5py,tifffile,dask,scipy,skimage"
HEAVY = "torch,tensorstore,matplotlib,h5py,tifffile,dask,skimage"
TABLES = f"{BUILDING},numpy,pandas,pyarrow,networkx"
WRITING = f"{TABLES},sqlalchemy,alembic"
NEURON = str(LARGEST - 1)


@pytest.fixture(scope="module")
def module_url(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with the run `known`."""
    path = tmp_path_factory.mktemp("known") / "known.parquet"
    with write_synapses(TableTarget(path=path, kind=FileKind.PARQUET, columns=Columns.CONNECTOME)) as writer:
        writer.write_batch(batch_of(example_rows(120)))
    with Database.open(module_database_url, Path()) as database:
        import_synapses(database, ImportRequest(path=path, columns=Columns.CONNECTOME, name="known"))
    return module_database_url


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [
        (WRITING, ("sql", "SELECT name FROM run", "--format", "json")),
        (WRITING, ("sql", "--name", "partners", "--param", f"neuron={NEURON}")),
        (WRITING, ("query", "partners", NEURON)),
        (WRITING, ("query", "matrix", NEURON, str(LARGEST - 2), "--format", "csv")),
        (WRITING, ("query", "synapses", "--format", "json")),
        (WRITING, ("query", "neighbourhood", NEURON)),
        (f"{HEAVY},networkx,igraph", ("graph", "summary")),
        (f"{HEAVY},scipy,igraph", ("graph", "hubs")),
        (f"{HEAVY},scipy,networkx,igraph", ("export", "json", "known.json")),
        (WRITING, ("db", "status")),
        (WRITING, ("db", "url")),
        (TABLES, ("runs", "list")),
        (TABLES, ("runs", "show", "known")),
        (BUILDING, ("query", "edges", "--format", "parquet", "--output", "edges.parquet")),
        (BUILDING, ("export", "synapses", "synapses.csv")),
        (BUILDING, ("export", "edges", "edges.feather")),
        (BUILDING, ("export", "graphml", "known.graphml", "--run", "known")),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else "",
)
def test_asking_works_where_libraries_that_it_does_not_need_are_missing(
    module_url: str, tmp_path: Path, missing: str, arguments: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, missing, *arguments, "--database-url", module_url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout or list(tmp_path.iterdir())


def test_the_package_itself_imports_nothing_heavy() -> None:
    code = "import sys, connectome; sys.exit(bool({'numpy', 'sqlalchemy', 'psycopg2', 'pyarrow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
