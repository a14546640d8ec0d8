"""From clefts in their patches to partners: candidates, scores, the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import NmTriple, Triple
from connectome.partners.candidates import Candidates, dilation_shape, find_candidates
from connectome.partners.choice import choose_pair, main_contacts
from connectome.partners.scores import Assigner, Patch, Scores


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
        scores: what the assigner says of them.
        pair: positions of the chosen pre and post among the candidates; None with fewer than two of them.
    """

    candidates: Candidates
    scores: Scores
    pair: tuple[int, int] | None


def patch_start(centre: Triple, patch_shape: Triple) -> Triple:
    """The first voxel of a patch around a voxel, both (z, y, x)."""
    z, y, x = (c - n // 2 for c, n in zip(centre, patch_shape, strict=True))
    return z, y, x


@dataclass(frozen=True, kw_only=True)
class AssignmentRules:
    """What decides about candidates besides the network.

    Attributes:
        dilation_nm: how far, in-plane, a candidate may be from the cleft.
        min_contact: a partner has at least this share of the largest candidate's contact (see `main_contacts`).
    """

    dilation_nm: float = 48.0
    min_contact: float = 0.25

    @classmethod
    def of(cls, parameters: Mapping[str, float]) -> AssignmentRules:
        """What a checkpoint recommends; the defaults where it says nothing."""
        default = cls()
        return cls(
            dilation_nm=parameters.get("dilation_nm", default.dilation_nm),
            min_contact=parameters.get("min_contact", default.min_contact),
        )


def assign(
    patches: list[CleftPatch], assigner: Assigner, rules: AssignmentRules, resolution_nm: NmTriple
) -> list[Partners]:
    """Partners of each cleft; one call of the assigner for all patches."""
    shape = dilation_shape(rules.dilation_nm, resolution_nm)
    found = [find_candidates(patch.segmentation, patch.mask, shape) for patch in patches]
    views = [
        Patch(image=p.image, mask=p.mask, segmentation=p.segmentation, segment_id=c.segment_id)
        for p, c in zip(patches, found, strict=True)
    ]
    partners = []
    for candidates, scores in zip(found, assigner.score(views), strict=True):
        eligible = main_contacts(candidates.contact_voxels, rules.min_contact)
        pair = choose_pair(scores.pairs, eligible)
        partners.append(Partners(candidates=candidates, scores=scores, pair=pair))
    return partners
