"""A graph in a few numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tables import edges, synapse, synapses

from connectome.graph.build import edge_graph, synapse_graph
from connectome.graph.summary import GraphSummary, summarise
from connectome.records import Edges, Synapses

PAIRS = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), max_size=30)


def _edges(pairs: list[tuple[int, int]]) -> Edges:
    return edges((pre, post, pairs.count((pre, post)), 1, 0.5) for pre, post in set(pairs))


def _synapses(pairs: list[tuple[int, int]]) -> Synapses:
    return synapses(synapse(i, pre, post) for i, (pre, post) in enumerate(pairs, 1))


def test_a_hand_made_graph_is_summed_up() -> None:
    pairs = [(1, 2), (1, 2), (2, 1), (3, 3), (10, 4), (4, 5), (5, 6)]
    assert summarise(edge_graph(_edges(pairs)), top=2) == GraphSummary(
        nodes=7,
        edges=6,
        synapses=7,
        reciprocal_pairs=1,
        autapses=1,
        largest_component=4,
        top_edges=(("1", "2", 2), ("2", "1", 1)),
    )


def test_edges_of_the_same_count_are_listed_by_number_not_by_text() -> None:
    pairs = [(10, 1), (9, 1), (9, 10), (9, 2)]
    assert [edge[:2] for edge in summarise(edge_graph(_edges(pairs))).top_edges] == [
        ("9", "1"),
        ("9", "2"),
        ("9", "10"),
        ("10", "1"),
    ]


def test_an_empty_graph_is_all_zeros() -> None:
    assert summarise(edge_graph(Edges.empty())) == GraphSummary(
        nodes=0, edges=0, synapses=0, reciprocal_pairs=0, autapses=0, largest_component=0, top_edges=()
    )


@given(PAIRS)
def test_both_kinds_of_graph_have_the_same_summary(pairs: list[tuple[int, int]]) -> None:
    summary = summarise(edge_graph(_edges(pairs)))
    assert summary == summarise(synapse_graph(_synapses(pairs)))
    assert summary.synapses == len(pairs)
