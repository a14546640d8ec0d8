"""Which working grid follows from a volume and a model."""

from __future__ import annotations

import pytest

from connectome.geometry import Grid, NmTriple
from connectome.volumes.model_grid import ModelGrid, common_anchor_nm

MODEL = ModelGrid(resolution_nm=(30, 12, 12), pixel_nm=(6, 20), section_nm=(25, 35))


def grid(resolution_nm: NmTriple, offset_nm: NmTriple = (0, 0, 0)) -> Grid:
    return Grid(shape=(100, 100, 100), resolution_nm=resolution_nm, offset_nm=offset_nm)


@pytest.mark.parametrize(
    ("spacing_nm", "working_nm"),
    [
        (30, 30),
        (30.01, 30),  # rounded metadata
        (15, 30),
        (10, 30),
        (6, 30),
        (25, 25),
        (29, 29),
        (33, 33),
        (40, 40),
        (47.5, 47.5),
        (8, 32),
        (4, 32),
        (16, 32),
        (13, 26),
        (20, 40),  # neither one nor two of them lie within the range
        (60, 60),
    ],
)
def test_sections_stay_what_they_are_or_are_grouped_into_the_trained_range(
    spacing_nm: float, working_nm: float
) -> None:
    assert MODEL.working_nm(grid((spacing_nm, 4, 4))) == (working_nm, 12, 12)


@pytest.mark.parametrize(
    ("levels", "best"),
    [
        ([(40, 4, 4), (40, 8, 8), (40, 16, 16), (40, 32, 32)], 1),
        ([(40, 4, 4), (80, 8, 8)], 0),  # a level that blends thick sections isn't read
        ([(10, 10, 10), (20, 20, 20)], 0),
        ([(4, 4, 4), (8, 8, 8), (16, 16, 16)], 1),
        ([(15, 3, 3), (15, 6, 6), (30, 12, 12), (60, 24, 24)], 2),
        ([(30, 16, 16), (30, 32, 32)], 0),
        ([(30, 6, 6), (30, 12.1, 12.1)], 1),
    ],
)
def test_the_coarsest_level_that_is_not_coarser_than_needed_is_read(levels: list[NmTriple], best: int) -> None:
    assert MODEL.best_level([grid(level) for level in levels]) == best


def test_a_model_says_what_it_was_not_trained_for() -> None:
    assert MODEL.concerns(grid((30, 12, 12))) == []
    assert MODEL.concerns(grid((10, 10, 10))) == []
    assert MODEL.concerns(grid((40, 8, 8))) == ["sections 40 nm apart, the model was trained for 25 to 35 nm"]
    pixels, sections = MODEL.concerns(grid((47.5, 4.6, 4.6)))
    assert pixels == "pixels of 4.6x4.6 nm, the model was trained for 6 to 20 nm"
    assert "47.5" in sections


@pytest.mark.parametrize(
    ("resolution_nm", "far"),
    [((47.5, 4.6, 4.6), False), ((40, 8, 8), False), ((4, 4, 4), False), ((60, 8, 8), True), ((30, 40, 40), True)],
)
def test_voxels_far_coarser_than_those_of_training_are_told_apart(resolution_nm: NmTriple, far: bool) -> None:
    assert MODEL.is_far(grid(resolution_nm)) is far


def test_the_working_grid_begins_where_the_segmentation_begins() -> None:
    image, segmentation = grid((30, 4, 4)), grid((30, 16, 16), (60, 8, 16))
    assert common_anchor_nm(image, segmentation, (30, 12, 12)) == (60, 8, 16)


def test_an_image_that_lies_between_the_segmentations_voxels_is_not_blended() -> None:
    image, segmentation = grid((40, 12, 12), (15, 5, 0)), grid((40, 12, 12))
    assert common_anchor_nm(image, segmentation, (40, 12, 12)) == (15, 5, 0)
    assert common_anchor_nm(grid((40, 16, 16), (0, 5, 0)), segmentation, (40, 12, 12)) == (0, 0, 0)
