"""A graph in a page of numbers."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tables import edges

from connectome.graph.network import Network
from connectome.graph.summary import Spread, summarise
from connectome.records import Edges

PAIRS = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), max_size=30)


def network_of(pairs: list[tuple[int, int]]) -> Network:
    return Network.of_edges(edges((pre, post, pairs.count((pre, post)), 1, 0.5) for pre, post in set(pairs)))


def test_a_hand_made_graph_is_summed_up() -> None:
    found = summarise(network_of([(1, 2), (1, 2), (2, 1), (3, 3), (10, 4), (4, 5), (5, 6)]), top=2)
    assert (found.nodes, found.edges, found.synapses, found.autapses) == (7 + 0, 6, 7, 1)
    assert (found.reciprocal_pairs, found.reciprocity) == (1, 2 / 5)
    assert (found.weak_components, found.largest_weak) == (3, 4)
    assert (found.strong_components, found.largest_strong) == (6, 2)
    assert (found.without_input, found.without_output) == (1, 1)
    assert found.weight == Spread(mean=7 / 6, median=1.0, percentile_95=1.75, largest=2)
    assert found.top_edges == (("1", "2", 2), ("2", "1", 1))


def test_edges_of_the_same_count_are_listed_by_number_not_by_text() -> None:
    found = summarise(network_of([(10, 1), (9, 1), (9, 10), (9, 2)]))
    assert [edge[:2] for edge in found.top_edges] == [("9", "1"), ("9", "2"), ("9", "10"), ("10", "1")]


def test_an_empty_graph_is_all_zeros() -> None:
    found = summarise(Network.of_edges(Edges.empty()))
    assert (found.nodes, found.edges, found.synapses, found.density, found.reciprocity) == (0, 0, 0, 0.0, 0.0)
    assert (found.weak_components, found.largest_strong, found.top_edges) == (0, 0, ())


@given(PAIRS)
def test_the_figures_are_those_of_networkx(pairs: list[tuple[int, int]]) -> None:
    found = summarise(network_of(pairs))
    graph = nx.DiGraph()
    graph.add_edges_from(pairs)
    assert (found.nodes, found.edges, found.synapses) == (len(graph), graph.number_of_edges(), len(pairs))
    assert found.autapses == nx.number_of_selfloops(graph)
    strong, weak = (
        sorted(map(len, parts(graph))) for parts in (nx.strongly_connected_components, nx.weakly_connected_components)
    )
    assert (found.strong_components, found.largest_strong) == (len(strong), max(strong, default=0))
    assert (found.weak_components, found.largest_weak) == (len(weak), max(weak, default=0))
    assert found.in_degree.largest == max((d for _, d in graph.in_degree), default=0)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    if graph.number_of_edges():
        assert np.isclose(found.reciprocity, nx.overall_reciprocity(graph))
        assert np.isclose(found.density, nx.density(graph))
