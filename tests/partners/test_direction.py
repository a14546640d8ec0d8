"""The side of a cleft that candidates are on."""

from __future__ import annotations

import numpy as np
import pytest

from connectome.partners.nearest import direction_scores


def test_each_candidate_has_the_mean_of_its_voxels_near_the_cleft() -> None:
    proximity = np.array([[[0.8, 0.4, -0.6, -0.2, -1.0]]], np.float32)
    slots = np.array([[[0, 0, 1, 1, 0]]])
    near = np.array([[[True, True, True, True, False]]])
    found = direction_scores(proximity, near, slots, 2)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx([0.6, -0.4])


def test_other_voxels_count_for_nobody_and_a_candidate_without_voxels_has_no_side() -> None:
    proximity = np.full((1, 2, 2), 0.5, np.float32)
    slots = np.array([[[-1, -1], [1, -1]]])
    near = np.ones((1, 2, 2), bool)
    assert direction_scores(proximity, near, slots, 3).tolist() == [0.0, 0.5, 0.0]
    assert direction_scores(proximity, near, np.full((1, 2, 2), -1), 0).tolist() == []
