"""Foreground as runs of voxels along x, and which of them are connected.

Clefts fill less than a hundredth of tissue, and a run of them is a handful of voxels, so everything after the threshold
costs next to nothing. Two runs are neighbours if their rows are and their intervals meet, which sorted bounds tell
(the first pass of He, Chao, Suzuki 2008, "A run-based two-scan labeling algorithm", without their table).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from connectome.geometry import Box, Triple, triple

Pairs = NDArray[np.int64]


class Connectivity(IntEnum):
    """Which neighbours are connected: those that share a face, an edge, or a corner."""

    FACES = 6
    EDGES = 18
    CORNERS = 26

    @property
    def rows(self) -> tuple[tuple[int, int, int], ...]:
        """Rows (z, y) after one's own that hold neighbours, each with how far along x they may lie."""
        if self is Connectivity.FACES:
            return (0, 1, 0), (1, 0, 0)
        diagonal = 1 if self is Connectivity.CORNERS else 0
        near = (0, 1, 1), (1, 0, 1)
        return *near, (1, -1, diagonal), (1, 1, diagonal)


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Runs of voxels along x, in C order; int64 arrays of one length.

    Attributes:
        shape: of the array (z, y, x).
        z, y: their rows.
        start, stop: along x, stop exclusive.
    """

    shape: Triple
    z: NDArray[np.int64]
    y: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]

    @classmethod
    def of(cls, foreground: NDArray[np.bool_]) -> Runs:
        """The runs of a boolean array (z, y, x)."""
        depth, height, width = foreground.shape
        gapped = np.zeros(1 + depth * height * (width + 1), bool)
        gapped[1:].reshape(depth, height, width + 1)[:, :, :width] = foreground
        ends = np.flatnonzero(gapped[1:] ^ gapped[:-1])
        row, start = np.divmod(ends[0::2], width + 1)
        z, y = np.divmod(row, max(height, 1))
        return cls(shape=triple(foreground.shape), z=z, y=y, start=start, stop=start + ends[1::2] - ends[0::2])

    @property
    def length(self) -> NDArray[np.int64]:
        """Voxels of each run."""
        return self.stop - self.start

    def within(self, part: Box) -> tuple[Runs, NDArray[np.int64]]:
        """What of the runs lies in a part of the array, counted from its first voxel, and which runs those are."""
        rows = zip((self.z, self.y), part.start[:2], part.stop[:2], strict=True)
        inside = [(values >= low) & (values < high) for values, low, high in rows]
        low, high = part.start[2], part.stop[2]
        first, end = np.maximum(self.start, low), np.minimum(self.stop, high)
        kept = np.flatnonzero(inside[0] & inside[1] & (first < end))
        start, stop = first[kept] - low, end[kept] - low
        z, y = self.z[kept] - part.start[0], self.y[kept] - part.start[1]
        return Runs(shape=part.shape, z=z, y=y, start=start, stop=stop), kept

    def voxels(self, shape: Triple, origin: Triple = (0, 0, 0)) -> NDArray[np.int64]:
        """The runs' voxels, in order, as C-order indices of an array of `shape` in which this one lies at `origin`."""
        z, y, x = (own + first for own, first in zip((self.z, self.y, self.start), origin, strict=True))
        first = (z * shape[1] + y) * shape[2] + x
        return np.repeat(first, self.length) + place_in_run(self.length)

    def components(self, connectivity: Connectivity) -> NDArray[np.int64]:
        """Int64 (n,): which connected component a run belongs to, numbered from 0 by their first runs."""
        n = len(self.start)
        if n == 0:
            return np.zeros(0, np.int64)
        a, b = self._neighbours(connectivity).T
        graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(n, n))
        _, group = connected_components(graph, directed=False)
        _, first, place = np.unique(group, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first)).astype(np.int64)[place]

    def _neighbours(self, connectivity: Connectivity) -> Pairs:
        """Pairs (m, 2) of runs that touch."""
        _, height, width = self.shape
        row = (self.z * height + self.y) * (width + 1)
        starts, stops = row + self.start, row + self.stop
        pairs = [np.zeros((0, 2), np.int64)]
        for dz, dy, reach in connectivity.rows:
            own = np.flatnonzero((self.y + dy >= 0) & (self.y + dy < height))
            offset = (dz * height + dy) * (width + 1)
            low = np.searchsorted(stops, starts[own] + offset - reach, side="right")
            high = np.searchsorted(starts, stops[own] + offset + reach, side="left")
            count = np.maximum(high - low, 0)
            pairs.append(np.stack([np.repeat(own, count), np.repeat(low, count) + place_in_run(count)], 1))
        return np.concatenate(pairs)


def place_in_run(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2 ... within each of consecutive runs."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
