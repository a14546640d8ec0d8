"""Floats and booleans that are labels become whole numbers where they are exact."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectome.errors import DtypeError
from connectome.formats.images import open_sections
from connectome.formats.stacks import import_stack
from connectome.volumes.volume import Volume


def imported(folder: Path, array: Any) -> Volume:
    np.save(folder / "a.npy", array)
    with closing(open_sections(folder / "a.npy")) as sections:
        import_stack(sections, folder / "v", resolution_nm=(30, 12, 12))
    return Volume.open(folder / "v")


@pytest.mark.parametrize(
    ("dtype", "largest", "becomes"),
    [
        ("bool", 1, "uint8"),
        ("float16", 9, "uint8"),
        ("float32", 0, "uint8"),
        ("float32", 255, "uint8"),
        ("float32", 256, "uint16"),
        ("float32", 2**24 - 1, "uint32"),
        ("float64", 2**32 - 1, "uint32"),
        ("float64", 2**32, "uint64"),
        (">f8", 2**53 - 1, "uint64"),
        ("int64", 2**40, "int64"),
        ("uint8", 7, "uint8"),
    ],
)
def test_whole_numbers_are_kept_exactly(dtype: str, largest: int, becomes: str, tmp_path: Path) -> None:
    array = np.zeros((40, 5, 6), dtype)
    array[-1, 2, 3] = largest
    volume = imported(tmp_path, array)
    assert volume.dtype == becomes
    assert int(volume.read(volume.box)[-1, 2, 3]) == largest
    np.testing.assert_array_equal(volume.read(volume.box), array.astype(becomes))


@pytest.mark.parametrize("value", [0.5, -1.0, np.nan, np.inf])
def test_floats_that_are_no_labels_stay_floats(value: float, tmp_path: Path) -> None:
    array = np.full((40, 5, 6), 3, np.float32)
    array[-1, -1, -1] = value
    volume = imported(tmp_path, array)
    assert volume.dtype == np.float32
    np.testing.assert_array_equal(volume.read(volume.box), array)


@pytest.mark.parametrize(("dtype", "value"), [("float16", 2**11), ("float32", 2**24), ("float64", 2**53)])
def test_whole_numbers_that_a_float_may_have_rounded_are_refused(dtype: str, value: int, tmp_path: Path) -> None:
    array = np.zeros((2, 3, 4), dtype)
    array[1, 1, 1] = value
    with pytest.raises(DtypeError, match="doesn't tell apart"):
        imported(tmp_path, array)
    assert not (tmp_path / "v").exists()
