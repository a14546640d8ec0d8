"""From predictions to the strength that is labelled, and from exact targets back to their clefts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectome.clefts.representations import JOIN_NM, Representation, signed_values
from connectome.geometry import Box, NmTriple, triple
from connectome.networks.checkpoint import Method

RESOLUTION: NmTriple = (30.0, 12.0, 12.0)
SIGNED = Representation(Method.SIGNED_PROXIMITY, RESOLUTION)


def brute_strength(prediction: NDArray[np.uint8], resolution_nm: NmTriple) -> NDArray[np.uint8]:
    """Voxel by voxel: the weaker of the strongest values of both signs within the disc, as a share of 127."""
    out = np.zeros(prediction.shape, np.uint8)
    _, height, width = prediction.shape
    y, x = np.indices((height, width))
    for z, i, j in np.ndindex(prediction.shape):
        near = np.hypot((y - i) * resolution_nm[1], (x - j) * resolution_nm[2]) <= JOIN_NM
        near |= abs(y - i) + abs(x - j) <= 1
        values = prediction[z][near].astype(int) - 128
        out[z, i, j] = int(max(min(values.max(), -values.min(), 127), 0) * 255 / 127 + 0.5)
    return out


@pytest.mark.parametrize("resolution_nm", [(30.0, 12.0, 12.0), (40.0, 8.0, 16.0), (50.0, 40.0, 40.0)])
def test_the_strength_of_a_signed_prediction_is_that_of_brute_force(resolution_nm: NmTriple) -> None:
    prediction = np.random.default_rng(0).integers(0, 256, (2, 14, 11)).astype(np.uint8)
    found = Representation(Method.SIGNED_PROXIMITY, resolution_nm).strength(prediction)
    assert np.array_equal(found, brute_strength(prediction, resolution_nm))


@pytest.mark.parametrize("method", [Method.MASK, Method.STDT])
def test_masks_and_distances_are_their_own_strength(method: Method) -> None:
    prediction = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    representation = Representation(method, RESOLUTION)
    assert np.array_equal(representation.strength(prediction), prediction)
    assert representation.halo == (0, 0, 0)
    assert not representation.is_signed


def test_one_side_alone_is_no_cleft_and_full_sides_are_certain() -> None:
    prediction = np.full((1, 9, 20), 128, np.uint8)
    prediction[:, :4] = 255
    assert not SIGNED.strength(prediction).any()
    prediction[:, 5:] = 1
    strength = SIGNED.strength(prediction)
    assert set(np.flatnonzero(strength[0, :, 10] == 255)) == {2, 3, 4, 5, 6}
    assert set(np.unique(strength)) == {0, 255}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.tuples(*[st.integers(0, 20)] * 4), st.integers(0, 5))
def test_a_box_read_with_its_halo_has_the_strength_of_the_whole(
    seed: int, sides: tuple[int, int, int, int], z: int
) -> None:
    prediction = np.random.default_rng(seed).integers(0, 256, (6, 21, 21)).astype(np.uint8)
    low, high = np.minimum(sides[:2], sides[2:]), np.maximum(sides[:2], sides[2:]) + 1
    box = Box((z, int(low[0]), int(low[1])), (6, int(high[0]), int(high[1])))
    seen = box.grow(SIGNED.halo).intersect(Box.of_shape(triple(prediction.shape)))
    part = SIGNED.strength(prediction[seen.slices()])[box.slices(seen.start)]
    assert np.array_equal(part, SIGNED.strength(prediction)[box.slices()])


def test_signed_values_are_numbers_and_nothing_beyond_what_was_predicted() -> None:
    stored = np.array([[[1, 128, 255]]], np.uint8)
    found = signed_values(stored, Box((0, 0, 0), (1, 1, 5)), Box((0, 0, 1), (9, 9, 4)))
    assert found.dtype == np.float32
    assert found.tolist() == [[[0.0, -1.0, 0.0, 1.0, 0.0]]]
    far = signed_values(np.zeros((0, 1, 1), np.uint8), Box((5, 0, 0), (6, 1, 1)), Box((0, 0, 0), (1, 1, 1)))
    assert found.dtype == far.dtype and not far.any()
