"""`connectome graph`, on a small run and on published connectomes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

from connectome.query.importing_edges import EdgeImportRequest, import_edges
from connectome.query.proofreading import import_annotations, import_roots
from connectome.store.database import Database
from connectome.tables.neuron_tables import AnnotationTable

Cli = Callable[..., Result]
EDGES = "pre,post,count\n1,2,5\n2,1,1\n2,3,4\n3,3,2\n4,2,7\n"


@pytest.fixture
def url(database: Database, tmp_path: Path) -> str:
    (tmp_path / "edges.csv").write_text(EDGES)
    import_edges(database, EdgeImportRequest(path=tmp_path / "edges.csv", name="small", data_set="lab"))
    (tmp_path / "roots.csv").write_text("segment_id,root_id\n4,1\n")
    import_roots(database, tmp_path / "roots.csv", "v1")
    (tmp_path / "types.csv").write_text("neuron_id,type,name\n1,KC,one\n3,MBON,three\n")
    import_annotations(database, AnnotationTable(path=tmp_path / "types.csv"))
    return database.url


def rows_of(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_the_summary_is_a_page_or_json(cli: Cli, url: str) -> None:
    page = cli("graph", "summary", "--run", "small", "--database-url", url)
    assert page.exit_code == 0, page.stderr
    assert "reciprocal pairs   1\n" in page.stdout and "4 -> 2  7 synapses" in page.stdout
    found = json.loads(cli("graph", "summary", "--json", "--min-synapses", "2", "--database-url", url).stdout)
    assert (found["nodes"], found["edges"], found["synapses"], found["autapses"]) == (4, 4, 18, 1)


def test_versions_of_roots_are_compared(cli: Cli, url: str) -> None:
    result = cli("graph", "compare", "small", "small@v1", "--json", "--database-url", url)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["lost"], found["gained"], found["changed"], found["same"]) == (1, 0, 1, 3)
    assert found["edges"][0] == {"pre_id": "1", "post_id": "2", "first_synapses": 5, "second_synapses": 12}
    page = cli("graph", "compare", "small", "@v1", "--database-url", url).stdout
    assert "largest changes" in page and "lost               1\n" in page


def test_neurons_are_found_by_name_and_shown_with_it(cli: Cli, url: str) -> None:
    found = rows_of(cli("graph", "path", "one", "three", "--format", "csv", "--database-url", url))
    assert [(row["pre_name"], row["post_name"], row["synapse_count"]) for row in found] == [
        ("one", "2", "5"),
        ("2", "three", "4"),
    ]
    near = rows_of(cli("query", "neighbourhood", "3", "--hops", "1", "--format", "csv", "--database-url", url))
    assert [(row["neuron_id"], row["hops"], row["type"]) for row in near] == [("3", "0", "MBON"), ("2", "1", "")]
    out = rows_of(
        cli("query", "neighbourhood", "1", "--direction", "outputs", "--format", "csv", "--database-url", url)
    )
    assert [(row["neuron_id"], row["hops"]) for row in out] == [("1", "0"), ("2", "1"), ("3", "2")]


@pytest.mark.parametrize("command", ["hubs", "components", "layers", "communities", "census", "rich-club"])
def test_each_question_answers_in_rows(cli: Cli, url: str, command: str) -> None:
    found = rows_of(cli("graph", command, "--run", "small", "--format", "csv", "--database-url", url))
    if "neuron_id" in found[0]:
        assert sorted(row["neuron_id"] for row in found) == ["1", "2", "3", "4"]
        assert {row["type"] for row in found} == {"KC", "", "MBON"}
    again = cli("graph", command, "--run", "small", "--format", "json", "--database-url", url)
    assert len(json.loads(again.stdout)) == len(found)


@pytest.fixture(scope="module")
def published(module_database_url: str, real_data: Path) -> Iterator[tuple[str, Path]]:
    """A database with larva and C. elegans, and the folder of the tables."""
    folder = real_data / "tables"
    with Database.open(module_database_url, Path()) as database:
        for name, file in (("larva", "larva_edges.txt"), ("worm", "celegans_edges.csv")):
            import_edges(database, EdgeImportRequest(path=folder / file, name=name))
    yield module_database_url, folder


@pytest.mark.parametrize(
    ("run", "file", "separator"), [("larva", "larva_edges.txt", " "), ("worm", "celegans_edges.csv", ",")]
)
def test_the_summary_of_a_published_connectome_agrees_with_its_file(
    cli: Cli, published: tuple[str, Path], run: str, file: str, separator: str
) -> None:
    url, folder = published
    table = pd.read_csv(folder / file, sep=separator, names=["pre", "post", "count"])
    graph = nx.from_pandas_edgelist(table, "pre", "post", "count", create_using=nx.DiGraph)
    found = json.loads(cli("graph", "summary", "--run", run, "--json", "--database-url", url).stdout)
    assert (found["nodes"], found["edges"]) == (graph.number_of_nodes(), graph.number_of_edges())
    assert found["synapses"] == table["count"].sum()
    assert found["autapses"] == nx.number_of_selfloops(graph)
    assert found["largest_strong"] == max(map(len, nx.strongly_connected_components(graph)))
    assert found["largest_weak"] == max(map(len, nx.weakly_connected_components(graph)))
    assert found["weight"]["median"] == table["count"].median()
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    assert np.isclose(found["reciprocity"], nx.overall_reciprocity(graph))


@pytest.mark.slow
def test_the_layers_of_the_larva_are_those_that_were_published_with_it(cli: Cli, published: tuple[str, Path]) -> None:
    url, folder = published
    found = pd.DataFrame(rows_of(cli("graph", "layers", "--run", "larva", "--format", "csv", "--database-url", url)))
    theirs = pd.read_csv(folder / "larva_neurons.csv", index_col=0)["sum_signal_flow"].dropna()
    ours = found.astype({"neuron_id": int, "flow": float}).set_index("neuron_id")["flow"]
    both = pd.concat([ours, theirs], axis=1, join="inner")
    assert len(both) > 2500 and both.corr().iloc[0, 1] > 0.95


@pytest.mark.slow
def test_the_census_of_the_larva_is_that_of_networkx(cli: Cli, published: tuple[str, Path]) -> None:
    url, folder = published
    table = pd.read_csv(folder / "larva_edges.txt", sep=" ", names=["pre", "post", "count"])
    graph = nx.DiGraph(table[["pre", "post"]].query("pre != post").itertuples(index=False))
    graph.add_nodes_from(table["pre"].tolist() + table["post"].tolist())
    result = cli("graph", "census", "--run", "larva", "--random", "2", "--format", "json", "--database-url", url)
    counts = {row["triad"]: row["count"] for row in json.loads(result.stdout)}
    assert counts == nx.triadic_census(graph)
