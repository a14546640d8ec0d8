"""Directions without a pruner: what the baseline of the nearest segments knows of pre and post.

The baseline itself is a rule, not a network: only the two segments with the largest contact may be chosen (see
`assignment.NEAREST_PARAMETERS`). What remains is which of them is pre: an association network's scores can say it, the
signed proximity that the detector predicted, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from connectome.distances import unsigned_proximity
from connectome.geometry import NmTriple
from connectome.partners.pruner import NEAR
from connectome.partners.scores import Patch, Scores, counted_slots


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


class SideAssigner:
    """Scores candidates by the side of the cleft that they are on."""

    def __init__(self, resolution_nm: NmTriple) -> None:
        """Work on patches of this resolution (z, y, x)."""
        self.resolution_nm = resolution_nm

    def score(self, patches: Sequence[Patch]) -> list[Scores]:
        """(1 + d) / 2 as pre and (1 - d) / 2 as post, d: the mean signed proximity near the cleft.

        Raises:
            ValueError: a patch has no signed proximity.
        """
        return [self._score(patch) for patch in patches]

    def _score(self, patch: Patch) -> Scores:
        if patch.proximity is None:
            raise ValueError("the patch has no signed proximity")
        near = unsigned_proximity(patch.mask, self.resolution_nm) > NEAR
        side = direction_scores(patch.proximity, near, counted_slots(patch), len(patch.segment_id))
        return Scores.of_roles(np.stack([(1 + side) / 2, (1 - side) / 2]).astype(np.float32))


class UndirectedAssigner:
    """Knows no direction: every candidate scores 0.5 in both roles, so that the smaller segment id becomes pre."""

    def score(self, patches: Sequence[Patch]) -> list[Scores]:
        """One half for everything."""
        return [Scores.of_roles(np.full((2, len(patch.segment_id)), 0.5, np.float32)) for patch in patches]
