"""Clefts of a box that was labelled in one piece, with the numbers that stitching a run's blocks would give them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.clefts.labelling import Fragments
from connectome.geometry import NmTriple


@dataclass(frozen=True, kw_only=True)
class WholeClefts:
    """Clefts, by ascending id; arrays of one length.

    Attributes:
        cleft_id, size_voxels: int64.
        centre: int64 (n, 3), the working voxel (z, y, x) that a patch is centred on.
        start, stop: int64 (n, 3), bounding boxes in working voxels, stop exclusive.
        centroid_nm: float64 (n, 3).
        mean_score, max_score: float32, in [0, 1].
    """

    cleft_id: NDArray[np.int64]
    size_voxels: NDArray[np.int64]
    centre: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    centroid_nm: NDArray[np.float64]
    mean_score: NDArray[np.float32]
    max_score: NDArray[np.float32]


def whole_clefts(
    fragments: Fragments, min_size_voxels: int, resolution_nm: NmTriple, offset_nm: NmTriple
) -> WholeClefts:
    """The clefts that a box's fragments are, if nothing of them lies outside of it.

    Args:
        fragments: of the box as one block.
        min_size_voxels: smaller ones are left out.
        resolution_nm: of the working grid (z, y, x).
        offset_nm: of the working grid (z, y, x).
    """
    order = np.argsort(fragments.fragment_id)
    kept = order[fragments.size_voxels[order] >= min_size_voxels]
    size, total = fragments.size_voxels[kept], fragments.index_sum[kept]
    mean_index = total.astype(np.float64) / size.astype(np.float64)[:, None]
    return WholeClefts(
        cleft_id=fragments.fragment_id[kept],
        size_voxels=size,
        centre=total // size[:, None],
        start=fragments.start[kept],
        stop=fragments.stop[kept],
        centroid_nm=np.array(offset_nm) + (mean_index + 0.5) * np.array(resolution_nm),
        mean_score=(fragments.score_sum[kept] / (255.0 * size)).astype(np.float32),
        max_score=(fragments.score_max[kept] / 255.0).astype(np.float32),
    )
