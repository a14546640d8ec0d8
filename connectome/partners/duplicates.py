"""One synapse that the detector found in pieces: equal partners, clefts near each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from connectome.records import Synapses


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The decisions of merging, for each synapse.

    Attributes:
        kept: int64 (n,), position of the synapse that stands for it: its own where it stays.
        distance_nm: float64 (n,), from its cleft's centroid to that one's; in a chain it may exceed what was asked for.
    """

    kept: NDArray[np.int64]
    distance_nm: NDArray[np.float64]

    @property
    def stays(self) -> NDArray[np.bool_]:
        """Boolean (n,): which synapses stay."""
        stays: NDArray[np.bool_] = self.kept == np.arange(len(self.kept))
        return stays


def merge_duplicates(synapses: Synapses, distance_nm: float) -> Merged:
    """Merge synapses of the same pre and post whose clefts' centroids lie near each other.

    Two synapses are linked if they are at most `distance_nm` apart, and all that links connect are one synapse (single
    linkage: the same groups whatever the order). The one with the largest cleft stays, of equals the smaller cleft id.

    Args:
        synapses: all synapses of the pairs they belong to.
        distance_nm: 0 merges nothing.
    """
    n = len(synapses)
    everyone = np.arange(n)
    if n == 0 or distance_nm <= 0:
        return Merged(kept=everyone, distance_nm=np.zeros(n))
    links = _links(synapses, distance_nm)
    graph = coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(n, n))
    count, group = connected_components(graph, directed=False)
    order = np.lexsort((synapses.cleft_id, -synapses.size_voxels, group))
    first = np.full(count, n)
    np.minimum.at(first, group[order], everyone)
    kept = order[first[group]]
    apart = synapses.centroid_nm - synapses.centroid_nm[kept]
    return Merged(kept=kept, distance_nm=np.sqrt((apart**2).sum(1)))


def _links(synapses: Synapses, distance_nm: float) -> NDArray[np.int64]:
    """Positions (m, 2) of synapses with equal partners that are near each other.

    One tree holds the synapses of all pairs that have several; neighbours of other pairs are left out afterwards.
    """
    partners = np.stack([synapses.pre_segment_id, synapses.post_segment_id], 1)
    _, pair, repeats = np.unique(partners, axis=0, return_inverse=True, return_counts=True)
    pair = pair.ravel()
    several = np.flatnonzero(repeats[pair] > 1)
    if len(several) == 0:
        return np.zeros((0, 2), np.int64)
    near = cKDTree(synapses.centroid_nm[several]).query_pairs(distance_nm, output_type="ndarray")
    links = several[near.reshape(-1, 2)]
    return np.asarray(links[pair[links[:, 0]] == pair[links[:, 1]]], np.int64)
