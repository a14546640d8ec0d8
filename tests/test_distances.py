"""The target transforms against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label

from connectome.distances import REACH_NM, reach_voxels, signed_proximity, signed_tanh_distance, skeleton

RESOLUTION = (30.0, 12.0, 12.0)
SHAPE = (7, 20, 18)
SQUARE = np.ones((3, 3), bool)


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
    d = distances(SHAPE, skeleton(cleft))
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


@settings(deadline=None, max_examples=200)
@given(arrays(bool, (2, 12, 12), elements=st.booleans()), st.integers(0, 2))
def test_a_skeleton_keeps_the_parts_and_the_holes_of_each_section(mask: NDArray[np.bool_], wider: int) -> None:
    if wider:
        mask = np.asarray(binary_dilation(mask & (np.indices(mask.shape).sum(0) % 5 == 0), SQUARE[None], wider))
    thin = skeleton(mask)
    assert not (thin & ~mask).any()
    assert (skeleton(thin) == thin).all()
    for section, line in zip(mask, thin, strict=True):
        assert label(section, SQUARE)[1] == label(line, SQUARE)[1]
        assert label(np.pad(~section, 1, constant_values=True))[1] == label(np.pad(~line, 1, constant_values=True))[1]


def test_a_thick_bar_becomes_a_line_along_its_middle() -> None:
    bar = np.zeros((1, 11, 40), bool)
    bar[0, 2:9, 3:37] = True
    thin = skeleton(bar)
    middle = thin[0, :, 8:32]
    assert (middle.sum(0) == 1).all()
    assert set(np.nonzero(middle)[0]) <= {4, 5, 6}
