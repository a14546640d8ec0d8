"""Counted fractions and their intervals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectome.evaluate.intervals import ratio, wilson_interval

Z = 1.959963984540054


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_that_of_wilson_and_holds_the_fraction(counts: tuple[int, int]) -> None:
    successes, n = counts
    fraction, scale = successes / n, 1 + Z * Z / n
    centre = (fraction + Z * Z / (2 * n)) / scale
    half = Z / scale * math.sqrt(fraction * (1 - fraction) / n + Z * Z / (4 * n * n))
    low, high = wilson_interval(successes, n)
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-9)
    assert 0 <= low <= fraction <= high <= 1


def test_without_trials_nothing_is_known() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert ratio(0, 0) == 0.0


@pytest.mark.parametrize("counts", [(-1, 3), (4, 3), (1, 0)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError):
        wilson_interval(*counts)
