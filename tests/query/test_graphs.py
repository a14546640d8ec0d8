"""Graphs of a run of a real store."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from scored_run import SHAPE, pair_of, write_run

from connectome.errors import ConfigError, IncompleteRunError, InputError, RunNotFoundError, StorageError
from connectome.query.connectome import Connectome
from connectome.query.graphs import GraphFormat, export_graph
from connectome.query.networks import GraphChoice, build_graph
from connectome.query.proofreading import import_annotations, import_roots
from connectome.selection import Filter, NmBox
from connectome.store.database import Database
from connectome.store.runs.records import RunRecord, RunState
from connectome.store.runs.runs import set_state
from connectome.tables.neuron_tables import AnnotationTable

A, B = (str(segment) for segment in pair_of(0))
C, D = (str(segment) for segment in pair_of(1))
SMALL = Filter(run="small")
GRAPHML = GraphFormat.GRAPHML


def _graph(database: Database, where: Filter = SMALL, *, multi: bool = False) -> nx.DiGraph:
    return build_graph(database, GraphChoice(where=where, multi=multi))


def _pairs(graph: nx.DiGraph) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for pre, post, weight in graph.edges(data="weight"):
        found[pre, post] = found.get((pre, post), 0) + weight
    return found


@pytest.fixture
def run(database: Database, tmp_path: Path) -> RunRecord:
    """Two synapses from A to B, one from B to A; a polyadic cleft from C to D and to A."""
    labels = np.zeros(SHAPE, np.uint64)
    for cleft_id in (11, 12, 13, 14):
        labels[0, 0, 10 * (cleft_id - 11) : 10 * (cleft_id - 11) + cleft_id - 10] = cleft_id
    a, b, c, d = *pair_of(0), *pair_of(1)
    partners = {11: [(a, b)], 12: [(a, b)], 13: [(b, a)], 14: [(c, d), (c, a)]}
    return write_run(database, tmp_path / "run", labels=labels, partners=partners)


def test_the_graph_of_a_run_has_its_edges(database: Database, run: RunRecord) -> None:
    graph = _graph(database)
    assert {(pre, post): data["synapse_count"] for pre, post, data in graph.edges(data=True)} == {
        (A, B): 2,
        (B, A): 1,
        (C, D): 1,
        (C, A): 1,
    }
    assert graph.edges[A, B] == {"weight": 2, "synapse_count": 2, "size_voxels": 3, "mean_confidence": 0.5}
    assert graph.graph == {"run": "small", "min_synapses": 1, "min_confidence": 0.0, "kind": "edges"}


def test_the_multigraph_of_a_run_has_its_synapses(database: Database, run: RunRecord) -> None:
    graph = _graph(database, multi=True)
    assert sorted(graph.edges(keys=True)) == sorted(
        [(A, B, "11"), (A, B, "12"), (B, A, "13"), (C, D, "14"), (C, A, "14")]
    )
    assert graph.edges[A, B, "12"] == {
        "weight": 1,
        "cleft_id": "12",
        "confidence": 0.5,
        "size_voxels": 2,
        "x_nm": 132.0,
        "y_nm": 6.0,
        "z_nm": 15.0,
    }


@pytest.mark.parametrize(("min_synapses", "min_confidence", "edges"), [(1, 0.0, 4), (2, 0.0, 1), (1, 0.6, 0)])
def test_thresholds_choose_the_same_pairs_in_both_graphs(
    database: Database, run: RunRecord, min_synapses: int, min_confidence: float, edges: int
) -> None:
    single, multi = (
        _graph(database, Filter(run="small", min_synapses=min_synapses, min_confidence=min_confidence), multi=multi)
        for multi in (False, True)
    )
    assert single.number_of_edges() == edges
    assert _pairs(single) == _pairs(multi)
    assert set(single) == set(multi)


@pytest.mark.parametrize("multi", [False, True])
def test_an_exported_graph_reads_back_as_it_was(
    database: Database, run: RunRecord, tmp_path: Path, multi: bool
) -> None:
    saved = export_graph(database, tmp_path / "x.graphml", GRAPHML, GraphChoice(where=SMALL, multi=multi))
    graph, back = _graph(database, multi=multi), nx.read_graphml(saved.path, force_multigraph=multi)
    assert back.nodes(data=True) == graph.nodes(data=True)
    assert _edges(back) == _edges(graph)
    assert {name: back.graph[name] for name in graph.graph} == graph.graph
    assert (saved.nodes, saved.edges, saved.synapses) == (len(graph), graph.number_of_edges(), 5)


def _edges(graph: nx.DiGraph) -> list[tuple[str, str, dict[str, object]]]:
    found = ((pre, post, {k: v for k, v in data.items() if k != "key"}) for pre, post, data in graph.edges(data=True))
    return sorted(found, key=lambda edge: (*edge[:2], edge[2].get("cleft_id")))


def test_a_compressed_name_is_compressed(database: Database, run: RunRecord, tmp_path: Path) -> None:
    choice = GraphChoice(where=SMALL)
    plain, compressed = (
        export_graph(database, tmp_path / f"x.graphml{end}", GRAPHML, choice).path for end in ("", ".gz")
    )
    assert gzip.decompress(compressed.read_bytes()) == plain.read_bytes()


def test_without_a_path_the_graph_goes_to_the_folder_of_the_run(database: Database, run: RunRecord) -> None:
    saved = export_graph(database, None, GRAPHML, GraphChoice(where=SMALL))
    assert saved.path == run.folder / "graph.graphml"
    assert saved.path.exists()


def test_a_run_that_is_not_finished_has_no_graph(database: Database, run: RunRecord) -> None:
    set_state(database, run.run_id, RunState.INCOMPLETE)
    with pytest.raises(IncompleteRunError, match="is incomplete, not finished"):
        export_graph(database, None, GRAPHML, GraphChoice(where=SMALL))
    assert not (run.folder / "graph.graphml").exists()
    with pytest.raises(RunNotFoundError, match="small"):
        _graph(database, Filter(run="other"))


def test_a_folder_that_is_not_there_is_one_clear_error(database: Database, run: RunRecord, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"x\.graphml can't be written: No such file or directory"):
        export_graph(database, tmp_path / "nowhere" / "x.graphml", GRAPHML, GraphChoice(where=SMALL))


def test_an_annotation_that_xml_cannot_hold_leaves_what_was_there(
    database: Database, run: RunRecord, tmp_path: Path
) -> None:
    (tmp_path / "x.graphml").write_text("before")
    (tmp_path / "types.csv").write_text(f"neuron_id,type\n{A},a\x01b\n")
    import_annotations(database, AnnotationTable(path=tmp_path / "types.csv"))
    with pytest.raises(InputError, match="XML"):
        export_graph(database, tmp_path / "x.graphml", GRAPHML, GraphChoice(where=SMALL))
    assert (tmp_path / "x.graphml").read_text() == "before"


def test_nodes_carry_what_neurons_are_annotated_with(database: Database, run: RunRecord, tmp_path: Path) -> None:
    lonely = 2**53 + 1
    (tmp_path / "types.csv").write_text(f"neuron_id,type,side,name\n{A},KC,L,one\n{lonely},MBON,,\n")
    import_annotations(database, AnnotationTable(path=tmp_path / "types.csv"))
    with Connectome(database) as connectome:
        graph = connectome.graph(where=SMALL)
        assert graph.nodes[A] == {"label": "one", "type": "KC", "side": "L", "name": "one"}
        assert graph.nodes[B] == {"label": B} and str(lonely) not in graph
        graph = connectome.graph(where=SMALL, labels=["type"], isolated=True)
        assert graph.nodes[A] == {"label": A, "type": "KC"}
        assert graph.nodes[str(lonely)] == {"label": str(lonely), "type": "MBON"}
        assert connectome.graph("igraph", where=SMALL).vs["type"].count("KC") == 1
        matrix, ids = connectome.graph("scipy", where=SMALL)
        assert matrix.sum() == 5 and ids.tolist() == sorted(map(int, (A, B, C, D)))
        with pytest.raises(ConfigError, match="no neuron is annotated with 'colour'"):
            connectome.graph(where=SMALL, labels=["colour"])
        with pytest.raises(ConfigError, match="no graphs for 'cugraph'"):
            connectome.graph("cugraph", where=SMALL)
        with pytest.raises(ConfigError, match="one edge a synapse is for networkx"):
            connectome.graph("igraph", where=SMALL, multi=True)


def test_a_graph_takes_every_part_of_the_filter_and_says_so(database: Database, run: RunRecord) -> None:
    where = Filter(run="small", min_size=2, max_size=3, box_nm=NmBox((0, 0, 0), (1000, 1000, 300)))
    single, multi = (_graph(database, where, multi=multi) for multi in (False, True))
    assert sorted(multi.edges(keys=True)) == [(A, B, "12"), (B, A, "13")]
    assert _pairs(single) == _pairs(multi)
    assert set(single) == set(multi)
    assert single.graph == {
        "run": "small",
        "min_synapses": 1,
        "min_confidence": 0.0,
        "min_size": 2,
        "max_size": 3,
        "box_nm": "0:1000,0:1000,0:300",
        "kind": "edges",
    }


def test_a_graph_of_roots_keeps_every_synapse_of_a_polyadic_cleft(
    database: Database, run: RunRecord, tmp_path: Path
) -> None:
    (tmp_path / "roots.csv").write_text(f"segment_id,root_id\n{D},{A}\n")
    import_roots(database, tmp_path / "roots.csv", "merged")
    where = Filter(run="small", roots="merged")
    graph = _graph(database, where, multi=True)
    assert sorted(graph.edges(C, keys=True)) == [(C, A, "14"), (C, A, "14.2")]
    saved = export_graph(database, tmp_path / "x.json", GraphFormat.NODE_LINK, GraphChoice(where=where, multi=True))
    back = nx.node_link_graph(json.loads(saved.path.read_text()))
    assert sorted(back.edges(keys=True, data="confidence")) == sorted(graph.edges(keys=True, data="confidence"))
    assert _pairs(back) == _pairs(_graph(database, where))


def test_without_a_name_the_run_that_finished_last_is_drawn_and_told(
    database: Database, run: RunRecord, tmp_path: Path
) -> None:
    told: list[str] = []
    export_graph(database, tmp_path / "x.graphml", GRAPHML, GraphChoice(), told.append)
    assert len(told) == 1 and "'small'" in told[0]
    export_graph(database, tmp_path / "x.graphml", GRAPHML, GraphChoice(where=SMALL), told.append)
    assert len(told) == 1
