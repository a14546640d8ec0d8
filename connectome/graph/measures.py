"""Measures of a network: degrees, hubs, layers, the rich club, communities, paths. Tables are columns by name."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import InputError
from connectome.graph.network import Network, igraph_module
from connectome.graph.summary import component_numbers

if TYPE_CHECKING:
    import igraph

Columns = dict[str, list[Any]]
DAMPING = 0.85  # of PageRank, as Brin and Page chose it
FLAT = 1e-10  # the layers of a component are found to this share


class Cost(StrEnum):
    """What a step of a path costs: of the fewest, of the strongest, or of the largest product of input fractions."""

    HOPS = "hops"
    SYNAPSES = "synapses"
    FRACTION = "fraction"


class HubOrder(StrEnum):
    """What hubs are ordered by."""

    SYNAPSES = "synapses"
    PARTNERS = "partners"
    PAGERANK = "pagerank"


def degrees(network: Network) -> dict[str, NDArray[np.int64]]:
    """Of each neuron: in_partners, out_partners, in_synapses, out_synapses, int64 (n,), autapses included."""
    size = len(network.ids)
    counts = {}
    for side, places in (("in", network.post), ("out", network.pre)):
        counts[f"{side}_partners"] = np.bincount(places, minlength=size)
        counts[f"{side}_synapses"] = np.bincount(places, network.synapse_count, minlength=size).astype(np.int64)
    return counts


def hubs(network: Network, order: HubOrder = HubOrder.SYNAPSES, limit: int = 20) -> Columns:
    """The neurons of the most synapses, partners or PageRank, with all three."""
    found: dict[str, NDArray[Any]] = {**degrees(network), "pagerank": pagerank(network)}
    both = {name: found[f"in_{name}"] + found[f"out_{name}"] for name in ("synapses", "partners")}
    ranked = found["pagerank"] if order is HubOrder.PAGERANK else both[order.value]
    chosen = np.lexsort((network.ids, -ranked))[:limit]
    return _neurons(network, chosen, {name: values[chosen].tolist() for name, values in found.items()})


def pagerank(network: Network) -> NDArray[np.float64]:
    """PageRank weighted by synapses: float64 (n,), of sum 1."""
    size = len(network.ids)
    if not size:
        return np.zeros(0)
    sent = np.bincount(network.pre, network.synapse_count, minlength=size)
    share = network.synapse_count / sent[network.pre]
    rank = np.full(size, 1 / size)
    for _ in range(500):
        passed = np.bincount(network.post, share * rank[network.pre], minlength=size)
        new: NDArray[np.float64] = DAMPING * (passed + rank[sent == 0].sum() / size) + (1 - DAMPING) / size
        if np.abs(new - rank).sum() < 1e-12:
            return new
        rank = new
    return rank


def components(network: Network) -> Columns:
    """The weak and the strong component of each neuron, 1 the largest, and how many neurons they have."""
    weak, strong = (component_numbers(network, strong=strong) for strong in (False, True))
    columns = {
        "weak_component": (weak + 1).tolist(),
        "weak_size": np.bincount(weak)[weak].tolist(),
        "strong_component": (strong + 1).tolist(),
        "strong_size": np.bincount(strong)[strong].tolist(),
    }
    return _neurons(network, np.arange(len(network.ids)), columns)


def layers(network: Network) -> Columns:
    """How early each neuron lies in the flow from inputs to outputs: the highest first.

    `flow` is the solution of L z = b of Carmel, Harel and Koren (2004), as Varshney et al. (2011) use it for C.
    elegans: L is the Laplacian of the symmetric weights w = (A + A^T) / 2, b_i = sum_j w_ij sign(A_ij - A_ji), and the
    mean over each weak component is 0. An edge that alone connects two neurons goes one layer down.
    """
    flow = signal_flow(network)
    weak = component_numbers(network, strong=False)
    order = np.lexsort((network.ids, -flow.round(9), weak))
    columns = {"flow": flow[order].round(9).tolist(), "weak_component": (weak[order] + 1).tolist()}
    return _neurons(network, order, columns)


def signal_flow(network: Network) -> NDArray[np.float64]:
    """The flow of `layers`: float64 (n,)."""
    from scipy.sparse import csr_array, diags_array
    from scipy.sparse.linalg import spsolve

    size = len(network.ids)
    flow = np.zeros(size)
    forth = network.adjacency().astype(np.float64)
    both = csr_array((forth + forth.T) / 2)
    both.setdiag(0)
    both.eliminate_zeros()
    direction = csr_array(forth - forth.T).sign()
    pull: NDArray[np.float64] = np.asarray((both * direction).sum(axis=1), np.float64).ravel()
    laplacian = csr_array(diags_array(np.asarray(both.sum(axis=1)).ravel()) - both)
    weak = component_numbers(network, strong=False)
    for number in range(int(weak.max(initial=-1)) + 1):
        places = np.flatnonzero(weak == number)
        if len(places) == 1:
            break  # the others are no larger
        inner = places[1:]  # the first is held at 0: the rest of L has full rank
        part = laplacian[inner][:, inner].tocsc()
        flow[inner] = _solved(part, pull[inner]) if len(inner) > 2000 else spsolve(part, pull[inner])
        flow[places] -= flow[places].mean()
    return flow


def _solved(matrix: Any, right: NDArray[np.float64]) -> NDArray[np.float64]:
    """A large system by conjugate gradients: filling in would take the memory of a dense matrix."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import cg

    found, _ = cg(matrix, right, rtol=FLAT, maxiter=20_000, M=diags_array(1 / matrix.diagonal()))
    return np.asarray(found)


def path(network: Network, source: int, target: int, cost: Cost = Cost.SYNAPSES) -> Columns:
    """The cheapest path from one neuron to another, one row a step; no row where there is none.

    A step costs 1, 1 / synapses, or -log(its share of what its target receives in the network).

    Raises:
        InputError: a neuron isn't in the network.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    start, end = (_place(network, neuron) for neuron in (source, target))
    count = network.synapse_count.astype(np.float64)
    received = np.bincount(network.post, count, minlength=len(network.ids))[network.post]
    costs = {Cost.HOPS: np.ones(len(network)), Cost.SYNAPSES: 1 / count, Cost.FRACTION: -np.log(count / received)}[cost]
    size = len(network.ids)
    # scipy takes an explicit 0, that of a neuron's only input, for no edge
    costs = np.maximum(costs, np.finfo(float).tiny)
    weights: csr_array[np.float64] = csr_array((costs, (network.pre, network.post)), shape=(size, size))
    (distance,), (before,) = dijkstra(weights, indices=[start], return_predecessors=True)
    steps = [end]
    while start != end and np.isfinite(distance[end]) and steps[-1] != start:
        steps.append(int(before[steps[-1]]))
    steps.reverse()
    pairs = list(itertools.pairwise(steps))
    edges = [int(np.flatnonzero((network.pre == pre) & (network.post == post))[0]) for pre, post in pairs]
    return {
        "step": list(range(1, len(pairs) + 1)),
        "pre_id": [int(network.ids[pre]) for pre, _ in pairs],
        "pre_name": [network.names[pre] for pre, _ in pairs],
        "post_id": [int(network.ids[post]) for _, post in pairs],
        "post_name": [network.names[post] for _, post in pairs],
        "synapse_count": [int(network.synapse_count[edge]) for edge in edges],
        "input_fraction": [float(count[edge] / received[edge]) for edge in edges],
        "total_cost": [float(distance[post]) for _, post in pairs],
    }


def communities(network: Network, resolution: float = 1.0, seed: int = 0) -> tuple[Columns, float]:
    """The community of each neuron, 1 the largest, and the modularity of the division.

    Leiden's algorithm (Traag, Waltman and van Eck 2019) on the synapses between two neurons, both ways added up.

    Args:
        network: the network.
        resolution: above 1 communities are smaller, below larger.
        seed: same seed, same communities.

    Raises:
        MissingLibraryError: igraph isn't installed.
    """
    ours = network.pre != network.post
    ends = np.sort(np.stack([network.pre[ours], network.post[ours]], 1), axis=1)
    pairs, which = np.unique(ends, axis=0, return_inverse=True)
    weights = np.bincount(which.ravel(), network.synapse_count[ours], minlength=len(pairs))
    graph = igraph_module().Graph(n=len(network.ids), edges=pairs.tolist())
    with _seeded(seed):
        found = graph.community_leiden("modularity", weights.tolist(), resolution=resolution, n_iterations=-1)
    raw = np.array(found.membership, np.int64)
    _, first, sizes = np.unique(raw, return_index=True, return_counts=True)
    rank = np.empty(len(sizes), np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    number = rank[raw]
    order = np.lexsort((network.ids, number))
    columns = {"community": (number[order] + 1).tolist(), "size": np.bincount(number)[number][order].tolist()}
    quality = graph.modularity(found.membership, weights.tolist(), resolution=resolution) if len(pairs) else 0.0
    return _neurons(network, order, columns), float(quality)


def rich_club(network: Network, nulls: int = 20, seed: int = 0) -> Columns:
    """Whether neurons of many partners are connected more than their numbers of partners make them be.

    phi(k) is the density among the neurons of more than k partners, inputs and outputs added up, autapses left out;
    it is compared with networks whose edges were rewired, each neuron keeping how many inputs and outputs it has
    (Colizza et al. 2006; for C. elegans Towlson et al. 2013).

    Raises:
        MissingLibraryError: igraph isn't installed.
    """
    graph = without_autapses(network)
    degree = np.array(graph.degree(), np.int64)
    levels = np.unique(degree)[:-1]
    neurons = np.array([(degree > k).sum() for k in levels], np.int64)
    possible = neurons * (neurons - 1)
    own = _inside(graph, degree, levels)
    random_ones = np.array([_inside(one, degree, levels) for one in rewired(graph, nulls, seed)])
    mean = random_ones.reshape(nulls, len(levels)).mean(axis=0)
    spread = random_ones.reshape(nulls, len(levels)).std(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "phi": own / possible,
            "phi_random": mean / possible,
            "ratio": own / mean,
            "z": (own - mean) / spread,
        }
    numbers = {name: [float(v) if np.isfinite(v) else None for v in values] for name, values in columns.items()}
    return {"partners_above": levels.tolist(), "neurons": neurons.tolist(), "edges": own.tolist(), **numbers}


def _inside(graph: igraph.Graph, degree: NDArray[np.int64], levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many edges have both ends above each level."""
    ends = np.array(graph.get_edgelist(), np.int64).reshape(-1, 2)
    lower = np.sort(degree[ends].min(axis=1))
    return len(lower) - np.searchsorted(lower, levels, side="right")


def rewired(graph: igraph.Graph, count: int, seed: int) -> Iterator[igraph.Graph]:
    """Random graphs in which each node has as many inputs and outputs as in `graph`, which has no loops.

    Each is made by ten times as many swaps of two edges' targets as there are edges.
    """
    with _seeded(seed):
        for _ in range(count):
            one = graph.copy()
            one.rewire(10 * graph.ecount())
            yield one


def without_autapses(network: Network) -> igraph.Graph:
    """The edges between two neurons for igraph, nodes in the order of the network's."""
    ours = network.pre != network.post
    ends = np.stack([network.pre[ours], network.post[ours]], 1)
    return igraph_module().Graph(n=len(network.ids), edges=ends.tolist(), directed=True)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let igraph draw from a generator of this seed."""
    module = igraph_module()
    module.set_random_number_generator(random.Random(seed))
    try:
        yield
    finally:
        module.set_random_number_generator(random)


def _place(network: Network, neuron: int) -> int:
    place = int(np.searchsorted(network.ids, neuron))
    if place == len(network.ids) or network.ids[place] != neuron:
        raise InputError(f"{neuron} has no edge in this part of the connectome")
    return place


def _neurons(network: Network, order: NDArray[np.int64] | Sequence[int], columns: Columns) -> Columns:
    """Columns of neurons, beginning with who they are: id, name and type where they are annotated."""
    places = [int(place) for place in order]
    told = {label: network.labels[label] for label in ("name", "type") if label in network.labels}
    known = {label: [values[place] for place in places] for label, values in told.items()}
    return {"neuron_id": [int(network.ids[place]) for place in places], **known, **columns}
