"""From clefts in their patches to partners: candidates, scores, the choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import NmTriple, Triple
from connectome.partners.avan import Assigner, Patch
from connectome.partners.candidates import Candidates, dilation_shape, find_candidates
from connectome.partners.choice import choose_pair


@dataclass(frozen=True, kw_only=True)
class CleftPatch:
    """A cleft in its patch: `image`, `segmentation` unsigned integers, `mask` boolean, all (z, y, x) of one shape."""

    image: NDArray[Any]
    segmentation: NDArray[Any]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Partners:
    """What was found for one cleft.

    Attributes:
        candidates: the segments that touch it.
        scores: float32 (2, n), as pre and as post.
        pair: positions of the chosen pre and post among the candidates; None with fewer than two of them.
    """

    candidates: Candidates
    scores: NDArray[np.float32]
    pair: tuple[int, int] | None


def patch_start(centre: Triple, patch_shape: Triple) -> Triple:
    """The first voxel of a patch around a voxel, both (z, y, x)."""
    z, y, x = (c - n // 2 for c, n in zip(centre, patch_shape, strict=True))
    return z, y, x


def assign(
    patches: list[CleftPatch], assigner: Assigner, *, dilation_nm: float, resolution_nm: NmTriple
) -> list[Partners]:
    """Partners of each cleft; one pass of the network over all patches."""
    shape = dilation_shape(dilation_nm, resolution_nm)
    found = [find_candidates(patch.segmentation, patch.mask, shape) for patch in patches]
    views = [
        Patch(image=p.image, mask=p.mask, segmentation=p.segmentation, segment_id=c.segment_id)
        for p, c in zip(patches, found, strict=True)
    ]
    scores = assigner.score(views)
    return [Partners(candidates=c, scores=s, pair=choose_pair(s[0], s[1])) for c, s in zip(found, scores, strict=True)]
