"""The cleft of each annotated pair of partners: CREMI files don't tell."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

Distances = Sequence[Mapping[int, float]]


def match_clefts(distances: Distances) -> list[int | None]:
    """The cleft of each pair.

    One to one, greedily: the nearest free pair and cleft first, ties by pair, then by cleft. (This doesn't always give
    the most pairs a cleft of their own.) A pair whose every cleft in reach went to others shares the nearest one with
    them (a polyadic cleft). None where no cleft is in reach.

    Args:
        distances: for each pair, the distance in nm from its midpoint to each cleft in reach.
    """
    queue = [(nm, pair, cleft) for pair, reach in enumerate(distances) for cleft, nm in reach.items()]
    heapq.heapify(queue)
    found: list[int | None] = [None] * len(distances)
    taken: set[int] = set()
    while queue:
        _, pair, cleft = heapq.heappop(queue)
        if found[pair] is None and cleft not in taken:
            found[pair] = cleft
            taken.add(cleft)
    for pair, reach in enumerate(distances):
        if found[pair] is None and reach:
            found[pair] = min(reach, key=lambda cleft, reach=reach: (reach[cleft], cleft))  # type: ignore[misc]
    return found
