"""How strongly to augment, and turns."""

from __future__ import annotations

import numpy as np
import pytest

from connectome.errors import ConfigError
from connectome.training.samples.augment import MARGIN, Augmentation, turn


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("warped", 1.1),
        ("missing", -0.1),
        ("noise", float("nan")),
        ("shift", MARGIN + 1),
        ("gamma", float("inf")),
        ("thinned", 1.5),
        ("spacing", 0.9),
        ("finest", 0.0),
        ("stretch", 0.6),
    ],
)
def test_a_strength_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"augmentation's {name} is .*: it must be a number"):
        Augmentation(**{name: value})


def test_all_arrays_are_turned_alike_and_keep_their_voxels() -> None:
    first = np.arange(2 * 4 * 4).reshape(2, 4, 4)
    seen = set()
    for seed in range(60):
        one, two = turn([first, first + 100], np.random.default_rng(seed))
        assert np.array_equal(one + 100, two)
        assert sorted(one.ravel()) == list(range(32))
        seen.add(one.tobytes())
    assert len(seen) == 16


def test_arrays_that_are_not_square_keep_their_shape() -> None:
    for seed in range(20):
        assert turn([np.zeros((2, 4, 6))], np.random.default_rng(seed))[0].shape == (2, 4, 6)
