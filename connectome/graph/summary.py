"""A graph in a few numbers."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass

import networkx as nx

from connectome.graph.build import ConnectomeGraph

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class GraphSummary:
    """What a person wants to know of a graph first.

    Attributes:
        nodes: segments with at least one synapse in the graph.
        edges: ordered (pre, post) with at least one synapse, autapses included.
        synapses: synapses of all edges.
        reciprocal_pairs: unordered pairs of two segments with edges both ways.
        autapses: edges from a segment to itself.
        largest_component: nodes of the largest weakly connected component.
        top_edges: (pre, post, synapses), most synapses first, then by id.
    """

    nodes: int
    edges: int
    synapses: int
    reciprocal_pairs: int
    autapses: int
    largest_component: int
    top_edges: tuple[tuple[str, str, int], ...]


def summarise(graph: ConnectomeGraph, top: int = 10) -> GraphSummary:
    """Sum up a graph of `edge_graph` or `synapse_graph`; both of the same synapses give the same summary.

    Args:
        graph: the graph.
        top: how many edges to list.
    """
    counts: Counter[Pair] = Counter()
    for pre, post, synapse_count in graph.edges(data="synapse_count", default=1):
        counts[pre, post] += synapse_count
    ranked = heapq.nsmallest(top, counts.items(), key=lambda item: (-item[1], _by_number(item[0])))
    return GraphSummary(
        nodes=graph.number_of_nodes(),
        edges=len(counts),
        synapses=counts.total(),
        reciprocal_pairs=sum(pre != post and (post, pre) in counts for pre, post in counts) // 2,
        autapses=sum(pre == post for pre, post in counts),
        largest_component=max((len(nodes) for nodes in nx.weakly_connected_components(graph)), default=0),
        top_edges=tuple((pre, post, count) for (pre, post), count in ranked),
    )


def _by_number(pair: Pair) -> tuple[int, int]:
    return int(pair[0]), int(pair[1])
