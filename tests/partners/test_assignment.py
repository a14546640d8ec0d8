"""From patches to partners: which candidates are judged, and that it doesn't change the choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from connectome.networks.checkpoint import Method
from connectome.partners.assignment import (
    MOST_JUDGED,
    AssignmentRules,
    CleftPatch,
    RuleRange,
    assign,
    choose,
    score_clefts,
    worth_judging,
)
from tests.partners.test_pruner import RESOLUTION_NM, pruner

SHAPE = (4, 48, 48)


def stripes(width: int, seed: int = 0) -> CleftPatch:
    """A cleft along x over segments that are `width` voxels wide, with one large segment on its other side."""
    generator = np.random.default_rng(seed)
    segmentation = np.zeros(SHAPE, np.uint64)
    segmentation[:, :24] = 1 + np.arange(48, dtype=np.uint64) // width
    segmentation[:, 26:] = 77
    mask = np.zeros(SHAPE, bool)
    mask[1:3, 24:26, 2:40] = True
    return CleftPatch(image=generator.integers(0, 256, SHAPE).astype(np.uint8), segmentation=segmentation, mask=mask)


@pytest.mark.parametrize("polyadic", [False, True])
@pytest.mark.parametrize("method", [Method.MASK_PRUNER, Method.PROXIMITY_PRUNER])
def test_the_choice_is_that_among_all_pairs_though_few_are_judged(method: Method, polyadic: bool) -> None:
    patches = [replace(stripes(width, seed), proximity=None) for seed, width in enumerate((3, 7, 11, 16, 24))]
    rules = AssignmentRules(polyadic=polyadic, min_contact=0.3, pre_threshold=0.4, post_threshold=0.4)
    everything = RuleRange(dilations_nm=(48.0,), min_contact=0.0)
    scored = score_clefts(patches, pruner(method), everything, RESOLUTION_NM)
    wanted = [choose(cleft.scores, cleft.contacts[0].contact_voxels, rules) for cleft in scored]
    partners = assign(patches, pruner(method), rules, RESOLUTION_NM)
    assert [one.pairs for one in partners] == wanted
    judged = [int(np.count_nonzero(one.scores.pairs)) for one in partners]
    assert sum(judged) < sum(np.count_nonzero(cleft.scores.pairs) for cleft in scored) / 2 and min(judged) >= 2


def test_of_very_many_candidates_those_with_the_largest_contact_are_judged_and_chosen_among() -> None:
    rules = AssignmentRules(polyadic=True, min_contact=0.0, pre_threshold=0.0, post_threshold=0.0)
    (partners,) = assign([stripes(2)], pruner(Method.MASK_PRUNER), rules, RESOLUTION_NM)
    assert len(partners.candidates.segment_id) > MOST_JUDGED + 3
    judged = worth_judging(partners.candidates.contact_voxels, 0.0)
    assert np.count_nonzero(judged) == MOST_JUDGED
    assert partners.candidates.contact_voxels[judged].min() >= partners.candidates.contact_voxels[~judged].max()
    assert len(partners.pairs) > 1
    assert all(judged[pre] and judged[post] for pre, post in partners.pairs)
