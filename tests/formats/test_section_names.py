"""Section files are stacked by the numbers in their names, or not at all."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from connectome.errors import VolumeFormatError
from connectome.formats.images import open_sections
from connectome.formats.section_names import Gaps

IMAGE = np.random.default_rng(5).integers(1, 200, (12, 6, 8), dtype=np.uint8)


def files(folder: Path, **names: int) -> Path:
    """Section files by name (without suffix), each showing the section of `IMAGE` with a number."""
    for name, number in names.items():
        tifffile.imwrite(folder / f"{name}.tif", IMAGE[number])
    return folder


def stacked(source: Path | str, gaps: Gaps = Gaps.REFUSE) -> tuple[NDArray[Any], tuple[str, ...]]:
    with closing(open_sections(source, gaps=gaps)) as sections:
        return sections.read(0, sections.shape[0]), sections.told.notes


@pytest.mark.parametrize(
    "names",
    [
        {f"sec_{z:03d}": z for z in range(12)},
        {f"S{z + 95}": z for z in range(12)},
        {f"z{30 * z:05d}nm": z for z in range(12)},
        {f"{z}": z for z in range(9, 12)},
        {f"r1c2_{z:02d}": z for z in range(12)},
        {f"a{z}_{100 + z}": z for z in range(12)},
        {f"scan{z * z}_n{z:02d}": z for z in range(12)},
        {"only_one": 7},
    ],
)
def test_files_are_stacked_in_the_order_of_the_number_that_counts_them(names: dict[str, int], tmp_path: Path) -> None:
    found, notes = stacked(files(tmp_path, **names))
    np.testing.assert_array_equal(found, IMAGE[list(names.values())])
    assert notes == ()


def test_a_gap_is_refused_or_left_blank_or_closed_as_somebody_asks(tmp_path: Path) -> None:
    there = [z for z in range(12) if z not in (4, 5)]
    files(tmp_path, **{f"sec_{z:03d}": z for z in there})
    with pytest.raises(VolumeFormatError, match=r"2 of 12 sections are missing \(4, 5\)") as refused:
        stacked(tmp_path)
    assert refused.value.about == "gaps"
    blank = IMAGE.copy()
    blank[4:6] = 0
    found, notes = stacked(tmp_path, Gaps.BLANK)
    np.testing.assert_array_equal(found, blank)
    assert notes == ("2 of 12 sections are blank (0), since no file shows them",)
    np.testing.assert_array_equal(stacked(tmp_path, Gaps.CLOSE)[0], IMAGE[there])
    np.testing.assert_array_equal(stacked(f"{tmp_path}/sec_00[0-3].tif")[0], IMAGE[:4])


def test_a_gap_among_numbers_that_go_by_more_than_one_is_a_gap(tmp_path: Path) -> None:
    files(tmp_path, **{f"z{10 * z}": z for z in (0, 1, 2, 4, 5)})
    with pytest.raises(VolumeFormatError, match=r"1 of 6 sections are missing \(30\)"):
        stacked(tmp_path)
    found, _ = stacked(tmp_path, Gaps.BLANK)
    assert [section.any() for section in found] == [True, True, True, False, True, True]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"sec_1": 0, "sec_01": 1, "sec_2": 2}, r"are one section"),
        ({"sec_0": 0, "sec_1": 1, "thumbnail": 2}, r"thumbnail\.tif among 2 files named like sec_#"),
        ({"sec_0": 0, "sec_1": 1, "sec_1_mask": 2}, r"sec_1_mask\.tif among 2"),
        ({"raw": 0, "labels": 1}, "among 1 files"),
        ({"w1_s1": 0, "w1_s2": 1, "w2_s1": 2, "w2_s2": 3}, r"several numbers that differ \(1 to 2 and 1 to 2\)"),
        ({"s_0": 0, "s_20231104121530": 1, "s_20231104121742": 2}, "don't count sections"),
        ({"s_0": 0, "s_5": 1}, "don't count sections|are missing"),
    ],
)
def test_names_that_do_not_say_the_order_are_refused_until_somebody_says_natural_order(
    names: dict[str, int], message: str, tmp_path: Path
) -> None:
    files(tmp_path, **names)
    with pytest.raises(VolumeFormatError, match=message):
        stacked(tmp_path)
    assert len(stacked(tmp_path, Gaps.CLOSE)[0]) == len(names)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_two_kinds_of_files_in_a_folder_are_refused_and_a_pattern_chooses(suffix: str, tmp_path: Path) -> None:
    files(tmp_path, **{f"sec_{z}": z for z in range(3)})
    Image.fromarray(IMAGE[3]).save(tmp_path / f"sec_3{suffix}")
    with pytest.raises(VolumeFormatError, match="holds 3 TIFF and 1"):
        stacked(tmp_path)
    assert len(stacked(f"{tmp_path}/*.tif")[0]) == 3


def test_a_thumbnail_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    files(tmp_path, **{f"sec_{z}": z for z in range(3)})
    tifffile.imwrite(tmp_path / "sec_3.tif", IMAGE[3, ::2, ::2])
    with pytest.raises(VolumeFormatError, match=r"sec_3\.tif is 3x4 uint8, but sec_0\.tif is 6x8"):
        stacked(tmp_path)


def test_a_png_that_is_to_be_shown_turned_is_refused(tmp_path: Path) -> None:
    image = Image.fromarray(IMAGE[0])
    exif = image.getexif()
    exif[274] = 6
    image.save(tmp_path / "s_0.png", exif=exif)
    with pytest.raises(VolumeFormatError, match="turned"):
        stacked(tmp_path)
