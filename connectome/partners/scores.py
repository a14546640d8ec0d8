"""Patches that assigners are shown, and the scores that they give to candidates, by whichever method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box

FEW_CANDIDATES = 32
"""Up to so many, comparing each with a whole patch is faster than looking each voxel up."""
Pair = tuple[int, int]
"""Positions of pre and post among the candidates of a cleft."""


@dataclass(frozen=True, kw_only=True)
class CleftPatch:
    """A cleft and what lies around it, arrays (z, y, x) of one shape.

    Attributes:
        image: unsigned integers, EM with the assigner's grey values.
        segmentation: unsigned integers.
        mask: boolean, this cleft alone.
        proximity: float32, the signed proximity that the detector predicted; None: it predicts none.
    """

    image: NDArray[Any]
    segmentation: NDArray[Any]
    mask: NDArray[np.bool_]
    proximity: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class Patch(CleftPatch):
    """What is needed to score one cleft's candidates.

    Attributes:
        segment_id: uint64 (n,), the candidates, ascending.
        eligible: boolean (n,), the candidates that may be chosen; an assigner that judges pairs judges no others.
        counted: the voxels of the patch over which scores are averaged; None: all of them.
    """

    segment_id: NDArray[np.uint64]
    eligible: NDArray[np.bool_]
    counted: Box | None = None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of the n candidates of one cleft.

    Attributes:
        roles: float32 (2, n) in [0, 1]: each candidate as pre and as post.
        pairs: float64 (n, n): [i, j] rates i as pre with j as post; the pair to choose has the largest. The diagonal
            means nothing. A pair that wasn't judged has 0.
        by_pair: whether pairs were judged, so that `pairs` are probabilities and `roles` follow from them. Otherwise
            roles were, and a pair is rated by the sum of its two scores.
    """

    roles: NDArray[np.float32]
    pairs: NDArray[np.float64]
    by_pair: bool

    @classmethod
    def of_roles(cls, roles: NDArray[np.float32]) -> Scores:
        """From the scores (2, n) of candidates as pre and as post."""
        sums = roles[0].astype(np.float64)[:, None] + roles[1].astype(np.float64)[None, :]
        return cls(roles=roles, pairs=sums, by_pair=False)

    @classmethod
    def of_pairs(cls, pairs: NDArray[np.float64]) -> Scores:
        """From the probabilities (n, n) of pairs; a candidate's score in a role is that of its best pair in it.

        A lone candidate has 0 in both roles, and so has one of which no pair was judged.
        """
        apart = np.where(np.eye(len(pairs), dtype=bool), 0, pairs)
        roles = np.stack([apart.max(1, initial=0), apart.max(0, initial=0)]).astype(np.float32)
        return cls(roles=roles, pairs=apart, by_pair=True)

    def among(self, places: NDArray[np.integer]) -> Scores:
        """As if the candidates at `places` were the only ones."""
        if self.by_pair:
            return Scores.of_pairs(self.pairs[np.ix_(places, places)])
        return Scores.of_roles(self.roles[:, places])

    def of_pairs_at(self, chosen: NDArray[np.integer]) -> NDArray[np.float64]:
        """The scores of pre and post as partners of each other; if pairs were judged, both are the pair's.

        Args:
            chosen: (m, 2), positions of pre and post.

        Returns:
            float64 (m, 2).
        """
        pre, post = chosen.T
        if self.by_pair:
            return np.stack([self.pairs[pre, post]] * 2, 1)
        return np.stack([self.roles[0, pre], self.roles[1, post]], 1).astype(np.float64)


class Assigner(Protocol):
    """Rates candidates."""

    def score(self, patches: Sequence[Patch]) -> list[Scores]:
        """Scores of each patch's candidates."""


def candidate_slots(patch: Patch) -> NDArray[np.int64]:
    """For each voxel (z, y, x) the position of its segment among the candidates, -1 for other voxels."""
    ids = patch.segment_id.astype(patch.segmentation.dtype)
    if len(ids) > FEW_CANDIDATES:
        nearest = np.minimum(np.searchsorted(ids, patch.segmentation), len(ids) - 1)
        return np.where(ids[nearest] == patch.segmentation, nearest, -1)
    slots = np.full(patch.segmentation.shape, -1, np.int64)
    for place, segment_id in enumerate(ids):
        slots[patch.segmentation == segment_id] = place
    return slots


def counted_slots(patch: Patch) -> NDArray[np.int64]:
    """As `candidate_slots`, with -1 for voxels that don't count as well."""
    slots = candidate_slots(patch)
    if patch.counted is None:
        return slots
    inside = np.full(slots.shape, -1, np.int64)
    part = patch.counted.slices()
    inside[part] = slots[part]
    return inside
