"""One scale for the grey values of all images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import DTypeLike, NDArray

from connectome.errors import DtypeError, GreyValueError
from connectome.geometry import Box, triple
from connectome.volumes.grey_values import GreyRange, check_image_dtype, grey_table, measure_grey_range
from connectome.volumes.volume import Volume

TARGET = GreyRange(low=78, high=182)


def volume(path: Path, array: NDArray[Any], chunk_shape: tuple[int, int, int] = (16, 32, 32)) -> Volume:
    made = Volume.create(
        path, shape=triple(array.shape), dtype=array.dtype, resolution_nm=(30, 12, 12), chunk_shape=chunk_shape
    )
    made.write(made.box, array)
    return made


def tissue(shape: tuple[int, int, int] = (40, 100, 90), dtype: DTypeLike = np.uint8) -> NDArray[Any]:
    return np.random.default_rng(0).normal(130, 40, shape).clip(2, 250).astype(dtype)


def test_the_range_is_near_the_percentiles_of_the_whole_volume(tmp_path: Path) -> None:
    array = tissue((60, 300, 200))
    found = measure_grey_range(volume(tmp_path / "v", array), "v")
    assert abs(found.low - np.percentile(array, 10)) <= 1
    assert abs(found.high - np.percentile(array, 90)) <= 1


def test_the_range_does_not_depend_on_the_chunks(tmp_path: Path) -> None:
    array = tissue()
    first = measure_grey_range(volume(tmp_path / "a", array, (16, 32, 32)), "a")
    second = measure_grey_range(volume(tmp_path / "b", array, (7, 50, 90)), "b")
    assert first == second


def test_padding_and_saturated_voxels_are_left_out(tmp_path: Path) -> None:
    array = tissue()
    plain = measure_grey_range(volume(tmp_path / "plain", array), "plain")
    padded = array.copy()
    padded[:, :40], padded[:, 40:50], padded[:5] = 0, 255, 0
    found = measure_grey_range(volume(tmp_path / "padded", padded), "padded")
    assert abs(found.low - plain.low) <= 1 and abs(found.high - plain.high) <= 1


def test_padding_and_saturation_at_other_values_are_left_out(tmp_path: Path) -> None:
    array = tissue(dtype=np.uint16) * 8
    plain = measure_grey_range(volume(tmp_path / "plain", array), "plain")
    padded = array.copy()
    padded[:, :40], padded[:, 40:60] = 4095, 7
    found = measure_grey_range(volume(tmp_path / "padded", padded), "padded")
    assert abs(found.low - plain.low) <= 8 and abs(found.high - plain.high) <= 8


def test_a_box_limits_what_is_seen(tmp_path: Path) -> None:
    array = tissue()
    array[:, :, 45:] //= 2
    found = measure_grey_range(volume(tmp_path / "v", array), "v", Box((0, 0, 0), (40, 100, 45)))
    assert abs(found.low - np.percentile(array[:, :, :45], 10)) <= 1


@pytest.mark.parametrize("value", [0, 9, 255])
def test_an_image_without_contrast_is_refused_with_the_way_out(tmp_path: Path, value: int) -> None:
    flat = volume(tmp_path / "flat", np.full((4, 8, 8), value, np.uint8))
    with pytest.raises(GreyValueError, match="leave its grey values as they are"):
        measure_grey_range(flat, "flat")


@settings(deadline=None)
@given(
    low=st.integers(1, 120),
    width=st.integers(20, 120),
    gain=st.integers(1, 200),
    shift=st.integers(0, 5000),
)
def test_a_linear_change_of_contrast_is_undone_exactly(low: int, width: int, gain: int, shift: int) -> None:
    narrow, wide = np.dtype(np.uint8), np.dtype(np.uint16)
    values = np.arange(1, 256)
    before = grey_table(narrow, GreyRange(low=low, high=low + width), TARGET)[values]
    changed = GreyRange(low=low * gain + shift, high=(low + width) * gain + shift)
    assert np.array_equal(grey_table(wide, changed, TARGET)[values * gain + shift], before)


def test_low_and_high_meet_the_target_and_zero_stays_zero() -> None:
    table = grey_table(np.dtype(np.uint16), GreyRange(low=900, high=2300), TARGET)
    assert table.dtype == np.uint8 and table.shape == (65536,)
    assert (table[900], table[2300], table[0], table[65535]) == (78, 182, 0, 255)
    assert (np.diff(table[1:].astype(int)) >= 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_without_a_range_the_whole_scale_becomes_eight_bits(dtype: DTypeLike) -> None:
    table = grey_table(np.dtype(dtype), None, TARGET)
    scale = np.iinfo(dtype).max // 255
    assert np.array_equal(table[np.arange(256) * scale], np.arange(256))


def test_a_range_that_is_the_target_changes_nothing() -> None:
    assert np.array_equal(grey_table(np.dtype(np.uint8), TARGET, TARGET), np.arange(256))


def test_images_of_other_types_are_refused() -> None:
    for dtype in (np.uint8, np.uint16):
        check_image_dtype(np.dtype(dtype), "raw")
    with pytest.raises(DtypeError, match="raw holds float32; an image must be uint8 or uint16"):
        check_image_dtype(np.dtype(np.float32), "raw")
