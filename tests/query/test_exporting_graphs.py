"""Exports of a typed, filtered run read back the same in what they are for."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow.feather
import pytest
from scipy.sparse import load_npz
from typer.testing import Result

from connectome.query.importing_edges import EdgeImportRequest, import_edges
from connectome.query.proofreading import import_annotations
from connectome.store.database import Database
from connectome.tables.neuron_tables import AnnotationTable
from connectome.volumes.annotation_layer import open_shards

Cli = Callable[..., Result]
Edges = dict[tuple[int, int], int]
HUGE, NEXT = 2**63 - 1, 2**53 + 1
SMALL = f"pre,post,count\n1,{HUGE},5\n{HUGE},1,1\n2,2,4\n{NEXT},{HUGE},3\n"
TYPES = f'neuron_id,type,name\n1,"KC, ""é""",one\n{HUGE},MBON,\n77,lonely,\n'


@pytest.fixture(scope="module")
def small(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A run of edges with large ids, a self loop, unicode, and an annotated neuron without an edge."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "edges.csv").write_text(SMALL)
    (folder / "types.csv").write_text(TYPES)
    with Database.open(module_database_url, folder) as database:
        import_edges(database, EdgeImportRequest(path=folder / "edges.csv", name="small", data_set="lab"))
        import_annotations(database, AnnotationTable(path=folder / "types.csv"))
    yield module_database_url


def of_networkx(graph: nx.DiGraph) -> Edges:
    return {(int(a), int(b)): int(w) for a, b, w in graph.edges(data="weight")}


def of_igraph(path: Path) -> Edges:
    graph = igraph.Graph.Read_GraphML(str(path))
    ids = [int(one) for one in graph.vs["id"]]
    return {(ids[e.source], ids[e.target]): int(e["weight"]) for e in graph.es}


def of_npz(path: Path) -> Edges:
    matrix = load_npz(path).tocoo()
    with np.load(path) as arrays:
        ids = arrays["ids"].tolist()
    return {(ids[a], ids[b]): int(n) for a, b, n in zip(*matrix.coords, matrix.data, strict=True)}


def of_table(table: pd.DataFrame) -> Edges:
    return dict(zip(zip(table["pre_id"], table["post_id"], strict=True), table["synapse_count"], strict=True))


def of_neo4j(folder: Path) -> Edges:
    table = pd.read_csv(folder / "edges.csv")
    assert set(table[":TYPE"]) <= {"ConnectsTo"}
    columns = (table[name] for name in (":START_ID(Neuron)", ":END_ID(Neuron)", "weight:int"))
    return {(int(a), int(b)): int(n) for a, b, n in zip(*columns, strict=True)}


READERS: dict[tuple[str, str], Callable[[Path], Edges]] = {
    ("graphml", "g.graphml"): lambda path: of_networkx(nx.read_graphml(path)),
    ("graphml", "i.graphml"): of_igraph,
    ("gexf", "g.gexf"): lambda path: of_networkx(nx.read_gexf(path)),
    ("json", "g.json"): lambda path: of_networkx(nx.node_link_graph(json.loads(path.read_text()))),
    ("cyjs", "g.cyjs"): lambda path: of_networkx(nx.cytoscape_graph(json.loads(path.read_text()))),
    ("npz", "g.npz"): of_npz,
    ("neo4j", "neo4j"): of_neo4j,
    ("edges", "e.csv"): lambda path: of_table(pd.read_csv(path)),
    ("edges", "e.tsv"): lambda path: of_table(pd.read_csv(path, sep="\t")),
    ("edges", "e.parquet"): lambda path: of_table(pd.read_parquet(path)),
    ("edges", "e.feather"): lambda path: of_table(pyarrow.feather.read_table(path).to_pandas()),
}
EXPECTED: Edges = {(1, HUGE): 5, (HUGE, 1): 1, (2, 2): 4, (NEXT, HUGE): 3}


@pytest.mark.parametrize(("command", "name"), list(READERS), ids=lambda value: value)
@pytest.mark.parametrize("least", [1, 2, 100])
def test_every_format_gives_the_filtered_edges(
    cli: Cli, small: str, tmp_path: Path, command: str, name: str, least: int
) -> None:
    result = cli("export", command, tmp_path / name, "--run", "small", "--min-synapses", least, "--database-url", small)
    assert result.exit_code == 0, result.stderr
    found = READERS[command, name](tmp_path / name)
    assert found == {pair: count for pair, count in EXPECTED.items() if count >= least}


def test_what_neurons_are_annotated_with_is_in_every_format_that_has_a_place_for_it(
    cli: Cli, small: str, tmp_path: Path
) -> None:
    said = {1: 'KC, "é"', HUGE: "MBON", 77: "lonely"}
    where = ("--isolated", "--run", "small", "--database-url", small)
    for command, name in (("graphml", "g"), ("npz", "g.npz"), ("neo4j", "neo"), ("neurons", "n.parquet")):
        assert cli("export", command, tmp_path / name, *where).exit_code == 0
    graph = nx.read_graphml(tmp_path / "g")
    assert {int(one): kind for one, kind in graph.nodes(data="type") if kind is not None} == said
    assert str(NEXT) in graph and graph.nodes["1"]["label"] == "one"
    with np.load(tmp_path / "g.npz") as arrays:
        types = dict(zip(arrays["ids"].tolist(), arrays["label_type"].tolist(), strict=True))
    assert types == said | {2: "", NEXT: ""}
    with (tmp_path / "neo" / "neurons.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {int(row["neuronId:ID(Neuron)"]): row["type"] for row in rows if row["type"]} == said
    table = pd.read_parquet(tmp_path / "n.parquet").dropna(subset="type")
    assert dict(zip(table["neuron_id"], table["type"], strict=True)) == said


def test_the_list_tells_of_every_export(cli: Cli) -> None:
    from connectome.cli.export import app

    result = cli("export", "--list")
    assert result.exit_code == 0
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert {line.split()[0] for line in result.stdout.splitlines()[2:]} == commands


def test_a_run_of_edges_alone_has_no_annotations_and_a_folder_that_is_there_is_kept(
    cli: Cli, small: str, tmp_path: Path
) -> None:
    result = cli("export", "annotations", tmp_path / "layer", "--run", "small", "--database-url", small)
    assert result.exit_code == 3 and "has no synapses" in result.stderr
    (tmp_path / "neo").mkdir()
    result = cli("export", "neo4j", tmp_path / "neo", "--run", "small", "--database-url", small)
    assert result.exit_code == 6 and "exists already" in result.stderr


def test_synapses_become_annotations_of_neuroglancer(
    cli: Cli, load: Callable, database: Database, tmp_path: Path
) -> None:
    rows = [
        {"cleft_id": HUGE, "pre_segment_id": NEXT, "post_segment_id": 2, "number": 0, "size_voxels": 9}
        | {"x_nm": 3.0, "y_nm": 2.0, "z_nm": 1.0, "pre_x_nm": 30.0, "pre_y_nm": 20.0, "pre_z_nm": 10.0},
        {"cleft_id": 5, "pre_segment_id": 2, "post_segment_id": 3, "number": 0, "confidence": 0.5}
        | {"x_nm": 300.0, "y_nm": 200.0, "z_nm": 100.0},
    ]
    load("points", rows)
    result = cli("export", "annotations", tmp_path / "layer", "--run", "points", "--database-url", database.url)
    assert result.exit_code == 0, result.stderr
    info = json.loads((tmp_path / "layer" / "info").read_text())
    shards = {one["id"]: open_shards(tmp_path / "layer" / one["key"], one["sharding"]) for one in info["relationships"]}
    value = shards["pre"].read(NEXT.to_bytes(8, "big")).result().value
    assert np.frombuffer(value[8:32], "<f4").tolist() == [30.0, 20.0, 10.0, 3.0, 2.0, 1.0]
    assert np.isnan(np.frombuffer(value[32:36], "<f4")[0]) and int.from_bytes(value[36:40], "little") == 9
    assert shards["post"].read((3).to_bytes(8, "big")).result().value[:8] == (1).to_bytes(8, "little")
    assert shards["cleft"].read(HUGE.to_bytes(8, "big")).result().state == "value"


@pytest.mark.parametrize(
    ("driver", "begins"),
    [
        ("psql", "postgresql://"),
        ("adbc", "postgresql://"),
        ("psycopg2", "postgresql+psycopg2://"),
        ("psycopg", "postgresql+psycopg://"),
        ("asyncpg", "postgresql+asyncpg://"),
    ],
)
def test_a_url_names_the_driver_that_sqlalchemy_is_to_use(cli: Cli, small: str, driver: str, begins: str) -> None:
    result = cli("db", "url", "--driver", driver, "--database-url", small)
    assert result.stdout.startswith(begins)
    if driver == "psycopg2":
        from sqlalchemy import create_engine, text

        engine = create_engine(result.stdout.strip())
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM edge")).scalar_one() == 4
        engine.dispose()
