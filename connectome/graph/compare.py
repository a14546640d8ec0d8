"""Two networks of the same neurons: edges gained, lost and changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.graph.measures import Columns
from connectome.graph.network import Network


@dataclass(frozen=True, kw_only=True)
class GraphComparison:
    """How two networks differ.

    Attributes:
        first_edges, second_edges, first_synapses, second_synapses: of each.
        neurons_lost, neurons_gained: those of the first alone, and of the second alone.
        lost, gained: edges of the first alone, and of the second alone.
        changed, same: edges of both, of other and of the same numbers of synapses.
        synapses_lost, synapses_gained: in edges lost and gained.
        jaccard: edges of both over edges of either; None where there are none.
        correlation, rank_correlation: Pearson's and Spearman's, of the synapses of edges of either, 0 where one has
            none; None where one doesn't vary.
        common_correlation: Pearson's of the edges of both.
        edges: pre_id, post_id, first_synapses, second_synapses of all edges that differ, the largest change first.
    """

    first_edges: int
    second_edges: int
    first_synapses: int
    second_synapses: int
    neurons_lost: int
    neurons_gained: int
    lost: int
    gained: int
    changed: int
    same: int
    synapses_lost: int
    synapses_gained: int
    jaccard: float | None
    correlation: float | None
    rank_correlation: float | None
    common_correlation: float | None
    edges: Columns


def compare(first: Network, second: Network) -> GraphComparison:
    """Compare two networks whose ids mean the same neurons."""
    pairs, counts = _joined(first, second)
    one, other = counts
    lost, gained = other == 0, one == 0
    both = ~lost & ~gained
    changed = both & (one != other)
    differ = np.flatnonzero(one != other)
    order = differ[np.lexsort((pairs[differ, 1], pairs[differ, 0], -np.abs(one - other)[differ]))]
    return GraphComparison(
        first_edges=len(first),
        second_edges=len(second),
        first_synapses=int(one.sum()),
        second_synapses=int(other.sum()),
        neurons_lost=len(np.setdiff1d(first.ids, second.ids)),
        neurons_gained=len(np.setdiff1d(second.ids, first.ids)),
        lost=int(lost.sum()),
        gained=int(gained.sum()),
        changed=int(changed.sum()),
        same=int((both & ~changed).sum()),
        synapses_lost=int(one[lost].sum()),
        synapses_gained=int(other[gained].sum()),
        jaccard=float(both.sum() / len(both)) if len(both) else None,
        correlation=_correlation(one, other),
        rank_correlation=_rank_correlation(one, other),
        common_correlation=_correlation(one[both], other[both]),
        edges={
            "pre_id": pairs[order, 0].tolist(),
            "post_id": pairs[order, 1].tolist(),
            "first_synapses": one[order].tolist(),
            "second_synapses": other[order].tolist(),
        },
    )


def _joined(first: Network, second: Network) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of either, int64 (n, 2), and their synapses in both, int64 (2, n)."""
    rows = [np.stack([one.ids[one.pre], one.ids[one.post]], 1) for one in (first, second)]
    pairs, place = np.unique(np.concatenate(rows), axis=0, return_inverse=True)
    counts = np.zeros((2, len(pairs)), np.int64)
    place = place.ravel()
    counts[0, place[: len(first)]] = first.synapse_count
    counts[1, place[len(first) :]] = second.synapse_count
    return pairs, counts


def _correlation(one: NDArray[Any], other: NDArray[Any]) -> float | None:
    if len(one) < 2 or one.min() == one.max() or other.min() == other.max():
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _rank_correlation(one: NDArray[np.int64], other: NDArray[np.int64]) -> float | None:
    if not len(one):
        return None
    from scipy.stats import rankdata

    return _correlation(rankdata(one), rankdata(other))
