"""From clefts in their patches to partners: candidates, scores, the choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import NmTriple, Triple
from connectome.partners.candidates import Contacts, dilation_shape, find_candidates
from connectome.partners.choice import choose_pair, choose_pairs, main_contacts
from connectome.partners.patches import joined, views
from connectome.partners.scores import Assigner, CleftPatch, Pair, Patch, Scores


@dataclass(frozen=True, kw_only=True)
class AssignmentRules:
    """The rules about candidates besides their scores.

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


NEAREST_PARAMETERS = {"min_contact": 1.0, "polyadic_min_contact": 0.5}
"""Rules of the baseline: the two segments with the largest contact, or in the polyadic mode those with half of it."""


MOST_JUDGED = 12
"""Where pairs are judged, only among so many candidates of a cleft: their number grows with the square."""


@dataclass(frozen=True, kw_only=True)
class RuleRange:
    """The rules that scores are made for.

    Attributes:
        dilations_nm: ascending.
        min_contact: the least share of the largest contact that a partner must have.
    """

    dilations_nm: tuple[float, ...]
    min_contact: float

    def covers(self, other: RuleRange) -> bool:
        """True if scores for these rules serve the other ones too."""
        return set(other.dilations_nm) <= set(self.dilations_nm) and self.min_contact <= other.min_contact


@dataclass(frozen=True, kw_only=True)
class Partners:
    """The partners of one cleft.

    Attributes:
        candidates: the segments that touch it.
        scores: what the assigner says of them.
        pairs: the chosen pairs; none with fewer than two candidates, one unless the mode is polyadic.
    """

    candidates: Contacts
    scores: Scores
    pairs: tuple[Pair, ...]

    def segments(self) -> list[tuple[int, int]]:
        """The chosen pairs as segment ids."""
        ids = self.candidates.segment_id
        return [(int(ids[pre]), int(ids[post])) for pre, post in self.pairs]


@dataclass(frozen=True, kw_only=True)
class ScoredCleft:
    """A cleft's candidates with their scores, for every rule within a range.

    Attributes:
        contacts: the candidates at each dilation, ascending: those at a smaller one are among those at a larger one.
        scores: of the candidates at the largest dilation; fewer candidates' scores follow from these (see
            `Scores.among`). Where pairs were judged, only those that may be chosen at one of the dilations.
    """

    contacts: tuple[Contacts, ...]
    scores: Scores

    def partners(self, level: int, rules: AssignmentRules) -> Partners:
        """The partners among the candidates at a dilation, by its place."""
        near, widest = self.contacts[level], self.contacts[-1]
        scores = self.scores
        if near is not widest:
            scores = scores.among(np.searchsorted(widest.segment_id, near.segment_id))
        return Partners(candidates=near, scores=scores, pairs=choose(scores, near.contact_voxels, rules))


def assign(
    patches: Sequence[CleftPatch],
    assigner: Assigner,
    rules: AssignmentRules,
    resolution_nm: NmTriple,
    patch_shape: Triple | None = None,
) -> list[Partners]:
    """Partners of each cleft; one call of the assigner for all patches. Args are those of `score_clefts`."""
    one = RuleRange(dilations_nm=(rules.dilation_nm,), min_contact=rules.min_contact)
    scored = score_clefts(patches, assigner, one, resolution_nm, patch_shape)
    return [cleft.partners(0, rules) for cleft in scored]


def score_clefts(
    patches: Sequence[CleftPatch],
    assigner: Assigner,
    served: RuleRange,
    resolution_nm: NmTriple,
    patch_shape: Triple | None = None,
) -> list[ScoredCleft]:
    """The candidates of each cleft, scored for every rule within a range; one call of the assigner for all patches.

    Args:
        patches: what was read of each cleft.
        assigner: rates the candidates.
        served: the rules that may be asked for.
        resolution_nm: of a voxel (z, y, x).
        patch_shape: voxels (z, y, x) that the assigner is shown at once; larger ones are cut (see `patches.views`).
            None: it takes any.
    """
    dilations = [dilation_shape(dilation_nm, resolution_nm) for dilation_nm in served.dilations_nm]
    contacts = [
        tuple(find_candidates(patch.segmentation, patch.mask, dilation) for dilation in dilations) for patch in patches
    ]
    whole = [
        Patch(**vars(patch), segment_id=levels[-1].segment_id, eligible=_judged_at_any(levels, served.min_contact))
        for patch, levels in zip(patches, contacts, strict=True)
    ]
    shown = [views(patch, patch_shape) for patch in whole]
    scores = iter(assigner.score(list(chain.from_iterable(shown))))
    return [
        ScoredCleft(contacts=levels, scores=joined(patch, parts, list(islice(scores, len(parts))), dilations[-1]))
        for patch, parts, levels in zip(whole, shown, contacts, strict=True)
    ]


def _judged_at_any(levels: Sequence[Contacts], min_contact: float) -> NDArray[np.bool_]:
    """Which candidates at the largest dilation are worth judging at one of the dilations."""
    judged = np.zeros(len(levels[-1].segment_id), bool)
    for level in levels:
        near = level.segment_id[worth_judging(level.contact_voxels, min_contact)]
        judged[np.searchsorted(levels[-1].segment_id, near)] = True
    return judged


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
