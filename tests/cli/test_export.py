"""`connectome build graph` and `connectome export graphml`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import igraph
import networkx as nx
import pytest
from scored_run import pair_of, write_run
from typer.testing import Result

from connectome.store.database import Database
from connectome.store.runs.records import RunRecord, RunState
from connectome.store.runs.runs import set_state

Cli = Callable[..., Result]


@pytest.fixture
def run(database: Database, tmp_path: Path) -> RunRecord:
    return write_run(database, tmp_path / "run")


def test_build_graph_saves_the_graph_in_the_runs_folder_and_sums_it_up(
    cli: Cli, database: Database, run: RunRecord
) -> None:
    result = cli("build", "graph", "--run", "small", "--database-url", database.url)
    assert (result.exit_code, result.stderr) == (0, "")
    first, *rest = result.stdout.splitlines()
    assert first == f"{run.folder / 'graph.graphml'}: 12 nodes, 6 edges, 7 synapses"
    lines = dict(line.split(maxsplit=1) for line in rest[:4])
    assert lines == {
        "nodes": "12",
        "edges": "6",
        "synapses": "7",
        "autapses": "0",
    }
    pre, post = pair_of(2)
    assert f"  {pre} -> {post}  2 synapses" in result.stdout.splitlines()
    assert nx.read_graphml(run.folder / "graph.graphml").number_of_edges() == 6


def test_build_graph_writes_where_it_is_told_and_answers_json(
    cli: Cli, database: Database, run: RunRecord, tmp_path: Path
) -> None:
    path = tmp_path / "multi.graphml"
    result = cli(
        "build", "graph", "--run", "small", "--multi", "--output", path, "--json", "--database-url", database.url
    )
    found = json.loads(result.stdout)
    assert (found["path"], found["edges"], found["synapses"]) == (str(path), 6, 7)
    assert found["top_edges"][0] == {
        "pre_id": str(pair_of(2)[0]),
        "post_id": str(pair_of(2)[1]),
        "synapse_count": 2,
    }
    assert not (run.folder / "graph.graphml").exists()


@pytest.mark.parametrize(("flags", "edges"), [((), 6), (("--multi",), 7), (("--min-synapses", "2"), 1)])
def test_an_exported_file_has_the_same_ids_in_networkx_and_igraph(
    cli: Cli, database: Database, run: RunRecord, tmp_path: Path, flags: tuple[str, ...], edges: int
) -> None:
    path = tmp_path / "graph.graphml"
    result = cli("export", "graphml", "--run", "small", path, *flags, "--database-url", database.url)
    assert result.exit_code == 0, result.stderr
    one, other = nx.read_graphml(path, force_multigraph=True), igraph.Graph.Read_GraphML(str(path))
    assert one.number_of_edges() == other.ecount() == edges
    ids = other.vs["id"]
    assert sorted(one.edges()) == sorted((ids[e.source], ids[e.target]) for e in other.es)
    assert set(one.nodes) == set(ids) <= {str(segment) for column in range(6) for segment in pair_of(column)}


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("--run", "other"), 3, "no run named 'other'"),
        (("--min-synapses", "0"), 3, "min_synapses 0 must be at least 1"),
        (("--min-confidence", "2"), 3, "min_confidence 2 must lie between 0 and 1"),
    ],
)
def test_wrong_input_is_one_clear_line(
    cli: Cli, database: Database, run: RunRecord, tmp_path: Path, flags: tuple[str, ...], code: int, message: str
) -> None:
    path = tmp_path / "graph.graphml"
    result = cli("export", "graphml", "--run", "small", path, "--database-url", database.url, *flags)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not path.exists()


def test_a_folder_that_is_not_there_and_a_run_that_is_not_finished_are_one_clear_line(
    cli: Cli, database: Database, run: RunRecord, tmp_path: Path
) -> None:
    arguments = ("export", "graphml", "--run", "small", "--database-url", database.url)
    unwritable = cli(*arguments, tmp_path / "nowhere" / "graph.graphml")
    assert (unwritable.exit_code, unwritable.stderr.count("\n")) == (6, 1)
    set_state(database, run.run_id, RunState.RUNNING)
    unfinished = cli(*arguments, tmp_path / "graph.graphml")
    assert (unfinished.exit_code, unfinished.stderr.count("\n")) == (7, 1)
    assert "not finished" in unfinished.stderr


@pytest.mark.parametrize("target", ["-", "/dev/stdout"])
@pytest.mark.parametrize(("what", "flags"), [("edges", ()), ("edges", ("--format", "parquet")), ("graphml", ())])
def test_an_export_to_a_pipe_is_the_file_and_nothing_else(
    database: Database, run: RunRecord, tmp_path: Path, what: str, flags: tuple[str, ...], target: str
) -> None:
    name = tmp_path / {"graphml": "x.graphml"}.get(what, "x.parquet" if flags else "x.csv")
    command = [sys.executable, "-m", "connectome.cli", "export", what, "--run", "small", "--database-url", database.url]
    subprocess.run([*command, str(name)], check=True, capture_output=True)
    piped = subprocess.run([*command, *flags, target], check=True, capture_output=True, cwd=tmp_path)
    assert piped.stdout == name.read_bytes()
    assert target in piped.stderr.decode() and not (tmp_path / "-").exists()
