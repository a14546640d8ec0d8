"""Overlap counting, block by block."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectome.evaluate import clefts
from connectome.evaluate.clefts import OverlapCounter, OverlapTable, PredictedOverlap

BACKGROUND, IGNORE = 2**64 - 1, 2**64 - 2
LARGE = 2**63 - 1


def _count(*blocks: tuple[np.ndarray, np.ndarray]) -> OverlapTable:
    counter = OverlapCounter(background={0, BACKGROUND}, ignore=IGNORE)
    for predicted, reference in blocks:
        counter.add(predicted, reference)
    return counter.table()


def _volumes(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    predicted = random.choice(np.array([0, 1, 2, LARGE], np.uint64), (4, 6, 8))
    reference = random.choice(np.array([0, 5, 2**62, IGNORE, BACKGROUND], np.uint64), (4, 6, 8))
    return predicted, reference


def test_counts_are_those_of_a_plain_loop() -> None:
    predicted, reference = _volumes(0)
    table = _count((predicted, reference))
    assert list(table) == [1, 2, LARGE]
    for cleft_id, found in table.items():
        under = reference[predicted == cleft_id].tolist()
        assert found == PredictedOverlap(
            size_voxels=len(under),
            ignore_voxels=under.count(IGNORE),
            by_reference={label: under.count(label) for label in (5, 2**62)},
        )


@given(st.integers(0, 2**32), st.permutations(range(4)), st.integers(0, 8))
def test_the_table_depends_neither_on_blocks_nor_on_their_order(seed: int, order: list[int], cut: int) -> None:
    predicted, reference = _volumes(seed)
    parts = [
        (p, r)
        for z in (slice(0, 1), slice(1, 4))
        for p, r in ((predicted[z, :, :cut], reference[z, :, :cut]), (predicted[z, :, cut:], reference[z, :, cut:]))
    ]
    assert _count(*(parts[i] for i in order)) == _count((predicted, reference))


def test_merging_early_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    predicted, reference = _volumes(1)
    whole = _count((predicted, reference))
    monkeypatch.setattr(clefts, "MERGE_ROWS", 1)
    assert _count(*zip(predicted, reference, strict=True)) == whole


def test_the_best_reference_is_the_largest_then_the_smallest_label() -> None:
    assert PredictedOverlap(size_voxels=9, by_reference={7: 3, 4: 4, 9: 2}).best == 4
    assert PredictedOverlap(size_voxels=9, by_reference={7: 3, 4: 3}).best == 4
    assert PredictedOverlap(size_voxels=9).best is None


def test_exactly_half_in_ignored_space_is_not_mostly_ignored() -> None:
    assert not PredictedOverlap(size_voxels=10, ignore_voxels=5).is_mostly_ignored
    assert PredictedOverlap(size_voxels=10, ignore_voxels=6).is_mostly_ignored


def test_blocks_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="predicted labels are"):
        _count((np.zeros((1, 1, 2), np.uint64), np.zeros((1, 1, 1), np.uint64)))


def test_blocks_without_clefts_leave_an_empty_table() -> None:
    assert _count((np.zeros((2, 2, 2), np.uint64), np.full((2, 2, 2), 5, np.uint64))) == {}
