"""A graph in a page of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.graph.network import Network

Triple = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How values are distributed."""

    mean: float
    median: float
    percentile_95: float
    largest: int


@dataclass(frozen=True, kw_only=True)
class GraphSummary:
    """What a person wants to know of a graph first.

    Attributes:
        nodes: neurons with at least one synapse in the graph.
        edges: ordered (pre, post) with at least one synapse, autapses included.
        synapses: synapses of all edges.
        autapses: edges from a neuron to itself; all that follows up to the components leaves them out.
        density: edges over ordered pairs of two neurons.
        reciprocal_pairs: unordered pairs of two neurons with edges both ways.
        reciprocity: share of the edges whose opposite is there too.
        weak_components, largest_weak: components whatever the direction, and the neurons of the largest.
        strong_components, largest_strong: components in which every neuron reaches every other.
        without_input, without_output: neurons that nobody sends to, or that send to nobody, autapses included.
        in_degree, out_degree: partners of a neuron.
        weight: synapses of an edge.
        top_edges: (pre, post, synapses), most synapses first, then by id.
    """

    nodes: int
    edges: int
    synapses: int
    autapses: int
    density: float
    reciprocal_pairs: int
    reciprocity: float
    weak_components: int
    largest_weak: int
    strong_components: int
    largest_strong: int
    without_input: int
    without_output: int
    in_degree: Spread
    out_degree: Spread
    weight: Spread
    top_edges: tuple[Triple, ...]


def summarise(network: Network, top: int = 10) -> GraphSummary:
    """Sum up a network.

    Args:
        network: the network.
        top: how many edges to list.
    """
    size = len(network.ids)
    own = network.pre == network.post
    autapses = int(own.sum())
    pairs = len(network) - autapses
    mutual = int(mutual_edges(network).sum())
    weak, strong = (component_sizes(network, strong=strong) for strong in (False, True))
    received, sent = (np.bincount(places, minlength=size) for places in (network.post, network.pre))
    order = np.lexsort((network.post, network.pre, -network.synapse_count))[:top]
    return GraphSummary(
        nodes=size,
        edges=len(network),
        synapses=int(network.synapse_count.sum()),
        autapses=autapses,
        density=pairs / (size * (size - 1)) if size > 1 else 0.0,
        reciprocal_pairs=mutual // 2,
        reciprocity=mutual / pairs if pairs else 0.0,
        weak_components=len(weak),
        largest_weak=int(weak.max(initial=0)),
        strong_components=len(strong),
        largest_strong=int(strong.max(initial=0)),
        without_input=int((received == 0).sum()),
        without_output=int((sent == 0).sum()),
        in_degree=_spread(received),
        out_degree=_spread(sent),
        weight=_spread(network.synapse_count),
        top_edges=tuple(
            (str(network.ids[network.pre[i]]), str(network.ids[network.post[i]]), int(network.synapse_count[i]))
            for i in order
        ),
    )


def mutual_edges(network: Network) -> NDArray[np.bool_]:
    """Which edges have their opposite in the network; autapses don't."""
    size = len(network.ids)
    forth, back = network.pre * size + network.post, network.post * size + network.pre
    found = np.isin(forth, back, assume_unique=True)
    return np.asarray(found & (network.pre != network.post))


def component_sizes(network: Network, *, strong: bool) -> NDArray[np.int64]:
    """The number of neurons that each component has."""
    return np.bincount(component_numbers(network, strong=strong), minlength=0)


def component_numbers(network: Network, *, strong: bool) -> NDArray[np.int64]:
    """The component of each neuron: 0 is the largest; of equal ones first the one with the smallest id."""
    from scipy.sparse.csgraph import connected_components

    if not len(network.ids):
        return np.zeros(0, np.int64)
    _, found = connected_components(network.adjacency(), connection="strong" if strong else "weak")
    _, first, sizes = np.unique(found, return_index=True, return_counts=True)
    rank = np.empty(len(sizes), np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return rank[found]


def _spread(values: NDArray[np.int64]) -> Spread:
    if not len(values):
        return Spread(mean=0.0, median=0.0, percentile_95=0.0, largest=0)
    return Spread(
        mean=float(values.mean()),
        median=float(np.median(values)),
        percentile_95=float(np.percentile(values, 95)),
        largest=int(values.max()),
    )
