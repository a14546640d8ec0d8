"""Grey values, sharpness, noise, missing sections."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from connectome.geometry import Box
from connectome.training.samples.augment import Augmentation
from connectome.training.samples.photograph import photograph, through_pixels
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind

SPANS = ("spacing", "finest", "coarsest")
OFF = Augmentation(**{field.name: 0 for field in fields(Augmentation) if field.name not in SPANS})
"""Everything switched off."""


def noise_image(depth: int = 15) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0.2, 0.8, (depth, 16, 16)).astype(np.float32)


def blanked(image: NDArray[np.float32]) -> list[int]:
    return [z for z in range(len(image)) if np.ptp(image[z]) == 0]


def test_photographs_stay_in_range_and_differ() -> None:
    image = np.random.default_rng(0).random((6, 16, 16), np.float32)
    for seed in range(20):
        out = photograph(image.copy(), Augmentation(), np.random.default_rng(seed))
        assert out.dtype == np.float32
        assert out.min() >= 0 and out.max() <= 1
        assert not np.array_equal(out, image)


def test_with_all_strengths_at_zero_the_image_stays_as_it_is() -> None:
    image = noise_image()
    assert np.allclose(photograph(image.copy(), OFF, np.random.default_rng(0)), image, atol=1e-6)


def test_sections_go_missing_apart_in_pairs_and_in_part_but_never_more_than_a_third() -> None:
    how = replace(OFF, missing=1, sections=5)
    image = noise_image()
    whole, partly = [], 0
    for seed in range(200):
        out = photograph(image.copy(), how, np.random.default_rng(seed))
        missing = blanked(out)
        whole.append(missing)
        partly += not missing and not np.allclose(out, image)
    assert max(map(len, whole)) == 5
    assert sum(len(m) == 2 and m[1] == m[0] + 1 for m in whole) > 30
    assert partly > 30
    assert np.allclose(photograph(image[:2].copy(), how, np.random.default_rng(0)), image[:2])


def test_some_sections_are_blurred_and_the_others_stay() -> None:
    image = noise_image()
    out = photograph(image.copy(), replace(OFF, blurred=1, sections=5), np.random.default_rng(1))
    spread = out.std((1, 2)) / image.std((1, 2))
    assert 1 <= (spread < 0.9).sum() <= 5
    assert np.allclose(spread[spread >= 0.9], 1)


def test_noise_differs_by_section_and_grain_keeps_its_strength() -> None:
    image = np.full((15, 64, 64), 0.5, np.float32)
    coarse = 0
    for seed in range(20):
        out = photograph(image.copy(), replace(OFF, noisy=1, noise=0.06, grain=0.8), np.random.default_rng(seed))
        assert out.std((1, 2)).max() < 0.065
        assert np.ptp(out.std((1, 2))) > 0
        neighbours = np.corrcoef(out[:, :, 1:].ravel(), out[:, :, :-1].ravel())[0, 1]
        coarse += neighbours > 0.1
    assert 2 <= coarse <= 15


def test_contrast_and_brightness_differ_by_section() -> None:
    image = noise_image()
    out = photograph(image.copy(), replace(OFF, contrast=0.3, section_jitter=1), np.random.default_rng(2))
    assert np.ptp(out.std((1, 2)) / image.std((1, 2))) > 0.1
    out = photograph(image.copy(), replace(OFF, brightness=0.1, section_jitter=1), np.random.default_rng(2))
    assert np.ptp(out.mean((1, 2)) - image.mean((1, 2))) > 0.05


def test_pixels_of_the_same_size_change_nothing() -> None:
    image = noise_image(2)
    assert np.allclose(through_pixels(image, 1.0, 0.0), image, atol=1e-6)


@pytest.mark.parametrize("size", [0.5, 0.7, 1.33, 1.67])
def test_pixels_of_another_size_keep_grey_values_and_places_and_coarse_ones_lose_sharpness(size: float) -> None:
    flat = np.full((1, 40, 48), 0.3, np.float32)
    y, x = np.mgrid[:40, :48].astype(np.float32)
    ramp = (0.01 * y + 0.005 * x)[None]
    sharp = np.random.default_rng(0).random((3, 40, 48), np.float32)
    for phase in (0.0, 0.4):
        assert np.allclose(through_pixels(flat, size, phase), flat, atol=1e-6)
        moved = through_pixels(ramp, size, phase) - ramp
        assert np.abs(moved[:, 3:-3, 3:-3]).max() < 0.003  # a fifth of what lies between two pixels
        assert through_pixels(sharp, size, phase).std() < (0.95 if size > 1 else 1.01) * sharp.std()


def test_images_that_a_build_brings_to_the_models_pixel_look_like_samples_through_such_pixels() -> None:
    """Pixels of 16 nm, averaged from 12 nm by hand, and a working grid of 12 nm over them."""
    fine = np.random.default_rng(1).integers(40, 200, (1, 48, 48)).astype(np.uint8)
    coarse = through_pixels(fine.astype(np.float32) / 255, 4 / 3, 0.0)
    thirds = fine[0].repeat(3, 0).repeat(3, 1).reshape(36, 4, 36, 4).mean((1, 3))
    volume = Volume.create("memory://coarse", shape=(1, 36, 36), dtype=np.uint8, resolution_nm=(30, 16, 16))
    volume.write(volume.box, np.rint(thirds).astype(np.uint8)[None])
    view = GridView(volume, resolution_nm=(30, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    assert np.abs(view.read(Box.of_shape((1, 48, 48))) / 255 - coarse).max() < 1.5 / 255


def test_the_chance_of_other_pixels_is_kept() -> None:
    image = noise_image(3)
    how = replace(OFF, resampled=0.5)
    changed = sum(
        not np.allclose(photograph(image.copy(), how, np.random.default_rng(s)), image, atol=1e-6) for s in range(200)
    )
    assert 70 < changed < 130
