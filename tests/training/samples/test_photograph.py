"""Grey values, sharpness, noise, missing sections."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from connectome.training.samples.augment import Augmentation
from connectome.training.samples.photograph import photograph

OFF = Augmentation(**{field.name: 0 for field in fields(Augmentation)})
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
