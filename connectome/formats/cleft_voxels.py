"""The voxels of annotated clefts, gathered block by block, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from connectome.formats.hdf5 import Hdf5Volume
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import BlockGrid, Box, Grid, NmTriple, triple

BLOCK_VOXELS = 2**24


@dataclass(frozen=True)
class CleftVoxels:
    """All voxels of all clefts; memory follows from their number, not from the volume's.

    Attributes:
        grid: where they lie.
        cleft_ids: uint64 (clefts,), ascending.
        owners: int64 (voxels,), place of each voxel's cleft in `cleft_ids`.
        voxels: int32 (voxels, 3), index (z, y, x) in the grid.
    """

    grid: Grid
    cleft_ids: NDArray[np.uint64]
    owners: NDArray[np.int64]
    voxels: NDArray[np.int32]

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Voxels of each cleft."""
        return np.bincount(self.owners, minlength=len(self.cleft_ids))

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """Mean voxel index (clefts, 3) of each cleft."""
        sums = [np.bincount(self.owners, self.voxels[:, axis], len(self.cleft_ids)) for axis in range(3)]
        return np.stack(sums, axis=1) / self.sizes[:, None]

    @cached_property
    def _tree(self) -> cKDTree:
        centres = (self.voxels + 0.5) * np.asarray(self.grid.resolution_nm) + np.asarray(self.grid.offset_nm)
        return cKDTree(centres)

    def near(self, point_nm: NmTriple, radius_nm: float) -> dict[int, float]:
        """The clefts (places in `cleft_ids`) with a voxel centre within a radius, each with its distance in nm."""
        found = np.asarray(self._tree.query_ball_point(point_nm, radius_nm, return_sorted=True), dtype=np.int64)
        distances = np.linalg.norm(self._tree.data[found] - np.asarray(point_nm), axis=1)
        nearest = np.full(len(self.cleft_ids), np.inf)
        np.minimum.at(nearest, self.owners[found], distances)
        return {int(place): float(nearest[place]) for place in np.flatnonzero(np.isfinite(nearest))}


def gather_cleft_voxels(clefts: Hdf5Volume) -> CleftVoxels:
    """Read a label volume block by block.

    `BACKGROUND` and `IGNORE` are no clefts. CREMI marks the background with `BACKGROUND` and may have a cleft 0; other
    files mark it with 0: so 0 is a cleft only where there are fewer zeros than voxels of `BACKGROUND`.
    """
    zeros = backgrounds = 0
    parts = []
    blocks = BlockGrid(clefts.grid.box, _block_shape(clefts))
    for _, box in blocks:
        labels = clefts.read(box).astype(np.uint64, copy=False)
        zeros += int(np.count_nonzero(labels == 0))
        backgrounds += int(np.count_nonzero(labels == BACKGROUND))
        parts.append(_members(labels, (labels != 0) & (labels < min(BACKGROUND, IGNORE)), box))
    if 0 < zeros < backgrounds:
        for _, box in blocks:
            labels = clefts.read(box).astype(np.uint64, copy=False)
            parts.append(_members(labels, labels == 0, box))
    cleft_ids, owners = np.unique(np.concatenate([ids for ids, _ in parts]), return_inverse=True)
    return CleftVoxels(clefts.grid, cleft_ids, owners.astype(np.int64), np.concatenate([at for _, at in parts]))


def _members(
    labels: NDArray[np.uint64], chosen: NDArray[np.bool_], box: Box
) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    places = np.argwhere(chosen)
    return labels[chosen], (places + np.asarray(box.start)).astype(np.int32)


def _block_shape(clefts: Hdf5Volume) -> tuple[int, int, int]:
    """A row of whole chunks of at most `BLOCK_VOXELS` voxels, or one chunk."""
    z, y, x = clefts.chunk_shape
    repeats = max(BLOCK_VOXELS // (z * y * x), 1)
    across = max(min(repeats, -(-clefts.grid.shape[2] // x)), 1)
    down = max(min(repeats // across, -(-clefts.grid.shape[1] // y)), 1)
    return triple((z, y * down, x * across))
