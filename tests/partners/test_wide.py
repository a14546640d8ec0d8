"""Clefts wider than a patch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectome.geometry import Box, Triple, triple
from connectome.partners.assignment import AssignmentRules, CleftPatch, assign
from connectome.partners.nearest import SideAssigner
from connectome.partners.patches import LARGEST_SIDES, cleft_box, windows
from connectome.partners.scores import Patch, Scores, candidate_slots, counted_slots

NM = (30.0, 12.0, 12.0)
PATCH: Triple = (6, 24, 24)
sides = st.tuples(*[st.integers(0, 70)] * 3).map(triple)


class VoxelAssigner:
    """Reads roles off the image, as an association network does: pre where it is bright, post where it is dark."""

    def __init__(self) -> None:
        self.shapes: set[tuple[int, ...]] = set()

    def score(self, patches: Sequence[Patch]) -> list[Scores]:
        """Means over the voxels that count."""
        found = []
        for patch in patches:
            self.shapes.add(patch.image.shape)
            slots, bright = counted_slots(patch), patch.image / 255
            places = range(len(patch.segment_id))
            means = [bright[slots == i].mean() if (slots == i).any() else 0.5 for i in places]
            found.append(Scores.of_roles(np.array([means, [1 - m for m in means]], np.float32).reshape(2, -1)))
        return found


class PairAssigner:
    """Judges pairs: the lower segment id is pre, where the pair's cleft is seen."""

    def score(self, patches: Sequence[Patch]) -> list[Scores]:
        """0.9 for the right order, 0.1 for the other."""
        ids = [patch.segment_id for patch in patches]
        return [Scores.of_pairs(np.where(own[:, None] < own[None, :], 0.9, 0.1)) for own in ids]


def long_cleft() -> CleftPatch:
    """A cleft of 60 voxels along x; its largest contact with segment 9 is at its far end, out of a centred patch."""
    shape = (6, 24, 72)
    mask = np.zeros(shape, bool)
    mask[2:4, 11:13, 6:66] = True
    segmentation = np.zeros(shape, np.uint64)
    segmentation[:, :11] = 7
    segmentation[:, 13:, 54:] = 9
    image = np.where(segmentation == 7, 250, np.where(segmentation == 9, 5, 128)).astype(np.uint8)
    return CleftPatch(image=image, segmentation=segmentation, mask=mask)


@given(sides, sides)
@settings(deadline=None)
def test_the_parts_that_count_cover_the_array_once_and_windows_are_patches(extra: Triple, patch: Triple) -> None:
    patch = triple(n + 1 for n in patch)
    shape = triple(n + more for n, more in zip(patch, extra, strict=True))
    if np.prod([s / p for s, p in zip(shape, patch, strict=True)]) > 200:
        return
    seen = np.zeros(shape, np.int8)
    for window in windows(shape, patch):
        assert window.box.shape == patch
        assert Box.of_shape(shape).contains(window.box)
        assert window.box.contains(window.counted)
        seen[window.counted.slices()] += 1
    assert (seen == 1).all()


def test_a_cleft_that_fits_is_read_in_one_patch_around_its_centre() -> None:
    assert cleft_box((10, 50, 60), Box((7, 38, 48), (13, 62, 72)), PATCH) == Box((7, 38, 48), (13, 62, 72))


def test_a_wide_cleft_is_read_whole_and_with_a_margin() -> None:
    box = cleft_box((10, 50, 60), Box((8, 40, 20), (12, 60, 72)), PATCH)
    assert box == Box((7, 38, 14), (13, 62, 78))


def test_of_an_endless_object_only_the_middle_is_read() -> None:
    box = cleft_box((10, 50, 5000), Box((8, 40, 0), (12, 60, 10_000)), PATCH)
    assert box.shape == (6, 24, LARGEST_SIDES * 24)
    assert box.contains_point((10, 50, 5000))


def test_a_cleft_wider_than_the_patch_gets_its_far_partner() -> None:
    assigner, whole = VoxelAssigner(), long_cleft()
    part = tuple(slice(a, b) for a, b in ((0, 6), (0, 24), (24, 48)))
    centred = CleftPatch(image=whole.image[part], segmentation=whole.segmentation[part], mask=whole.mask[part])
    alone, covered = assign([centred, whole], assigner, AssignmentRules(), NM, PATCH)
    assert alone.segments() == []
    assert covered.segments() == [(7, 9)]
    assert assigner.shapes == {PATCH}


def test_the_votes_of_windows_join_to_the_mean_over_distinct_voxels() -> None:
    patch = long_cleft()
    image = np.random.default_rng(1).integers(0, 256, patch.image.shape).astype(np.uint8)
    patch = CleftPatch(image=image, segmentation=patch.segmentation, mask=patch.mask)
    (cut,), (whole,) = (assign([patch], VoxelAssigner(), AssignmentRules(), NM, shape) for shape in (PATCH, None))
    assert np.array_equal(cut.candidates.segment_id, whole.candidates.segment_id)
    assert np.array_equal(cut.candidates.contact_voxels, whole.candidates.contact_voxels)
    assert cut.scores.roles == pytest.approx(whole.scores.roles, abs=1e-6)


def test_patches_of_the_assigners_shape_are_scored_as_they_are() -> None:
    part = tuple(slice(a, b) for a, b in ((0, 6), (0, 24), (40, 64)))
    long = long_cleft()
    patch = CleftPatch(image=long.image[part], segmentation=long.segmentation[part], mask=long.mask[part])
    one, other = (assign([patch], VoxelAssigner(), AssignmentRules(), NM, shape)[0] for shape in (PATCH, None))
    assert np.array_equal(one.scores.roles, other.scores.roles)
    assert one.segments() == other.segments() == [(7, 9)]


def test_judged_pairs_count_where_both_segments_touch_the_cleft() -> None:
    (found,) = assign([long_cleft()], PairAssigner(), AssignmentRules(), NM, PATCH)
    assert found.scores.by_pair
    assert found.scores.pairs[0, 1] == pytest.approx(0.9)
    assert found.segments() == [(7, 9)]


def test_sides_are_told_over_all_windows() -> None:
    patch = long_cleft()
    proximity = np.where(patch.segmentation == 9, 1, np.where(patch.segmentation == 7, -1, 0)).astype(np.float32)
    signed = CleftPatch(image=patch.image, segmentation=patch.segmentation, mask=patch.mask, proximity=proximity)
    (found,) = assign([signed], SideAssigner(NM), AssignmentRules(), NM, PATCH)
    assert found.segments() == [(9, 7)]


def test_slots_of_many_candidates_are_those_of_few() -> None:
    segmentation = np.random.default_rng(0).integers(0, 60, (3, 20, 20)).astype(np.uint64)
    ids = np.arange(1, 60, dtype=np.uint64)
    blank = np.zeros(segmentation.shape, np.uint8)
    shown = {"image": blank, "mask": blank > 0, "segmentation": segmentation}
    many = Patch(**shown, segment_id=ids, eligible=np.ones(len(ids), bool))
    few = Patch(**shown, segment_id=ids[:5], eligible=np.ones(5, bool))
    slots = candidate_slots(many)
    assert np.array_equal(slots, segmentation.astype(np.int64) - 1)
    assert np.array_equal(candidate_slots(few), np.where(slots < 5, slots, -1))
