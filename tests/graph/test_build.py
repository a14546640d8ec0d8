"""NetworkX graphs from rows."""

from __future__ import annotations

import networkx as nx
from tables import edges, synapse, synapses

from connectome.graph.build import edge_graph, synapse_graph
from connectome.records import Synapses

HUGE = 2**63 - 1


def _edge(pre: int, post: int, count: int = 1) -> tuple[int, int, int, int, float]:
    return pre, post, count, 100 * count, 0.5


def _synapse(cleft_id: int, pre: int, post: int) -> Synapses:
    return synapse(cleft_id, pre, post, 0.25, 7, (30.0, 20.0, 10.0))


def test_an_edge_graph_holds_each_edge_with_its_attributes() -> None:
    graph = edge_graph(edges([_edge(1, 2, 3), _edge(2, 1), _edge(5, 5)]), {"run": "r"})
    assert type(graph) is nx.DiGraph
    assert graph.graph == {"run": "r", "kind": "edges"}
    assert set(graph.nodes) == {"1", "2", "5"}
    assert graph.edges["1", "2"] == {"synapse_count": 3, "size_voxels": 300, "mean_confidence": 0.5}
    assert graph.number_of_edges() == 3


def test_a_synapse_graph_holds_one_edge_a_synapse_under_its_cleft_id() -> None:
    graph = synapse_graph(synapses([_synapse(11, 1, 2), _synapse(12, 1, 2), _synapse(13, 2, 1)]))
    assert type(graph) is nx.MultiDiGraph
    assert {(pre, post, key) for pre, post, key in graph.edges(keys=True)} == {
        ("1", "2", "11"),
        ("1", "2", "12"),
        ("2", "1", "13"),
    }
    assert graph.edges["1", "2", "11"] == {
        "cleft_id": "11",
        "confidence": 0.25,
        "size_voxels": 7,
        "x_nm": 10.0,
        "y_nm": 20.0,
        "z_nm": 30.0,
    }


def test_synapses_of_a_polyadic_cleft_are_edges_of_their_own() -> None:
    graph = synapse_graph(synapses([_synapse(11, 1, 2), _synapse(11, 1, 3), _synapse(12, 1, 3)]))
    assert sorted(graph.edges(keys=True)) == [("1", "2", "11"), ("1", "3", "11"), ("1", "3", "12")]


def test_numpy_values_become_plain_python_values() -> None:
    graph = edge_graph(edges([(HUGE, 2, 1, 9, 0.5)]))
    assert {type(value) for value in graph.edges[str(HUGE), "2"].values()} == {int, float}
