"""A network as the graphs of other libraries."""

from __future__ import annotations

import sys

import networkx as nx
import numpy as np
import pytest
from tables import edges, synapse, synapses

from connectome.errors import MissingLibraryError
from connectome.graph.network import Network, synapse_graph
from connectome.records import Edges

HUGE = 2**63 - 1
ROWS = [(1, 2, 3, 300, 0.5), (2, 1, 1, 100, float("nan")), (HUGE, HUGE, 1, 9, 0.25)]
LABELS = {"type": ["KC", None, "MBON", None], "name": ["é & <ü>", None, None, "alone"], "id": [None, "x", None, None]}
LONELY = 2**53 + 1


def _network() -> Network:
    ids = np.array(sorted([1, 2, LONELY, HUGE]), np.int64)
    return Network.of_edges(edges(ROWS), ids=ids, labels=LABELS, attributes={"run": "r"})


def test_networkx_gets_ids_as_texts_weights_and_what_neurons_are_annotated_with() -> None:
    graph = _network().to_networkx()
    assert type(graph) is nx.DiGraph
    assert graph.graph == {"run": "r", "kind": "edges"}
    assert dict(graph.nodes(data=True)) == {
        "1": {"label": "é & <ü>", "type": "KC", "name": "é & <ü>"},
        "2": {"label": "2", "id_": "x"},
        str(LONELY): {"label": str(LONELY), "type": "MBON"},
        str(HUGE): {"label": "alone", "name": "alone"},
    }
    assert graph.edges["1", "2"] == {"weight": 3, "synapse_count": 3, "size_voxels": 300, "mean_confidence": 0.5}
    assert graph.edges["2", "1"] == {"weight": 1, "synapse_count": 1, "size_voxels": 100}
    assert {type(value) for value in graph.edges[str(HUGE), str(HUGE)].values()} == {int, float}


def test_igraph_gets_the_same_graph() -> None:
    network = _network()
    one, other = network.to_networkx(), network.to_igraph()
    ids = other.vs["id"]
    assert ids == list(one.nodes) and other.is_directed()
    assert other.vs["label"] == [one.nodes[node]["label"] for node in ids]
    assert other.vs["type"] == [one.nodes[node].get("type") for node in ids]
    assert [(ids[e.source], ids[e.target], e["weight"]) for e in other.es] == list(one.edges(data="weight"))
    assert other["run"] == "r"


def test_scipy_gets_a_matrix_in_the_order_of_the_ids() -> None:
    network = _network()
    matrix = network.adjacency()
    assert network.ids.tolist() == [1, 2, LONELY, HUGE]
    assert matrix.toarray().tolist() == [[0, 3, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]


def test_a_network_without_edges_is_a_graph_without_nodes() -> None:
    network = Network.of_edges(Edges.empty())
    assert (len(network), len(network.ids)) == (0, 0)
    assert network.to_networkx().number_of_nodes() == network.to_igraph().vcount() == 0
    assert network.adjacency().shape == (0, 0)


def test_without_igraph_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "igraph", None)
    with pytest.raises(MissingLibraryError, match=r"connectome-em\[graph\]"):
        _network().to_igraph()


def test_a_synapse_graph_holds_one_edge_a_synapse_under_its_cleft_id() -> None:
    rows = synapses(
        [
            synapse(11, 1, 2, 0.25, 7, (30.0, 20.0, 10.0)),
            synapse(12, 1, 2),
            synapse(12, 1, 2, float("nan")),
            synapse(12, 1, HUGE),
        ]
    )
    graph = synapse_graph(rows, _network())
    assert type(graph) is nx.MultiDiGraph
    assert sorted(graph.edges(keys=True)) == sorted(
        [("1", "2", "11"), ("1", "2", "12"), ("1", "2", "12.2"), ("1", str(HUGE), "12")]
    )
    assert graph.edges["1", "2", "11"] == {
        "weight": 1,
        "cleft_id": "11",
        "confidence": 0.25,
        "size_voxels": 7,
        "x_nm": 10.0,
        "y_nm": 20.0,
        "z_nm": 30.0,
    }
    assert "confidence" not in graph.edges["1", "2", "12.2"]
