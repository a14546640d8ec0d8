from __future__ import annotations

import numpy as np

from connectome.tuning.grid import ParameterGrid, TunedGrid, choose, f1_of, precision_recall

GRID = ParameterGrid.usual()


def test_the_cells_of_a_grid_are_all_combinations() -> None:
    cells = [GRID.cell(index) for index in GRID]
    assert len(cells) == len({tuple(cell.values()) for cell in cells}) == np.prod(GRID.shape)
    assert (cells[0]["threshold"], cells[-1]["min_score"]) == (0.05, 0.4)


def test_f1_precision_and_recall_are_0_where_nothing_was_predicted_or_annotated() -> None:
    counts = np.array([[0, 0, 5], [0, 0, 0], [3, 4, 6]])
    assert f1_of(counts).tolist() == [0, 0, 0.6]
    precision, recall = precision_recall(counts)
    assert (precision.tolist(), recall.tolist()) == ([0, 0, 0.75], [0, 0, 0.5])


def test_each_volume_counts_by_its_weight_and_not_by_its_size() -> None:
    grid = ParameterGrid({axis: values[:1] for axis, values in GRID.tried.items()})
    counts = np.array([[1, 2, 2], [900, 1000, 1000]]).reshape(2, 1, 1, 1, 1, 1, 1, 1, 1, 3)
    assert TunedGrid(grid=grid, counts=counts, weights=np.array([1.0, 1.0])).f1.item() == 0.7
    assert TunedGrid(grid=grid, counts=counts, weights=np.array([3.0, 1.0])).f1.item() == 0.6


def test_a_plateau_is_preferred_to_a_peak_that_is_hardly_higher() -> None:
    f1 = np.full((7, 6, 1, 1, 1), 0.3)
    f1[2:5, 1:4] = 0.85
    f1[6, 5] = 0.853
    assert choose(f1) == (3, 2, 0, 0, 0)
    f1[6, 5] = 0.87
    assert choose(f1) == (6, 5, 0, 0, 0)


def test_of_equal_settings_duplicates_and_the_score_cut_stay_off_and_the_rest_lies_in_the_middle() -> None:
    assert choose(np.full(GRID.shape, 0.5)) == (4, 2, 1, 0, 0, 0, 0, 0)
