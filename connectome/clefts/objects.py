"""Clefts of a box that was labelled in one piece, with the numbers that stitching a run's blocks would give them."""

from __future__ import annotations

import numpy as np

from connectome.geometry import NmTriple
from connectome.records import Clefts, Fragments


def whole_clefts(fragments: Fragments, min_size_voxels: int, resolution_nm: NmTriple, offset_nm: NmTriple) -> Clefts:
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
    return Clefts(
        cleft_id=fragments.fragment_id[kept],
        size_voxels=size,
        centre=total // size[:, None],
        start=fragments.start[kept],
        stop=fragments.stop[kept],
        centroid_nm=np.array(offset_nm) + (mean_index + 0.5) * np.array(resolution_nm),
        mean_score=(fragments.score_sum[kept] / (255.0 * size)).astype(np.float32),
        max_score=(fragments.score_max[kept] / 255.0).astype(np.float32),
    )
