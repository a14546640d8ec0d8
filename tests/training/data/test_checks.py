"""What is looked at before the first step."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connectome.errors import TrainingDataError
from connectome.geometry import Box
from connectome.training.choices import Unpaired
from connectome.training.data.checks import check_apart, check_labels, check_partners
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.volumes.volume import Volume

PATCH = (4, 16, 16)


def opened(folder: Path, box: Box | None = None) -> Dataset:
    return Dataset(DataSource(folder=folder, box=box))


def edited(folder: Path, tmp_path: Path, before: str, after: str) -> Dataset:
    """The same data with another table."""
    text = (folder / "annotations.csv").read_text()
    assert before in text
    (tmp_path / "table.csv").write_text(text.replace(before, after))
    return Dataset(DataSource(folder=folder, annotations=tmp_path / "table.csv"))


def test_good_data_passes(folder: Path) -> None:
    data = opened(folder)
    check_labels(data, PATCH)
    check_partners(data, PATCH, Unpaired.REFUSE)


def test_boxes_that_share_voxels_are_refused_however_the_folder_is_written(folder: Path, tmp_path: Path) -> None:
    left, right = opened(folder, Box((0, 0, 0), (8, 64, 32))), opened(folder, Box((0, 0, 32), (8, 64, 64)))
    check_apart([left], [right])
    (tmp_path / "link").symlink_to(folder)
    wide = opened(tmp_path / "link", Box((7, 0, 31), (8, 64, 64)))
    check_apart([right], [left])
    with pytest.raises(TrainingDataError, match=r"\(0:8,0:64,0:32\) and validation \(7:8,0:64,31:64\) overlap"):
        check_apart([left], [wide])


def test_a_cleft_label_without_partners_is_refused_unless_it_is_allowed(folder: Path, tmp_path: Path) -> None:
    rows = (folder / "annotations.csv").read_text().splitlines(True)
    row = next(line for line in rows if line.startswith("2,"))
    data = edited(folder, tmp_path, row, "")
    with pytest.raises(TrainingDataError, match=r"1 cleft \(2\) in the box .* without annotated partners"):
        check_partners(data, PATCH, Unpaired.REFUSE)
    check_partners(data, PATCH, Unpaired.ALLOW)
    check_partners(
        Dataset(DataSource(folder=folder, annotations=data.source.table, box=Box((0, 0, 0), (8, 64, 32)))),
        PATCH,
        Unpaired.REFUSE,
    )


def test_a_partner_that_is_not_in_the_segmentation_is_refused(folder: Path, tmp_path: Path) -> None:
    data = edited(folder, tmp_path, "2,11,22", "2,11,99")
    with pytest.raises(TrainingDataError, match=r"1 of 4 annotated partners .* segment 99 of cleft 2: check that"):
        check_partners(data, PATCH, Unpaired.REFUSE)


def test_a_table_of_other_clefts_is_refused(folder: Path, tmp_path: Path) -> None:
    data = edited(folder, tmp_path, "2,11,22", "7,11,22")
    with pytest.raises(TrainingDataError, match=r"names 1 cleft \(7\) in the box"):
        check_labels(data, PATCH)


def test_a_partner_beyond_the_box_is_known(folder: Path) -> None:
    check_partners(opened(folder, Box((0, 20, 0), (8, 34, 64))), PATCH, Unpaired.REFUSE)


def test_many_ids_are_told_in_short(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    clefts = Volume.open(other / "clefts.zarr", writable=True)
    labels = clefts.read(clefts.box)
    labels[0, 0, :9] = range(101, 110)
    clefts.write(clefts.box, labels)
    with pytest.raises(TrainingDataError, match=r"9 clefts \(101, 102, 103, 104, 105, \.\.\.\)"):
        check_partners(opened(other), PATCH, Unpaired.REFUSE)
