"""Import of CREMI files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from connectome.errors import DtypeError, ReferenceDataError, ResolutionError, StorageError, VolumeFormatError
from connectome.formats.annotation_table import read_annotations
from connectome.formats.cremi import import_cremi
from connectome.volumes.volume import Volume

Maker = Callable[..., Path]
ALL = ["raw.zarr", "neuron_ids.zarr", "clefts.zarr", "annotations.csv"]


class Recorder:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self.name = ""

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        self.name, self.totals[name], self.done[name] = name, total, done

    def advance(self, amount: int) -> None:
        self.done[self.name] += amount

    def finish(self) -> None:
        self.name = ""


def test_volumes_and_table_hold_what_the_file_holds(cremi_file: Maker, tmp_path: Path) -> None:
    path, progress = cremi_file(), Recorder()
    written = import_cremi(path, tmp_path / "new" / "d", progress=progress)
    assert [item.name for item in written] == ALL
    with h5py.File(path) as file:
        for name, key in zip(ALL, ("raw", "labels/neuron_ids", "labels/clefts"), strict=False):
            volume, dataset = Volume.open(tmp_path / "new" / "d" / name), file[f"volumes/{key}"]
            assert volume.grid.resolution_nm == (30, 12, 12)
            assert volume.dtype == dataset.dtype
            np.testing.assert_array_equal(volume.read(volume.box), dataset[()])
    rows = read_annotations(written[-1])
    assert [(row.cleft_id, row.pre_segment_id, row.post_segment_id) for row in rows] == [(11, 5, 6), (12, 6, 5)]
    assert rows[0].pre_point_nm == (90, 84, 204)
    assert progress.totals == progress.done
    assert sorted(item.name for item in (tmp_path / "new" / "d").iterdir()) == sorted(ALL)


def test_padded_raw_volumes_and_labels_keep_their_own_offsets(cremi_file: Maker, tmp_path: Path) -> None:
    def pad(file: h5py.File) -> None:
        for name in ("neuron_ids", "clefts"):
            file[f"volumes/labels/{name}"].attrs["offset"] = (60.0, 24.0, 36.0)
        file["annotations"].attrs["offset"] = (60.0, 24.0, 36.0)

    import_cremi(cremi_file(pad), tmp_path / "d")
    offsets = [Volume.open(tmp_path / "d" / name).grid.offset_nm for name in ALL[:3]]
    assert offsets == [(0, 0, 0), (60, 24, 36), (60, 24, 36)]


def test_a_file_without_labels_gives_what_it_has(cremi_file: Maker, tmp_path: Path) -> None:
    def strip(file: h5py.File) -> None:
        del file["volumes/labels"]

    written = import_cremi(cremi_file(strip), tmp_path / "d")
    assert [item.name for item in written] == ["raw.zarr", "annotations.csv"]
    row = read_annotations(written[-1])[0]
    assert (row.cleft_id, row.pre_segment_id, row.centroid_nm) == (None, None, None)
    assert row.post_point_nm == (90, 84, 264)


def test_narrow_labels_become_uint64(cremi_file: Maker, tmp_path: Path) -> None:
    def narrow(file: h5py.File) -> None:
        old = file["volumes/labels/neuron_ids"]
        array, attributes = old[()].astype(">u2"), dict(old.attrs)
        del file["volumes/labels/neuron_ids"]
        file["volumes/labels/neuron_ids"] = array
        file["volumes/labels/neuron_ids"].attrs.update(attributes)

    import_cremi(cremi_file(narrow), tmp_path / "d")
    volume = Volume.open(tmp_path / "d" / "neuron_ids.zarr")
    assert volume.dtype == np.uint64
    assert set(np.unique(volume.read(volume.box))) == {5, 6}


def test_what_exists_is_replaced_only_if_asked(cremi_file: Maker, tmp_path: Path) -> None:
    path = cremi_file()
    import_cremi(path, tmp_path / "d")
    before = {item: item.stat().st_ino for item in (tmp_path / "d").iterdir()}
    with pytest.raises(StorageError, match=r"raw\.zarr exists already"):
        import_cremi(path, tmp_path / "d")
    assert {item: item.stat().st_ino for item in (tmp_path / "d").iterdir()} == before
    import_cremi(path, tmp_path / "d", overwrite=True, annotations=False)
    assert sorted(item.name for item in (tmp_path / "d").iterdir()) == sorted(ALL[:3])


def test_broken_annotations_stop_the_import_before_anything_is_written(cremi_file: Maker, tmp_path: Path) -> None:
    def break_partners(file: h5py.File) -> None:
        file["annotations/presynaptic_site/partners"][0] = (1, 99)

    path = cremi_file(break_partners)
    with pytest.raises(ReferenceDataError, match="99"):
        import_cremi(path, tmp_path / "d")
    assert not (tmp_path / "d").exists()
    assert len(import_cremi(path, tmp_path / "d", annotations=False)) == 3


def test_other_files_and_float_labels_and_missing_resolutions_are_refused(cremi_file: Maker, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.hdf", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(VolumeFormatError, match="isn't a CREMI file"):
        import_cremi(tmp_path / "other.hdf", tmp_path / "d")

    def without_resolution(file: h5py.File) -> None:
        del file["volumes/raw"].attrs["resolution"]

    with pytest.raises(ResolutionError, match="/volumes/raw carries no resolution"):
        import_cremi(cremi_file(without_resolution), tmp_path / "d")

    def floats(file: h5py.File) -> None:
        attributes = dict(file["volumes/labels/neuron_ids"].attrs)
        del file["volumes/labels/neuron_ids"]
        file["volumes/labels/neuron_ids"] = np.zeros((2, 2, 2))
        file["volumes/labels/neuron_ids"].attrs.update(attributes)

    with pytest.raises(DtypeError, match="labels are integers"):
        import_cremi(cremi_file(floats), tmp_path / "d")


def test_a_killed_import_leaves_no_volume_that_looks_whole(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "big.hdf", "w") as file:
        raw = file.create_dataset("volumes/raw", (320, 1024, 1024), "u1", chunks=(32, 128, 128), compression="gzip")
        raw.attrs["resolution"] = (30, 12, 12)
    code = "import sys; from pathlib import Path; from connectome.formats.cremi import import_cremi as run; "
    code += "run(Path(sys.argv[1]), Path(sys.argv[2]))"
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "big.hdf", tmp_path / "d"])
    partial = tmp_path / "d" / ".raw.zarr.partial"
    while not (partial / "zarr.json").exists() and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [item.name for item in (tmp_path / "d").iterdir()] == [".raw.zarr.partial"]
    with h5py.File(tmp_path / "big.hdf", "a") as file:
        del file["volumes/raw"]
        file.create_dataset("volumes/raw", data=np.full((2, 2, 2), 9, np.uint8)).attrs["resolution"] = (30, 12, 12)
    import_cremi(tmp_path / "big.hdf", tmp_path / "d")
    assert [item.name for item in (tmp_path / "d").iterdir()] == ["raw.zarr"]
