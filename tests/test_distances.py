"""Distances to clefts and signed proximity."""

from __future__ import annotations

import numpy as np

from connectome.distances import proximity, signed_proximity, skeleton_distance_nm

RESOLUTION_NM = (30.0, 12.0, 12.0)


def cleft() -> np.ndarray:
    mask = np.zeros((5, 21, 30), bool)
    mask[2, 9:12, 5:25] = True
    return mask


def test_the_distance_is_counted_in_nm_from_the_middle_line() -> None:
    distance = skeleton_distance_nm(cleft(), RESOLUTION_NM)
    assert distance.dtype == np.float32
    assert distance[2, 10, 15] == 0
    assert distance[2, 6, 15] == 4 * 12
    assert distance[4, 10, 15] == 2 * 30
    assert np.isclose(distance[3, 7, 15], np.hypot(30, 36))


def test_the_proximity_is_zero_on_the_line_and_falls_like_a_gaussian_beside_it() -> None:
    values = proximity(np.array([0, 12, 50, 100, np.inf], np.float32))
    assert values[0] == 0
    assert np.allclose(values[1:], [*np.exp(-(np.array([12, 50, 100]) ** 2) / 5000), 0], atol=1e-6)


def test_the_sign_says_pre_and_post_and_swapping_them_swaps_it() -> None:
    pre, post = np.zeros((2, 5, 21, 30), bool)
    pre[:, :9], post[:, 12:] = True, True
    signed = signed_proximity(cleft(), pre, post, RESOLUTION_NM)
    assert (signed[pre] >= 0).all() and signed[2, 8, 15] > 0.8
    assert (signed[post] <= 0).all() and signed[2, 12, 15] < -0.8
    assert not signed[:, 9:12].any()
    assert np.array_equal(signed_proximity(cleft(), post, pre, RESOLUTION_NM), -signed)


def test_without_a_cleft_nothing_is_near() -> None:
    nothing = np.zeros((3, 8, 8), bool)
    assert not signed_proximity(nothing, ~nothing, nothing, RESOLUTION_NM).any()
