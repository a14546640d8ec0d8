"""What the pruners are shown while they are trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectome.networks.checkpoint import Normalisation
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.training.samples.augment import Augmentation, SampleShape
from connectome.training.samples.batches import Sample
from connectome.training.samples.pruner_samples import draw_pair, mask_pruner_sample, proximity_pruner_sample

segments = st.integers(1, 8)
pairs = st.tuples(segments, segments).filter(lambda pair: pair[0] != pair[1])


@pytest.fixture
def data(folder: Path) -> Dataset:
    return Dataset(DataSource(folder=folder))


def shape_of(augmentation: Augmentation | None) -> SampleShape:
    return SampleShape(patch_shape=(4, 24, 24), normalisation=Normalisation(), augmentation=augmentation)


def drawn(data: Dataset, make: object, count: int, augmentation: Augmentation | None = None) -> list[Sample]:
    assert callable(make)
    return [make(data, shape_of(augmentation), np.random.default_rng(seed)) for seed in range(count)]


def test_a_sample_is_true_where_the_first_segment_is_pre_and_the_second_post(data: Dataset) -> None:
    answers = []
    for sample in drawn(data, mask_pruner_sample, 40):
        grey, mask, first, second = sample.inputs
        assert mask.any() and first.any() and second.any()
        assert not (first * second).any()
        darker_first = bool(grey[first > 0].mean() < grey[second > 0].mean())
        assert float(sample.targets.item()) == darker_first  # the pre segment of this world is the darker one
        answers.append(darker_first)
    assert 10 < sum(answers) < 35


def test_the_guessed_proximity_follows_the_pair_under_test_and_not_the_truth(data: Dataset) -> None:
    answers = set()
    for sample in drawn(data, proximity_pruner_sample, 30):
        _, signed, first, second = sample.inputs
        assert (signed[first > 0] >= 0).all() and (signed[second > 0] <= 0).all()
        assert signed.max() > 0.3 and signed.min() < -0.3
        answers.add(float(sample.targets.item()))
    assert answers == {0.0, 1.0}


def test_the_proximity_of_a_detector_says_the_direction_whatever_pair_is_tested(data: Dataset) -> None:
    agrees = {True: 0, False: 0}
    for sample in drawn(data, proximity_pruner_sample, 120, Augmentation(missing=0, misaligned=0)):
        _, signed, first, second = sample.inputs
        direction = float(signed[first > 0].mean() - signed[second > 0].mean())
        agrees[direction > 0] += 1
        assert np.abs(signed).max() <= 1
    assert agrees[False] > 10  # never so where the proximity is guessed from the pair
    assert agrees[True] > 60


def test_augmented_samples_are_the_same_for_the_same_seed(data: Dataset) -> None:
    for make in (mask_pruner_sample, proximity_pruner_sample):
        for first, second in zip(*(drawn(data, make, 5, Augmentation()) for _ in range(2)), strict=True):
            assert np.array_equal(first.inputs, second.inputs)
            assert first.inputs.shape == (4, 4, 24, 24)


@given(st.sets(pairs, min_size=1, max_size=3), st.sets(segments, max_size=6), st.integers(0, 50))
def test_a_drawn_pair_has_two_segments_and_all_kinds_come_up(
    true: set[tuple[int, int]], touching: set[int], seed: int
) -> None:
    partners = {segment for pair in true for segment in pair}
    present = partners | touching
    generator = np.random.default_rng(seed)
    found = {draw_pair(true, sorted(touching), present, generator) for _ in range(60)}
    assert all(first != second and {first, second} <= present for first, second in found)
    assert found & true
    swapped = {(post, pre) for pre, post in true} - true
    assert not swapped or found & swapped
    others = {(a, b) for a in touching for b in touching if a != b} - true - swapped
    assert not others or found & others


def test_a_bystander_stands_in_where_only_the_partners_touch_the_cleft() -> None:
    generator = np.random.default_rng(0)
    found = {draw_pair({(1, 2)}, [1, 2], {1, 2, 7}, generator) for _ in range(60)}
    assert found == {(1, 2), (2, 1), (1, 7), (7, 1), (2, 7), (7, 2)}
