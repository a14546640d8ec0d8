"""The end of a volume within a patch."""

from __future__ import annotations

import numpy as np

from connectome.training.samples.augment import LEAST_SHARE, end_volume

SHAPE = (10, 20, 30)


def test_beyond_the_end_is_the_mirror_image_and_no_answer() -> None:
    generator = np.random.default_rng(0)
    grey = generator.random(SHAPE).astype(np.float32)
    seen = set()
    for _ in range(60):
        shown, weights = end_volume(grey, np.ones(SHAPE, np.float32), 1.0, generator)
        inside = np.argwhere(weights > 0)
        low, high = inside.min(0), inside.max(0) + 1
        assert (weights > 0).sum() == np.prod(high - low)
        own = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        assert np.array_equal(shown[own], grey[own])
        pads = [(int(a), int(n - b)) for a, b, n in zip(low, high, SHAPE, strict=True)]
        assert np.array_equal(shown, np.pad(grey[own], pads, mode="symmetric"))
        assert ((high - low) >= np.floor(LEAST_SHARE * np.array(SHAPE))).all()
        seen |= {(axis, side) for axis in range(3) for side in range(2) if pads[axis][side]}
    assert len(seen) == 6


def test_without_a_chance_nothing_is_drawn() -> None:
    generator, grey = np.random.default_rng(3), np.zeros(SHAPE, np.float32)
    shown, weights = end_volume(grey, grey, 0.0, generator)
    assert shown is grey
    assert weights is grey
    assert generator.random() == np.random.default_rng(3).random()
