"""Which side of a cleft a candidate is on, by the signed proximity that a detector predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def direction_scores(
    proximity: NDArray[np.float32], near: NDArray[np.bool_], slots: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """The mean signed proximity of each candidate near a cleft.

    Args:
        proximity: float32 (z, y, x) in [-1, 1], positive on the presynaptic side.
        near: boolean (z, y, x), the dilated cleft: what lies elsewhere may belong to other clefts.
        slots: int64 (z, y, x), the position of a voxel's segment among the candidates, -1 for other voxels.
        count: how many candidates there are.

    Returns:
        float32 (count,) in [-1, 1]: 1 = surely presynaptic, -1 = surely postsynaptic, 0 = no voxel near.
    """
    own = near & (slots >= 0)
    voxels = np.bincount(slots[own], minlength=count)
    sums = np.bincount(slots[own], weights=proximity[own], minlength=count)
    return (sums / np.maximum(voxels, 1)).astype(np.float32)
