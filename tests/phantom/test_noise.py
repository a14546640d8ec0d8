"""Noise is a function of the voxel alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from connectome.geometry import Box
from connectome.phantom.noise import bump, smooth_noise, smooth_noise_at, wave, white_noise

WHOLE = Box((-7, -20, -20), (9, 30, 41))
PERIOD = (3, 8, 5)


@st.composite
def parts(draw: st.DrawFn) -> Box:
    start = [draw(st.integers(a, b - 1)) for a, b in zip(WHOLE.start, WHOLE.stop, strict=True)]
    stop = [draw(st.integers(a + 1, b)) for a, b in zip(start, WHOLE.stop, strict=True)]
    return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


@given(parts())
@settings(max_examples=40, deadline=None)
def test_noise_of_a_part_equals_that_part_of_the_whole(part: Box) -> None:
    inner = part.slices(WHOLE.start)
    assert np.array_equal(white_noise(part, 5), white_noise(WHOLE, 5)[inner])
    assert np.array_equal(smooth_noise(part, PERIOD, 5), smooth_noise(WHOLE, PERIOD, 5)[inner])


def test_smooth_noise_at_voxels_equals_that_of_the_box() -> None:
    voxels = np.argwhere(np.ones(WHOLE.shape)) + np.array(WHOLE.start)
    assert np.allclose(smooth_noise_at(voxels, PERIOD, 9), smooth_noise(WHOLE, PERIOD, 9).ravel(), atol=1e-5)


def test_white_noise_is_centred_with_unit_spread_and_differs_by_seed() -> None:
    box = Box((0, 0, 0), (20, 64, 64))
    noise = white_noise(box, 1)
    assert abs(float(noise.mean())) < 0.02
    assert abs(float(noise.std()) - 1) < 0.02
    assert abs(float(np.corrcoef(noise.ravel(), white_noise(box, 2).ravel())[0, 1])) < 0.02


def test_wave_and_bump_are_close_to_the_functions_they_stand_for() -> None:
    at = np.linspace(-2, 2, 401, dtype=np.float32)
    assert np.abs(wave(at) - np.sin(2 * np.pi * at)).max() < 0.08
    assert np.abs(bump(at) - np.exp(-(at**2))).max() < 0.08
