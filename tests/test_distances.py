"""The target transforms against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from connectome.distances import (
    REACH_NM,
    proximity,
    reach_voxels,
    signed_proximity,
    signed_tanh_distance,
    skeleton_distance_nm,
)

RESOLUTION = (30.0, 12.0, 12.0)
SHAPE = (7, 20, 18)


def distances(shape: tuple[int, ...], to: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The distance in nm of every voxel to the nearest voxel of `to`, one by one."""
    nm = np.array(RESOLUTION)
    targets = np.argwhere(to) * nm
    places = np.argwhere(np.ones(shape, bool)) * nm
    return np.array([np.sqrt(((targets - place) ** 2).sum(1).min()) for place in places]).reshape(shape)


def blobs(seed: int, share: float = 0.004) -> NDArray[np.bool_]:
    """A few random blobs."""
    mask = np.random.default_rng(seed).random(SHAPE) < share
    return np.asarray(binary_dilation(mask, np.ones((2, 3, 4), bool)))


@pytest.mark.parametrize("seed", range(5))
def test_the_signed_distance_is_that_of_brute_force(seed: int) -> None:
    mask = blobs(seed)
    assert mask.any()
    expected = np.where(mask, distances(SHAPE, ~mask), -distances(SHAPE, mask))
    found = signed_tanh_distance(mask, RESOLUTION)
    assert found.dtype == np.float32
    near = expected > -REACH_NM
    np.testing.assert_allclose(found[near], np.tanh(expected[near] / 50), atol=1e-6)
    assert (found[~near] <= np.tanh(-REACH_NM / 50) + 1e-6).all()
    assert ((found > 0) == mask).all()


def test_masks_without_a_border_are_as_far_from_one_as_can_be() -> None:
    assert (signed_tanh_distance(np.zeros(SHAPE, bool), RESOLUTION) == -1).all()
    assert (signed_tanh_distance(np.ones(SHAPE, bool), RESOLUTION) == 1).all()


def test_the_distance_is_in_nm_along_each_axis() -> None:
    mask = np.zeros((5, 5, 5), bool)
    mask[2, 2, 2] = True
    found = np.arctanh(signed_tanh_distance(mask, (40.0, 8.0, 4.0))) * 50
    assert found[1, 2, 2] == pytest.approx(-40, rel=1e-4)
    assert found[2, 1, 2] == pytest.approx(-8, rel=1e-4)
    assert found[2, 2, 0] == pytest.approx(-8, rel=1e-4)
    assert found[2, 2, 2] == pytest.approx(4, rel=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_the_signed_proximity_is_that_of_brute_force(seed: int) -> None:
    cleft = blobs(seed, 0.002)
    assert cleft.any()
    pre, post = np.zeros((2, *SHAPE), bool)
    pre[:, :9], post[:, 11:] = True, True
    d = distances(SHAPE, skeleton_distance_nm(cleft, RESOLUTION) == 0)
    expected = np.exp(-(d**2) / 5000) * (2 / (1 + np.exp(-5 * d)) - 1) * (pre.astype(int) - post)
    found = signed_proximity(cleft, pre, post, RESOLUTION)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.012)
    near = d < REACH_NM
    np.testing.assert_allclose(found[near], expected[near], atol=1e-6)


def test_without_a_cleft_nothing_is_near() -> None:
    everywhere = np.ones(SHAPE, bool)
    assert not signed_proximity(~everywhere, everywhere, ~everywhere, RESOLUTION).any()


def test_the_margin_is_the_reach_in_whole_voxels() -> None:
    assert reach_voxels(RESOLUTION) == (5, 13, 13)


def bar() -> NDArray[np.bool_]:
    mask = np.zeros((5, 21, 30), bool)
    mask[2, 9:12, 5:25] = True
    return mask


def test_the_distance_is_counted_in_nm_from_the_middle_line() -> None:
    distance = skeleton_distance_nm(bar(), RESOLUTION)
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
    signed = signed_proximity(bar(), pre, post, RESOLUTION)
    assert (signed[pre] >= 0).all() and signed[2, 8, 15] > 0.8
    assert (signed[post] <= 0).all() and signed[2, 12, 15] < -0.8
    assert not signed[:, 9:12].any()
    assert np.array_equal(signed_proximity(bar(), post, pre, RESOLUTION), -signed)
