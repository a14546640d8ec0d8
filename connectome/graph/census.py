"""The census of triads: how often each way of connecting three neurons occurs, against random networks."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from connectome.errors import ConfigError
from connectome.graph.measures import Columns, rewired, without_autapses
from connectome.graph.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

TRIADS = (
    *("003", "012", "102", "021D", "021U", "021C", "111D", "111U"),
    *("030T", "030C", "201", "120D", "120U", "120C", "210", "300"),
)
"""Davis and Leinhardt's names (1972): mutual, one-way and absent edges, then their shape."""
EDGES = {name: (int(name[0]), int(name[1])) for name in TRIADS}
"""How many mutual and one-way edges each has."""
PAIRS_AT_ONCE = 50_000
SHAPES = {
    "003": "A  B  C",
    "012": "A->B  C",
    "102": "A<->B  C",
    "021D": "A<-B->C",
    "021U": "A->B<-C",
    "021C": "A->B->C",
    "111D": "A<->B<-C",
    "111U": "A<->B->C",
    "030T": "A->B<-C A->C",
    "030C": "A<-B<-C A->C",
    "201": "A<->B<->C",
    "120D": "A<-B->C A<->C",
    "120U": "A->B<-C A<->C",
    "120C": "A->B->C A<->C",
    "210": "A->B<->C A<->C",
    "300": "A<->B<->C A<->C",
}


def census(network: Network, nulls: int = 20, seed: int = 0) -> Columns:
    """How often each triad occurs, and in networks whose edges were rewired.

    In a rewired network each neuron has as many inputs and outputs as in this one; autapses are left out. `z` is the
    difference to their mean over their standard deviation, None where that is 0.

    Args:
        network: the network.
        nulls: how many networks are rewired; at least 2.
        seed: same seed, same figures.

    Returns:
        triad, shape, count, random_mean, random_sd, z, ratio; one row a triad.

    Raises:
        ConfigError: fewer than 2 random networks. MissingLibraryError: igraph isn't installed.
    """
    if nulls < 2:
        raise ConfigError(f"{nulls} random networks have no standard deviation: take 2 or more")
    graph = without_autapses(network)
    own, *others = (
        list(triads(len(network.ids), *np.array(one.get_edgelist(), np.int64).reshape(-1, 2).T).values())
        for one in itertools.chain([graph], rewired(graph, nulls, seed))
    )
    random_ones = np.array(others, np.float64)
    mean, spread = random_ones.mean(axis=0), random_ones.std(axis=0, ddof=1)
    known = spread > 0
    z = np.divide(np.array(own, np.float64) - mean, spread, out=np.zeros(len(TRIADS)), where=known)
    ratio = np.divide(np.array(own, np.float64), mean, out=np.zeros(len(TRIADS)), where=mean > 0)
    return {
        "triad": list(TRIADS),
        "shape": [SHAPES[name] for name in TRIADS],
        "count": own,
        "random_mean": mean.tolist(),
        "random_sd": spread.tolist(),
        "z": [float(one) if there else None for one, there in zip(z, known, strict=True)],
        "ratio": [float(one) if there else None for one, there in zip(ratio, mean > 0, strict=True)],
    }


def triads(size: int, pre: NDArray[np.int64], post: NDArray[np.int64]) -> dict[str, int]:
    """The census of a graph without autapses, exact whatever its size.

    Closed triads are counted edge by edge as common neighbours; the open ones follow from the degrees of their middle
    neurons, less those that are closed (Holland and Leinhardt 1976 count them likewise).

    Args:
        size: how many nodes.
        pre: int64 (m,), where each edge begins, from 0 to size - 1.
        post: where it ends; no edge twice.
    """
    mutual = np.isin(pre * size + post, post * size + pre, assume_unique=True)
    one_way, both = (_matrix(size, pre[chosen], post[chosen]) for chosen in (~mutual, mutual))
    back = one_way.T.tocsr()
    found = dict.fromkeys(TRIADS, 0)
    found["030T"] = _common(one_way, back, one_way)
    found["030C"] = _common(one_way, back, back) // 3
    found["120D"] = _common(back, back, both) // 2
    found["120U"] = _common(one_way, one_way, both) // 2
    found["120C"] = _common(one_way, back, both)
    found["210"] = _common(both, both, one_way)
    found["300"] = _common(both, both, both) // 6
    out, into, shared = (np.diff(matrix.indptr).astype(np.int64) for matrix in (one_way, back, both))
    closed = dict(found)
    found["021D"] = _pairs(out) - closed["030T"] - closed["120D"]
    found["021U"] = _pairs(into) - closed["030T"] - closed["120U"]
    found["021C"] = int((into * out).sum()) - closed["030T"] - 3 * closed["030C"] - closed["120C"]
    found["111D"] = int((shared * into).sum()) - 2 * closed["120D"] - closed["120C"] - closed["210"]
    found["111U"] = int((shared * out).sum()) - 2 * closed["120U"] - closed["120C"] - closed["210"]
    found["201"] = _pairs(shared) - closed["210"] - 3 * closed["300"]
    for name, kind, edges in (("102", 0, both.nnz // 2), ("012", 1, one_way.nnz)):
        found[name] = edges * (size - 2) - sum(EDGES[one][kind] * count for one, count in found.items())
    found["003"] = math.comb(size, 3) - sum(found.values())
    return found


def _matrix(size: int, pre: NDArray[np.int64], post: NDArray[np.int64]) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(pre), np.int64), (pre, post)), shape=(size, size))


def _common(one: csr_array, other: csr_array, pairs: csr_array) -> int:
    """How many nodes stand in row i of one matrix and row j of another, over all (i, j) that a third one has."""
    rows, columns = pairs.nonzero()
    steps = range(0, len(rows), PAIRS_AT_ONCE)
    parts = ((rows[i : i + PAIRS_AT_ONCE], columns[i : i + PAIRS_AT_ONCE]) for i in steps)
    return sum(int(one[first].multiply(other[second]).sum()) for first, second in parts)


def _pairs(counts: NDArray[np.int64]) -> int:
    return int((counts * (counts - 1) // 2).sum())
