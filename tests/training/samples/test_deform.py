"""Misalignment and warping."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from connectome.training.samples.augment import MARGIN, Augmentation
from connectome.training.samples.deform import Deformation, displacements, section_shifts

SHAPE = (6, 40, 48)
WIDE = (6, 40 + 2 * MARGIN, 48 + 2 * MARGIN)
CALM = Augmentation(misaligned=0, warped=0)
WARPED = Augmentation(misaligned=0, warped=1)


def ramp() -> NDArray[np.float32]:
    """Grey values that tell y and x of a voxel: 1000 y + x."""
    y, x = np.mgrid[: WIDE[1], : WIDE[2]].astype(np.float32)
    return np.broadcast_to(1000 * y + x, WIDE).copy()


def test_without_augmentation_the_middle_is_cut_out() -> None:
    wide = ramp()
    middle = wide[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    for deformation in (Deformation.none(SHAPE), Deformation.draw(SHAPE, CALM, np.random.default_rng(0))):
        assert np.array_equal(deformation.of_image(wide), middle)
        assert np.array_equal(deformation.of_labels(wide), middle)


def test_sections_slip_alone_or_with_all_that_follow_up_to_the_largest_shift() -> None:
    how = Augmentation(misaligned=1, shift=17)
    drawn = [section_shifts(9, how, np.random.default_rng(seed)) for seed in range(300)]
    moved = [np.flatnonzero(shifts.any(1)) for shifts in drawn if shifts.any()]
    slips = sum(len(sections) == 1 and sections[0] < 8 for sections in moved)
    translations = sum(len(sections) > 1 and sections[-1] == 8 for sections in moved)
    assert slips > 90 and translations > 90
    assert all(0 not in sections for sections in moved)
    assert max(np.abs(shifts).max() for shifts in drawn) == 17


def test_a_shift_moves_a_section_and_no_other() -> None:
    shifts = np.zeros((6, 2), np.int64)
    shifts[2] = (5, -3)
    moved = Deformation(shape=SHAPE, shifts=shifts).of_labels(ramp())
    difference = moved - Deformation.none(SHAPE).of_labels(ramp())
    assert (difference[2] == 4997).all()
    assert not np.delete(difference, 2, 0).any()


def test_image_and_labels_are_warped_by_the_same_field() -> None:
    generator = np.random.default_rng(1)
    wide = ramp()
    y, x = (ramp() // 1000, ramp() % 1000)
    deformation = Deformation.draw(SHAPE, WARPED, generator)
    assert deformation.field is not None and np.abs(deformation.field).max() > 1
    image, labels = deformation.of_image(wide), deformation.of_labels(wide)
    assert np.abs(image // 1000 - labels // 1000).max() <= 1
    inside = deformation.of_image(y), deformation.of_image(x)
    assert np.abs(inside[0] - deformation.of_labels(y)).max() <= 0.501
    assert np.abs(inside[1] - deformation.of_labels(x)).max() <= 0.501


def test_ids_beyond_what_doubles_hold_survive_warping() -> None:
    ids = np.full(WIDE, 2**63 - 1, np.uint64)
    ids[:, :, : WIDE[2] // 2] = 2**53 + 1
    warped = Deformation.draw(SHAPE, WARPED, np.random.default_rng(3)).of_labels(ids)
    assert set(np.unique(warped)) == {2**53 + 1, 2**63 - 1}


def test_a_warp_is_smooth_and_never_leaves_the_margin() -> None:
    how = Augmentation(misaligned=1, shift=17, warped=1, rotation_degrees=20, scale=0.3, elastic=4)
    for seed in range(30):
        deformation = Deformation.draw((4, 160, 160), how, np.random.default_rng(seed))
        assert deformation.field is not None
        reach = np.abs(deformation.field).max() + np.abs(deformation.shifts).max()
        assert reach <= MARGIN - 1 + 1e-3
        assert max(np.abs(np.diff(deformation.field, axis=axis)).max() for axis in (1, 2)) < 1


def test_the_largest_turn_and_size_are_kept() -> None:
    how = Augmentation(misaligned=0, warped=1, rotation_degrees=5, scale=0.1, elastic=0)
    for seed in range(30):
        field = Deformation.draw((1, 65, 65), how, np.random.default_rng(seed)).field
        assert field is not None
        gradient = np.array([field[:, 33, 32] - field[:, 32, 32], field[:, 32, 33] - field[:, 32, 32]])
        size = np.hypot(1 + gradient[0, 0], gradient[0, 1])
        assert 1 / 1.1 - 1e-3 <= size <= 1.1 + 1e-3
        assert abs(np.rad2deg(np.arctan2(gradient[0, 1], 1 + gradient[0, 0]))) <= 5.01
        assert np.abs(field[:, 32, 32]).max() < 1e-4


def test_a_stretched_sample_changes_its_size_along_one_direction() -> None:
    how = Augmentation(rotation_degrees=0, scale=0, elastic=0, stretch=0.2)
    for seed in range(20):
        field = displacements((41, 41), how, np.random.default_rng(seed)).astype(float)
        slopes = np.array(
            [[(field[i, 40, 20] - field[i, 0, 20]) / 40, (field[i, 20, 40] - field[i, 20, 0]) / 40] for i in range(2)]
        )
        changes = np.sort(np.abs(np.linalg.eigvals(slopes).real))
        assert changes[0] == pytest.approx(0, abs=1e-5)
        assert changes[1] <= 0.2 + 1e-5
        assert np.allclose(field[:, 20, 20], 0, atol=1e-5)
