"""Measures of a network, against networkx and by hand."""

from __future__ import annotations

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import edges

from connectome.errors import ConfigError, InputError
from connectome.graph.census import SHAPES, TRIADS, census, triads
from connectome.graph.compare import compare
from connectome.graph.measures import (
    Cost,
    HubOrder,
    communities,
    components,
    hubs,
    layers,
    pagerank,
    path,
    rewired,
    rich_club,
    without_autapses,
)
from connectome.graph.network import Network
from connectome.records import Edges

PAIRS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=45)
EMPTY = Network.of_edges(Edges.empty())


def network_of(weights: dict[tuple[int, int], int]) -> Network:
    return Network.of_edges(edges((pre, post, count, 1, 0.5) for (pre, post), count in weights.items()))


def random_network(nodes: int = 40, count: int = 300, seed: int = 1) -> Network:
    random = np.random.default_rng(seed)
    pairs = random.integers(1, nodes + 1, (count, 2)).tolist()
    return network_of({(pre, post): int(random.integers(1, 9)) for pre, post in pairs})


def digraph(network: Network) -> nx.DiGraph:
    graph = network.to_networkx()
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


@given(PAIRS)
def test_the_census_is_that_of_networkx(pairs: list[tuple[int, int]]) -> None:
    network = network_of(dict.fromkeys(pairs, 1))
    graph = digraph(network)
    places = {node: i for i, node in enumerate(graph)}
    ends = np.array([(places[a], places[b]) for a, b in graph.edges], np.int64).reshape(-1, 2)
    if len(graph) > 2:
        assert triads(len(graph), *ends.T) == nx.triadic_census(graph)


@pytest.mark.parametrize("name", TRIADS)
def test_the_shape_of_each_triad_is_drawn_right(name: str) -> None:
    graph = nx.DiGraph()
    graph.add_nodes_from("ABC")
    for part in SHAPES[name].split():
        letters = [letter for letter in part if letter in "ABC"]
        marks = part.replace("<->", "=").replace("->", ">").replace("<-", "<")[1::2]
        for a, b, mark in zip(letters, letters[1:], marks, strict=False):
            graph.add_edges_from({"=": [(a, b), (b, a)], ">": [(a, b)], "<": [(b, a)]}[mark])
    assert nx.triadic_census(graph)[name] == 1


def test_rewiring_keeps_how_many_inputs_and_outputs_each_neuron_has_and_a_seed_repeats_it() -> None:
    graph = without_autapses(random_network())
    first, second = (list(rewired(graph, 3, 5)) for _ in range(2))
    assert [one.get_edgelist() for one in first] == [one.get_edgelist() for one in second]
    for one in first:
        assert (one.indegree(), one.outdegree()) == (graph.indegree(), graph.outdegree())
        assert one.is_simple() and sorted(one.get_edgelist()) != sorted(graph.get_edgelist())


def test_a_motif_that_was_put_in_stands_out_of_the_census() -> None:
    weights = {}
    for first in range(1, 90, 3):
        weights |= {(first, first + 1): 1, (first + 1, first + 2): 1, (first + 2, first): 1}
    found = census(network_of(weights), nulls=10)
    rows = dict(zip(found["triad"], zip(found["count"], found["z"], strict=True), strict=True))
    assert rows["030C"][0] == 30 and rows["030C"][1] > 5
    assert rows["300"] == (0, None)
    with pytest.raises(ConfigError, match="standard deviation"):
        census(network_of(weights), nulls=1)


def test_the_census_of_an_empty_graph_is_zero() -> None:
    assert set(census(EMPTY, nulls=2)["count"]) == {0}


@given(PAIRS)
def test_pagerank_is_that_of_networkx(pairs: list[tuple[int, int]]) -> None:
    network = network_of({pair: pairs.count(pair) for pair in pairs})
    if pairs:
        expected = nx.pagerank(network.to_networkx(), weight="weight", tol=1e-12, max_iter=1000)
        assert np.allclose(pagerank(network), [expected[str(one)] for one in network.ids], atol=1e-9)


def test_hubs_are_ordered_by_what_is_asked() -> None:
    network = network_of({(1, 2): 9, (3, 4): 1, (3, 5): 1, (3, 6): 1})
    assert hubs(network, limit=2)["neuron_id"] == [1, 2]
    by_partners = hubs(network, HubOrder.PARTNERS, 1)
    assert (by_partners["neuron_id"], by_partners["out_partners"], by_partners["out_synapses"]) == ([3], [3], [3])
    assert hubs(network, HubOrder.PAGERANK, 1)["neuron_id"] == [2]
    assert hubs(EMPTY)["neuron_id"] == []


def test_components_are_numbered_by_their_size() -> None:
    found = components(network_of({(1, 1): 1, (2, 3): 1, (3, 2): 1, (3, 4): 1}))
    assert found["weak_component"] == [2, 1, 1, 1] and found["weak_size"] == [1, 3, 3, 3]
    assert found["strong_component"] == [2, 1, 1, 3] and found["strong_size"] == [1, 2, 2, 1]


def test_the_flow_of_a_chain_goes_down_one_layer_an_edge() -> None:
    found = layers(network_of({(7, 5): 4, (5, 9): 1, (2, 1): 3, (4, 4): 1}))
    assert found["neuron_id"] == [7, 5, 9, 2, 1, 4]
    assert np.allclose(found["flow"], [1, 0, -1, 0.5, -0.5, 0])
    assert layers(EMPTY)["flow"] == []


def test_the_flow_is_the_solution_by_the_pseudoinverse() -> None:
    network = random_network()
    forth = network.adjacency().toarray().astype(float)
    both = (forth + forth.T) / 2
    np.fill_diagonal(both, 0)
    laplacian = np.diag(both.sum(axis=1)) - both
    expected = np.linalg.pinv(laplacian) @ (both * np.sign(forth - forth.T)).sum(axis=1)
    found = layers(network)
    order = np.searchsorted(network.ids, found["neuron_id"])
    assert np.allclose(found["flow"], expected[order], atol=1e-6)


@given(PAIRS, st.sampled_from(list(Cost)))
def test_the_cheapest_path_costs_what_networkx_says(pairs: list[tuple[int, int]], cost: Cost) -> None:
    pairs = [*pairs, (1, 2), (8, 9)]
    network = network_of({pair: pairs.count(pair) for pair in pairs})
    graph = network.to_networkx()
    received = dict(graph.in_degree(weight="weight"))
    for _, post, data in graph.edges(data=True):
        share = data["weight"] / received[post]
        data["cost"] = {Cost.HOPS: 1, Cost.SYNAPSES: 1 / data["weight"], Cost.FRACTION: -np.log(share)}[cost]
    found = path(network, 1, 9, cost)
    if nx.has_path(graph, "1", "9"):
        assert (found["pre_id"][0], found["post_id"][-1]) == (1, 9)
        assert found["pre_id"][1:] == found["post_id"][:-1]
        assert np.isclose(found["total_cost"][-1], nx.dijkstra_path_length(graph, "1", "9", weight="cost"))
    else:
        assert found["step"] == []


def test_a_path_from_a_neuron_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="77 has no edge"):
        path(network_of({(1, 2): 1}), 77, 2)


def test_communities_are_the_groups_that_were_made() -> None:
    groups = [range(1, 9), range(11, 17)]
    weights = {(a, b): 5 for group in groups for a in group for b in group if a != b} | {(1, 11): 1}
    found, modularity = communities(network_of(weights))
    assert found["neuron_id"] == [*groups[0], *groups[1]]
    assert found["community"] == [1] * 8 + [2] * 6 and found["size"] == [8] * 8 + [6] * 6
    assert modularity > 0.4
    assert communities(EMPTY) == ({"neuron_id": [], "community": [], "size": []}, 0.0)


def test_communities_and_the_rich_club_are_repeated_by_their_seed() -> None:
    network = random_network()
    assert communities(network, seed=3) == communities(network, seed=3)
    assert rich_club(network, 4, seed=3) == rich_club(network, 4, seed=3)


def test_the_rich_club_is_the_density_among_neurons_of_many_partners() -> None:
    network = random_network()
    found = rich_club(network, nulls=5)
    graph = digraph(network)
    for k, neurons, count, phi in zip(
        found["partners_above"], found["neurons"], found["edges"], found["phi"], strict=True
    ):
        inside = graph.subgraph([node for node, degree in graph.degree if degree > k])
        assert (neurons, count) == (len(inside), inside.number_of_edges())
        assert phi is None or np.isclose(phi, nx.density(inside))
    assert rich_club(EMPTY)["phi"] == []


def test_a_comparison_counts_what_was_gained_lost_and_changed() -> None:
    first = network_of({(1, 2): 5, (2, 3): 2, (3, 1): 1})
    second = network_of({(1, 2): 5, (2, 3): 4, (3, 4): 7})
    found = compare(first, second)
    assert (found.same, found.changed, found.lost, found.gained) == (1, 1, 1, 1)
    assert (found.synapses_lost, found.synapses_gained) == (1, 7)
    assert (found.neurons_lost, found.neurons_gained, found.jaccard) == (0, 1, 0.5)
    assert found.correlation is not None
    assert np.isclose(found.correlation, np.corrcoef([5, 2, 0, 1], [5, 4, 7, 0])[0, 1])
    assert found.edges == {
        "pre_id": [3, 2, 3],
        "post_id": [4, 3, 1],
        "first_synapses": [0, 2, 1],
        "second_synapses": [7, 4, 0],
    }


def test_a_comparison_of_equal_or_empty_networks_has_no_difference() -> None:
    network = random_network()
    same = compare(network, network)
    assert (same.lost, same.gained, same.changed, same.jaccard) == (0, 0, 0, 1.0)
    assert same.correlation == pytest.approx(1.0) and same.edges["pre_id"] == []
    assert compare(EMPTY, EMPTY).jaccard is None


def test_igraphs_own_generator_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    random.seed(1)
    communities(random_network())
    state = random.getstate()
    igraph.Graph.Erdos_Renyi(5, m=4)
    assert random.getstate() != state, "igraph draws from Python's generator again"
