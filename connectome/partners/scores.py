"""What an assigner says about the candidates of a cleft, whichever way it came to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What is needed to score one cleft's candidates.

    Attributes:
        image: unsigned integers (z, y, x), raw EM around the cleft's centroid.
        mask: boolean (z, y, x), this cleft alone.
        segmentation: unsigned integers (z, y, x).
        segment_id: uint64 (n,), the candidates, ascending.
        proximity: float32 (z, y, x), the detector's signed proximity; None where the detector gives none.
    """

    image: NDArray[Any]
    mask: NDArray[np.bool_]
    segmentation: NDArray[Any]
    segment_id: NDArray[np.uint64]
    proximity: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of the n candidates of one cleft.

    Attributes:
        roles: float32 (2, n) in [0, 1]: each candidate as pre and as post.
        pairs: float32 (n, n): [i, j] rates i as pre with j as post; the pair to choose has the largest. The diagonal
            means nothing.
    """

    roles: NDArray[np.float32]
    pairs: NDArray[np.float32]


class Assigner(Protocol):
    """Rates candidates."""

    def score(self, patches: list[Patch]) -> list[Scores]:
        """Scores of each patch's candidates."""


def candidate_slots(patch: Patch) -> NDArray[np.int64]:
    """For each voxel (z, y, x) the position of its segment among the candidates, -1 for other voxels."""
    ids = patch.segment_id.astype(patch.segmentation.dtype)
    if len(ids) == 0:
        return np.full(patch.segmentation.shape, -1, np.int64)
    place = np.minimum(np.searchsorted(ids, patch.segmentation), len(ids) - 1)
    return np.where(ids[place] == patch.segmentation, place, -1)
