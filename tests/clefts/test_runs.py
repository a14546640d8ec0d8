"""Runs of voxels and their components."""

from __future__ import annotations

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectome.clefts.runs import Connectivity, Runs, place_in_run
from connectome.geometry import Box, Triple, triple

shapes = st.tuples(*[st.integers(0, 8)] * 3).map(triple)


@given(shapes, st.floats(0, 1), st.integers(0, 10**6))
def test_the_voxels_of_the_runs_are_the_foreground_in_order(shape: Triple, density: float, seed: int) -> None:
    foreground = np.random.default_rng(seed).random(shape) < density
    runs = Runs.of(foreground)
    assert np.array_equal(runs.voxels(shape), np.flatnonzero(foreground))
    assert (runs.length > 0).all()
    wide = np.zeros((shape[0] + 3, shape[1] + 4, shape[2] + 5), bool)
    wide[2 : 2 + shape[0], 1 : 1 + shape[1], 3 : 3 + shape[2]] = foreground
    assert np.array_equal(runs.voxels(triple(wide.shape), (2, 1, 3)), np.flatnonzero(wide))


@given(shapes, shapes, shapes, st.integers(0, 10**6))
def test_runs_within_a_part_are_the_runs_of_the_part(shape: Triple, one: Triple, other: Triple, seed: int) -> None:
    foreground = np.random.default_rng(seed).random(shape) < 0.5
    box = Box(triple(map(min, one, other)), triple(map(max, one, other))).intersect(Box.of_shape(shape))
    inside, kept = Runs.of(foreground).within(box)
    wanted = Runs.of(foreground[box.slices()])
    assert inside.shape == wanted.shape
    for name in ("z", "y", "start", "stop"):
        assert np.array_equal(getattr(inside, name), getattr(wanted, name))
    assert len(kept) == len(wanted.start)


@settings(max_examples=200, deadline=None)
@given(st.tuples(*[st.integers(4, 12)] * 3).map(triple), st.floats(0.02, 0.8), st.integers(0, 10**6))
@pytest.mark.parametrize("connectivity", Connectivity)
def test_components_are_those_of_cc3d(connectivity: Connectivity, shape: Triple, density: float, seed: int) -> None:
    foreground = np.random.default_rng(seed).random(shape) < density
    runs = Runs.of(foreground)
    found = np.zeros(shape, np.int64)
    found.reshape(-1)[runs.voxels(shape)] = np.repeat(runs.components(connectivity) + 1, runs.length)
    wanted = cc3d.connected_components(foreground, connectivity=int(connectivity))
    pairs = np.unique(np.stack([found.ravel(), wanted.ravel().astype(np.int64)]), axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]
    firsts = [np.flatnonzero(found.ravel() == n)[0] for n in range(1, found.max() + 1)]
    assert firsts == sorted(firsts)


def test_places_begin_anew_in_each_run() -> None:
    assert place_in_run(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
    assert place_in_run(np.zeros(0, np.int64)).tolist() == []
