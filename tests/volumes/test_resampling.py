"""Sums of grey values."""

from __future__ import annotations

import numpy as np
import pytest

from connectome.volumes.resampling import block_mean


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_the_mean_of_extremes_does_not_overflow(dtype: str) -> None:
    for value in (np.iinfo(dtype).min, np.iinfo(dtype).max):
        block = np.full((4, 40, 40), value, dtype)
        assert (block_mean(block, (4, 40, 40)) == value).all()


def test_the_mean_of_floats_is_not_rounded() -> None:
    assert block_mean(np.array([[[1.0, 2.0]]], np.float32), (1, 1, 2)).item() == 1.5
