"""Joining the fragments of neighbouring blocks into clefts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Pairs = NDArray[np.int64]


def shared_voxel_pairs(borders: Iterable[NDArray[np.int64]]) -> Pairs:
    """Pairs (n, 2) of different fragments that hold one voxel.

    Args:
        borders: for each block, int64 (m, 2): voxel index in the whole volume, fragment id.
    """
    voxels = np.concatenate([np.zeros((0, 2), np.int64), *borders])
    voxels = voxels[np.lexsort((voxels[:, 1], voxels[:, 0]))]
    same = (voxels[1:, 0] == voxels[:-1, 0]) & (voxels[1:, 1] != voxels[:-1, 1])
    pairs = np.stack([voxels[:-1, 1][same], voxels[1:, 1][same]], 1)
    return np.unique(pairs, axis=0)


def join(pairs: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fragments that pairs join, and for each the id of its cleft: the smallest of its fragments' ids.

    Args:
        pairs: int64 (n, 2), fragments that are one object.

    Returns:
        fragment ids, ascending, and their cleft ids, both int64 (m,).
    """
    ids, flat = np.unique(pairs, return_inverse=True)
    if len(ids) == 0:
        return ids, ids
    a, b = flat.reshape(-1, 2).T
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(len(ids), len(ids)))
    count, group = connected_components(graph, directed=False)
    smallest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(smallest, group, ids)
    return ids, smallest[group]


def join_layers(
    layers: Iterable[tuple[Pairs, NDArray[np.int64]]],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """What `join` gives for the pairs of all layers, in parts: an object is given once no later layer can reach it.

    Held in memory are the pairs of one layer and the fragments of objects that reach it.

    Args:
        layers: of blocks: the pairs (n, 2) of fragments of this layer and the one below that are one object, and the
            fragments (m,) of this layer that go on; later layers refer to no other. All int64.
    """
    open_pairs = np.zeros((0, 2), np.int64)
    for pairs, own in layers:
        fragments, clefts = join(np.concatenate([open_pairs, pairs]))
        stays = np.isin(clefts, clefts[np.isin(fragments, own)])
        yield fragments[~stays], clefts[~stays]
        open_pairs = np.stack([fragments[stays], clefts[stays]], 1)
    yield join(open_pairs)
