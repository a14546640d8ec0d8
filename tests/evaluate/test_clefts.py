"""Detected clefts as objects."""

from __future__ import annotations

from connectome.evaluate.clefts import CleftCounts, PredictedOverlap, count_clefts

OVERLAPS = {
    1: PredictedOverlap(size_voxels=100, by_reference={11: 60, 12: 5}),
    2: PredictedOverlap(size_voxels=80, by_reference={11: 10}),
    3: PredictedOverlap(size_voxels=50),
    4: PredictedOverlap(size_voxels=90, ignore_voxels=46),
    5: PredictedOverlap(size_voxels=70, by_reference={13: 70}),
}


def test_each_rule_decides_its_detected_cleft() -> None:
    counts = count_clefts(OVERLAPS, {11, 12})
    assert counts == CleftCounts(found=1, false=2, missed=1)
    assert counts.precision == 1 / 3 and counts.recall == 0.5 and counts.f1 == 2 / 5


def test_an_annotated_cleft_that_is_not_wanted_makes_nothing_right_or_wrong() -> None:
    assert count_clefts({5: OVERLAPS[5]}, {11}) == CleftCounts(found=0, false=0, missed=1)
    assert count_clefts({5: OVERLAPS[5]}, {13}) == CleftCounts(found=1, false=0, missed=0)


def test_small_ones_are_dropped_first() -> None:
    assert count_clefts(OVERLAPS, {11}, 81) == CleftCounts(found=1, false=0, missed=0)
    assert count_clefts(OVERLAPS, {11}, 101) == CleftCounts(found=0, false=0, missed=1)


def test_counts_add_up_and_nothing_at_all_scores_zero() -> None:
    total = count_clefts(OVERLAPS, {11, 12}) + CleftCounts(found=2, false=1, missed=0)
    assert total == CleftCounts(found=3, false=3, missed=1)
    nothing = CleftCounts(found=0, false=0, missed=0)
    assert nothing.f1 == nothing.precision == nothing.recall == 0
