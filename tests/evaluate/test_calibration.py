from __future__ import annotations

import numpy as np
import pytest

from connectome.evaluate.calibration import Binning, expected_calibration_error, reliability


def test_the_error_is_the_mean_gap_between_promise_and_truth() -> None:
    probability = np.array([0.95] * 4 + [0.25] * 4)
    correct = np.array([True, True, True, False, True, False, False, False])
    assert expected_calibration_error(probability, correct) == pytest.approx(0.5 * 0.2 + 0.5 * 0.0)
    high = reliability(probability, correct, Binning.EQUAL_WIDTH)[-1]
    assert (high.n, high.confidence, high.accuracy) == (4, pytest.approx(0.95), 0.75)
    assert high.interval.low < 0.75 < high.interval.high


def test_the_ends_of_the_scale_fall_into_the_outer_bins() -> None:
    found = reliability(np.array([0.0, 1.0, 0.1]), np.array([False, True, True]), Binning.EQUAL_WIDTH)
    assert [b.n for b in found] == [1, 1, 1]
    assert [b.confidence for b in found] == [0.0, 0.1, 1.0]


def test_equal_mass_bins_differ_by_at_most_one_and_hold_all() -> None:
    probability = np.linspace(0.9, 1.0, 37) ** 2
    found = reliability(probability, np.ones(37, bool), Binning.EQUAL_MASS)
    assert sorted({b.n for b in found}) == [3, 4]
    assert sum(b.n for b in found) == 37
    assert [b.confidence for b in found] == sorted(b.confidence for b in found)


def test_perfect_probabilities_have_a_small_error_and_shifted_ones_a_large_one() -> None:
    generator = np.random.default_rng(0)
    probability = generator.random(20_000)
    correct = generator.random(20_000) < probability
    for binning in Binning:
        assert expected_calibration_error(probability, correct, binning) < 0.02
        assert expected_calibration_error(np.sqrt(probability), correct, binning) > 0.1


def test_nothing_predicted_is_no_error() -> None:
    assert expected_calibration_error(np.zeros(0), np.zeros(0, bool)) == 0.0
