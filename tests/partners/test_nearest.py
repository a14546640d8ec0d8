"""The baseline without a network, and the rules that decide besides scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from connectome.partners.assignment import NEAREST_PARAMETERS, AssignmentRules, CleftPatch, Partners, assign
from connectome.partners.nearest import SideAssigner, UndirectedAssigner
from connectome.partners.scores import Assigner
from connectome.pipeline.chosen import rules_of
from connectome.pipeline.parameters import ASSIGNER, BuildParameters, chosen_values

RESOLUTION_NM = (30.0, 12.0, 12.0)
SHAPE = (5, 24, 24)


def patch(proximity: np.ndarray | None = None) -> CleftPatch:
    """A cleft between 9 (above) and 4 (below); 7 touches it with a third of their contact, 2 with very little."""
    segmentation = np.zeros(SHAPE, np.uint64)
    segmentation[:, :10], segmentation[:, 12:] = 9, 4
    segmentation[:, 6:10, 4:9] = 7
    segmentation[:, 12:, :3] = 2
    mask = np.zeros(SHAPE, bool)
    mask[2, 10:12, 3:20] = True
    return CleftPatch(image=np.zeros(SHAPE, np.uint8), segmentation=segmentation, mask=mask, proximity=proximity)


def rules_for(recommended: dict[str, float], **asked: float) -> AssignmentRules:
    """The rules of a build with an assigner that recommends these."""
    return rules_of(BuildParameters(**chosen_values(asked, {ASSIGNER: recommended})))


def chosen(assigner: Assigner, given: CleftPatch, polyadic: bool = False, **changes: float) -> Partners:
    rules = rules_for(NEAREST_PARAMETERS | changes, polyadic=polyadic)
    return assign([given], assigner, rules, RESOLUTION_NM)[0]


def test_the_two_segments_with_the_largest_contact_are_chosen_and_the_smaller_id_stands_for_pre() -> None:
    found = chosen(UndirectedAssigner(), patch())
    assert found.candidates.segment_id.tolist() == [2, 4, 7, 9]
    assert found.segments() == [(4, 9)]
    assert (found.scores.roles == 0.5).all()


@pytest.mark.parametrize(("above", "pair"), [(0.8, (9, 4)), (-0.8, (4, 9))])
def test_the_signed_proximity_tells_pre_from_post(above: float, pair: tuple[int, int]) -> None:
    proximity = np.full(SHAPE, -above, np.float32)
    proximity[:, :11] = above
    found = chosen(SideAssigner(RESOLUTION_NM), patch(proximity))
    assert found.segments() == [pair]
    assert found.scores.of_pairs_at(np.array(found.pairs)) == pytest.approx(np.array([[0.9, 0.9]]), abs=1e-3)


def test_without_a_signed_proximity_there_is_no_side() -> None:
    with pytest.raises(ValueError, match="no signed proximity"):
        chosen(SideAssigner(RESOLUTION_NM), patch())


def test_a_neighbouring_cleft_does_not_change_the_side() -> None:
    proximity = np.full(SHAPE, -0.8, np.float32)
    proximity[:, :11] = 0.8
    far = proximity.copy()
    far[:, :, 23:] = 1  # 150 nm and more from the cleft's end there is nothing of it
    cleft = patch(proximity)
    short = replace(cleft, mask=cleft.mask & (np.arange(24) < 8))
    first = chosen(SideAssigner(RESOLUTION_NM), short)
    again = chosen(SideAssigner(RESOLUTION_NM), replace(short, proximity=far))
    assert np.array_equal(first.scores.roles, again.scores.roles)


def test_in_the_polyadic_mode_those_with_half_of_the_contact_are_chosen() -> None:
    assert chosen(UndirectedAssigner(), patch(), polyadic=True).segments() == [(4, 9)]
    wide = chosen(UndirectedAssigner(), patch(), polyadic=True, polyadic_min_contact=0.2)
    assert wide.segments() == [(4, 7), (4, 9)]


def test_rules_are_what_a_checkpoint_recommends_unless_asked_otherwise() -> None:
    assert rules_for({}) == AssignmentRules()
    recommended = {
        "polyadic": 1.0,
        "pre_threshold": 0.6,
        "post_threshold": 0.3,
        "min_contact": 0.4,
        "dilation_nm": 30.0,
    }
    polyadic = rules_for(recommended)
    assert polyadic == AssignmentRules(
        dilation_nm=30.0, min_contact=0.0, polyadic=True, pre_threshold=0.6, post_threshold=0.3
    )
    assert rules_for(recommended, polyadic=False).min_contact == 0.4
    assert rules_for(recommended | {"polyadic_min_contact": 0.1}).min_contact == 0.1
    assert rules_for({}, polyadic=True).polyadic
    for mode in (False, True):
        assert rules_for(recommended, polyadic=mode, min_contact=0.7).min_contact == 0.7


def test_all_candidates_are_kept_with_their_scores_whoever_is_chosen() -> None:
    for polyadic in (False, True):
        found = chosen(UndirectedAssigner(), patch(), polyadic=polyadic)
        assert found.scores.roles.shape == (2, len(found.candidates.segment_id)) == (2, 4)
