from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from synapse_batches import LARGEST, batch_of, example_rows
from typer.testing import Result

from connectome.query.importing import ImportRequest, import_synapses
from connectome.store.database import Database
from connectome.tables.kinds import Columns, FileKind
from connectome.tables.synapse_writing import TableTarget, write_synapses

Query = Callable[..., Result]
A, B, C = LARGEST - 1, LARGEST - 2, LARGEST - 3
EVERY = [
    ("partners", A),
    ("totals", A, B),
    ("between", "--pre", A, "--post", B),
    ("synapses", "--pre", A),
    ("synapses",),
    ("box", "0:20000,0:20000,0:20000"),
    ("path", A, B, "--max-hops", 2),
    ("top", "--limit", 3),
    ("edges",),
    ("matrix", A, B, C),
    ("shared", A, B, "--at-least", 1),
    ("similarity", A, B),
    ("reciprocal",),
    ("autapses",),
]


@pytest.fixture(scope="module")
def module_url(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with the run `known`."""
    path = tmp_path_factory.mktemp("known") / "known.parquet"
    with write_synapses(TableTarget(path=path, kind=FileKind.PARQUET, columns=Columns.CONNECTOME)) as writer:
        writer.write_batch(batch_of(example_rows(120)))
    with Database.open(module_database_url, Path()) as database:
        import_synapses(database, ImportRequest(path=path, columns=Columns.CONNECTOME, name="known"))
    return module_database_url


@pytest.fixture
def query(cli: Callable[..., Result], module_url: str) -> Query:
    """Run `connectome query ARGUMENTS` on that database."""
    return lambda *arguments: cli("query", *arguments, "--database-url", module_url)


@pytest.mark.parametrize("arguments", EVERY, ids=lambda arguments: str(arguments[0]))
def test_every_question_answers_in_every_format(query: Query, tmp_path: Path, arguments: tuple[Any, ...]) -> None:
    as_json = json.loads(query(*arguments, "--format", "json").stdout)
    as_csv = list(csv.DictReader(io.StringIO(query(*arguments, "--format", "csv").stdout)))
    table = query(*arguments)
    path = tmp_path / "answer.parquet"
    written = query(*arguments, "--format", "parquet", "--output", path)
    assert as_json
    assert (written.exit_code, written.stdout) == (0, "")
    assert parquet.read_table(path).num_rows == len(as_json) == len(as_csv) == len(table.stdout.splitlines()) - 2
    said = f"run 'known' answers, the one that finished last\n({len(as_json)} row{'' if len(as_json) == 1 else 's'})\n"
    assert table.stderr == said
    assert query(*arguments, "--run", "known").stderr == said.splitlines(keepends=True)[1]
    assert list(as_csv[0]) == list(as_json[0]) == table.stdout.splitlines()[0].split()


def test_ids_are_exact_in_every_format(query: Query) -> None:
    (first,) = json.loads(query("top", "--limit", 1, "--format", "json").stdout)
    assert int(first["pre_id"]) in {LARGEST - n for n in range(1, 6)}
    assert isinstance(first["pre_id"], str)
    assert first["pre_id"] in query("top", "--limit", 1).stdout


def test_filters_mean_the_same_for_edges_and_synapses(query: Query) -> None:
    options = (
        "--min-synapses",
        3,
        "--min-confidence",
        0.3,
        "--min-size",
        110,
        "--max-size",
        200,
        "--format",
        "json",
        "--box-nm",
        "0:25000,0:20000,0:20000",
    )
    edges = json.loads(query("edges", *options).stdout)
    synapses = json.loads(query("synapses", *options).stdout)
    assert sum(edge["synapse_count"] for edge in edges) == len(synapses) > 0
    assert min(edge["synapse_count"] for edge in edges) >= 3
    assert min(synapse["confidence"] for synapse in synapses) >= 0.3
    assert {110 <= synapse["size_voxels"] <= 200 for synapse in synapses} == {True}


def test_numbers_in_tables_are_short(query: Query) -> None:
    cells = query("edges").stdout.splitlines()[2].split()
    assert len(cells[-1]) <= 8


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("partners", 2**63), 3, "ids go from 1 to 2^63 - 1"),
        (("box", "0:1"), 3, "isn't a box in nm"),
        (("top", "--run", "nix"), 3, "no run named 'nix': the database has known"),
        (("top", "--roots", "nix"), 3, "no version of roots named 'nix'"),
        (("top", "--min-synapses", 0), 3, "must be at least 1"),
        (("top", "--format", "parquet"), 3, "give --output FILE"),
        (("top", "--output", "x.csv"), 3, "is for --format parquet"),
        (("matrix",), 2, "give neurons, or --types"),
        (("matrix", A, "--types"), 2, "give neurons, or --types"),
        (("between",), 2, "--pre and --post"),
        (("edges", "--min-confidence", 0, "--timeout", 0.001), 4, "took longer than 0.001 s"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    query: Query, arguments: tuple[Any, ...], exit_code: int, message: str
) -> None:
    result = query(*arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert message in result.stderr
    if exit_code != 2:
        assert result.stderr.splitlines()[-1].startswith("error: ")
        assert len([line for line in result.stderr.splitlines() if not line.startswith("run 'known' answers")]) == 1
