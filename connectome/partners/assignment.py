"""From clefts in their patches to partners: candidates, scores, the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import NmTriple, Triple
from connectome.partners.candidates import Candidates, dilation_shape, find_candidates
from connectome.partners.choice import choose_pair, main_contacts
from connectome.partners.polyadic import choose_pairs
from connectome.partners.scores import Assigner, Pair, Patch, Scores
from connectome.partners.wide import joined, views


@dataclass(frozen=True, kw_only=True)
class CleftPatch:
    """A cleft in its patch: `image`, `segmentation` unsigned integers, `mask` boolean, all (z, y, x) of one shape.

    Attributes:
        proximity: float32 (z, y, x), the signed proximity that the detector predicted; None: it predicts none.
    """

    image: NDArray[Any]
    segmentation: NDArray[Any]
    mask: NDArray[np.bool_]
    proximity: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class Partners:
    """What was found for one cleft.

    Attributes:
        candidates: the segments that touch it.
        scores: what the assigner says of them.
        pairs: the chosen pairs; none with fewer than two candidates, one unless the mode is polyadic.
    """

    candidates: Candidates
    scores: Scores
    pairs: tuple[Pair, ...]

    def segments(self) -> list[tuple[int, int]]:
        """The chosen pairs as segment ids."""
        ids = self.candidates.segment_id
        return [(int(ids[pre]), int(ids[post])) for pre, post in self.pairs]


def patch_start(centre: Triple, patch_shape: Triple) -> Triple:
    """The first voxel of a patch around a voxel, both (z, y, x)."""
    z, y, x = (c - n // 2 for c, n in zip(centre, patch_shape, strict=True))
    return z, y, x


@dataclass(frozen=True, kw_only=True)
class AssignmentRules:
    """What decides about candidates besides their scores.

    Attributes:
        polyadic: whether a cleft may have several synapses (see `choose_pairs`).
        dilation_nm: how far, in-plane, a candidate may be from the cleft.
        min_contact: a partner has at least this share of the largest candidate's contact (see `main_contacts`).
        pre_threshold, post_threshold: what further partners of a polyadic cleft must score in their role.
    """

    polyadic: bool = False
    dilation_nm: float = 48.0
    min_contact: float = 0.25
    pre_threshold: float = 0.5
    post_threshold: float = 0.5

    @classmethod
    def of(
        cls, parameters: Mapping[str, float], polyadic: bool | None = None, min_contact: float | None = None
    ) -> AssignmentRules:
        """What a checkpoint recommends; the defaults where it says nothing.

        Args:
            parameters: `dilation_nm`, `min_contact`, `polyadic` (not 0: yes), `pre_threshold`, `post_threshold` and
                `polyadic_min_contact`, which stands for `min_contact` if the mode is polyadic (0 where it isn't given:
                an insect's partners may touch a cleft with very little).
            polyadic: the mode; None: what the checkpoint recommends.
            min_contact: of the mode; None: what the checkpoint recommends.
        """
        default = cls()
        if polyadic is None:
            polyadic = bool(parameters.get("polyadic", 0))
        if min_contact is None and polyadic:
            min_contact = parameters.get("polyadic_min_contact", 0.0)
        elif min_contact is None:
            min_contact = parameters.get("min_contact", default.min_contact)
        return cls(
            polyadic=polyadic,
            dilation_nm=parameters.get("dilation_nm", default.dilation_nm),
            min_contact=min_contact,
            pre_threshold=parameters.get("pre_threshold", default.pre_threshold),
            post_threshold=parameters.get("post_threshold", default.post_threshold),
        )


NEAREST_PARAMETERS = {"min_contact": 1.0, "polyadic_min_contact": 0.5}
"""Rules of the baseline: the two segments with the largest contact, or in the polyadic mode those with half of it."""


MOST_JUDGED = 12
"""Where pairs are judged, only among so many candidates of a cleft: their number grows with the square."""


def assign(
    patches: Sequence[CleftPatch],
    assigner: Assigner,
    rules: AssignmentRules,
    resolution_nm: NmTriple,
    patch_shape: Triple | None = None,
) -> list[Partners]:
    """Partners of each cleft; one call of the assigner for all patches.

    Args:
        patches: what was read of each cleft.
        assigner: rates the candidates.
        rules: decide besides.
        resolution_nm: of a voxel (z, y, x).
        patch_shape: voxels (z, y, x) that the assigner is shown at once; larger patches are cut (see `partners.wide`).
            None: it takes any.
    """
    shape = dilation_shape(rules.dilation_nm, resolution_nm)
    found = [find_candidates(patch.segmentation, patch.mask, shape) for patch in patches]
    judged = [worth_judging(candidates.contact_voxels, rules.min_contact) for candidates in found]
    scored = score_candidates(patches, found, judged, assigner, CleftView(dilation=shape, patch_shape=patch_shape))
    return [
        Partners(candidates=candidates, scores=scores, pairs=choose(scores, candidates.contact_voxels, rules))
        for candidates, scores in zip(found, scored, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class CleftView:
    """How much an assigner sees of a cleft at once.

    Attributes:
        dilation: of the cleft, where it finds candidates (see `candidates.dilation_shape`).
        patch_shape: voxels (z, y, x); larger patches are cut (see `partners.wide`). None: any.
    """

    dilation: NDArray[np.bool_]
    patch_shape: Triple | None = None


def score_candidates(
    patches: Sequence[CleftPatch],
    found: Sequence[Candidates],
    judged: Sequence[NDArray[np.bool_]],
    assigner: Assigner,
    view: CleftView,
) -> list[Scores]:
    """Scores of each cleft's candidates; one call of the assigner for all patches.

    Args:
        patches: the clefts.
        found: the candidates of each.
        judged: boolean (n,) of each, the candidates whose pairs are judged where pairs are (see `worth_judging`).
        assigner: who scores.
        view: what it sees.
    """
    whole = [
        Patch(
            image=p.image,
            mask=p.mask,
            segmentation=p.segmentation,
            segment_id=c.segment_id,
            eligible=those,
            proximity=p.proximity,
        )
        for p, c, those in zip(patches, found, judged, strict=True)
    ]
    shown = [views(patch, view.patch_shape) for patch in whole]
    scores = iter(assigner.score(list(chain.from_iterable(shown))))
    return [
        joined(patch, parts, list(islice(scores, len(parts))), view.dilation)
        for patch, parts in zip(whole, shown, strict=True)
    ]


def worth_judging(contact_voxels: NDArray[np.integer], min_contact: float) -> NDArray[np.bool_]:
    """Which of n candidates with these contacts (n,) may be chosen where pairs are judged: no others need be."""
    return main_contacts(contact_voxels, min_contact, MOST_JUDGED)


def choose(scores: Scores, contact_voxels: NDArray[np.integer], rules: AssignmentRules) -> tuple[Pair, ...]:
    """The pairs of partners among n candidates, from their scores and contacts (n,), as positions."""
    eligible = main_contacts(contact_voxels, rules.min_contact, MOST_JUDGED if scores.by_pair else None)
    if rules.polyadic:
        return choose_pairs(scores, eligible, rules.pre_threshold, rules.post_threshold)
    pair = choose_pair(scores.pairs, eligible)
    return () if pair is None else (pair,)
