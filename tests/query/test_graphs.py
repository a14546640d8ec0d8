"""Graphs of a run of a real store."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from scored_run import SHAPE, pair_of, write_run

from connectome.errors import IncompleteRunError, RunNotFoundError
from connectome.graph.graphml import read_graphml
from connectome.graph.summary import summarise
from connectome.query.graphs import build_graph, export_graphml
from connectome.query.proofreading import import_roots
from connectome.selection import Filter, NmBox
from connectome.store.database import Database
from connectome.store.runs.records import RunRecord, RunState
from connectome.store.runs.runs import set_state

A, B = (str(segment) for segment in pair_of(0))
C, D = (str(segment) for segment in pair_of(1))
SMALL = Filter(run="small")


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
    graph = build_graph(database, SMALL)
    assert {(pre, post): data["synapse_count"] for pre, post, data in graph.edges(data=True)} == {
        (A, B): 2,
        (B, A): 1,
        (C, D): 1,
        (C, A): 1,
    }
    assert graph.edges[A, B] == {"synapse_count": 2, "size_voxels": 3, "mean_confidence": 0.5}
    assert graph.graph == {"run": "small", "min_synapses": 1, "min_confidence": 0.0, "kind": "edges"}


def test_the_multigraph_of_a_run_has_its_synapses(database: Database, run: RunRecord) -> None:
    graph = build_graph(database, SMALL, multi=True)
    assert sorted(graph.edges(keys=True)) == sorted(
        [(A, B, "11"), (A, B, "12"), (B, A, "13"), (C, D, "14"), (C, A, "14")]
    )
    assert graph.edges[A, B, "12"] == {
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
        build_graph(
            database, Filter(run="small", min_synapses=min_synapses, min_confidence=min_confidence), multi=multi
        )
        for multi in (False, True)
    )
    assert single.number_of_edges() == edges
    assert summarise(single) == summarise(multi)


@pytest.mark.parametrize("multi", [False, True])
def test_an_exported_graph_reads_back_as_it_was(
    database: Database, run: RunRecord, tmp_path: Path, multi: bool
) -> None:
    saved = export_graphml(database, tmp_path / "x.graphml", SMALL, multi=multi)
    graph, back = build_graph(database, SMALL, multi=multi), read_graphml(saved.path)
    assert nx.utils.graphs_equal(back, graph)
    assert saved.summary == summarise(graph)


def test_without_a_path_the_graph_goes_to_the_folder_of_the_run(database: Database, run: RunRecord) -> None:
    saved = export_graphml(database, where=SMALL)
    assert saved.path == run.folder / "graph.graphml"
    assert saved.path.exists()


def test_a_run_that_is_not_finished_has_no_graph(database: Database, run: RunRecord) -> None:
    set_state(database, run.run_id, RunState.INCOMPLETE)
    with pytest.raises(IncompleteRunError, match="is incomplete, not finished"):
        export_graphml(database, where=SMALL)
    assert not (run.folder / "graph.graphml").exists()
    with pytest.raises(RunNotFoundError, match="small"):
        build_graph(database, Filter(run="other"))


def test_a_graph_takes_every_part_of_the_filter_and_says_so(database: Database, run: RunRecord) -> None:
    where = Filter(run="small", min_size=2, max_size=3, box_nm=NmBox((0, 0, 0), (1000, 1000, 300)))
    single, multi = (build_graph(database, where, multi=multi) for multi in (False, True))
    assert sorted(multi.edges(keys=True)) == [(A, B, "12"), (B, A, "13")]
    assert summarise(single) == summarise(multi)
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
    saved = export_graphml(database, tmp_path / "x.graphml", where, multi=True)
    back = read_graphml(saved.path)
    assert sorted(back.edges(C, keys=True)) == [(C, A, "14"), (C, A, "14.2")]
    assert nx.utils.graphs_equal(back, build_graph(database, where, multi=True))
    assert saved.summary == summarise(build_graph(database, where))


def test_without_a_name_the_run_that_finished_last_is_drawn_and_told(
    database: Database, run: RunRecord, tmp_path: Path
) -> None:
    told: list[str] = []
    export_graphml(database, tmp_path / "x.graphml", tell=told.append)
    assert len(told) == 1 and "'small'" in told[0]
    export_graphml(database, tmp_path / "x.graphml", SMALL, tell=told.append)
    assert len(told) == 1
