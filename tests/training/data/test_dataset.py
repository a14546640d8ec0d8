"""Reading training data."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from connectome.errors import BoxError, DtypeError, ReferenceDataError, TrainingDataError
from connectome.geometry import Box
from connectome.networks.checkpoint import Normalisation
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.training.samples.augment import SampleShape
from connectome.training.samples.voxel_samples import assigner_sample, detector_sample
from connectome.volumes.volume import Volume

PATCH = (4, 16, 16)


def test_a_box_without_synapses_and_a_box_outside_are_refused(folder: Path) -> None:
    empty = DataSource(folder=folder, box=Box((0, 0, 0), (2, 8, 8)))
    with pytest.raises(TrainingDataError, match="no annotated synapse lies in the box"):
        Dataset(empty).synapses  # noqa: B018
    outside = DataSource(folder=folder, box=Box((0, 0, 0), (9, 8, 8)))
    with pytest.raises(BoxError, match="outside the volume"):
        Dataset(outside)


def test_nothing_beyond_the_box_is_seen(folder: Path) -> None:
    box = Box((0, 0, 0), (8, 64, 32))
    data = Dataset(DataSource(folder=folder, box=box))
    wide = Box((-2, -2, -2), (10, 66, 66))
    image = data.read(data.image, wide)
    assert image[2:10, 2:66, 2:34].any()
    image[2:10, 2:66, 2:34] = 0
    assert not image.any()
    assert data.read_mask(wide).sum() == box.size_voxels


def test_an_image_of_another_contrast_in_sixteen_bits_gives_the_same_samples(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    narrow = Volume.open(folder / "raw.zarr")
    shutil.rmtree(other / "raw.zarr")
    wide = Volume.create(other / "raw.zarr", shape=narrow.grid.shape, dtype=np.uint16, resolution_nm=(30, 12, 12))
    wide.write(wide.box, narrow.read(narrow.box).astype(np.uint16) * 9 + 1200)
    shape = SampleShape(patch_shape=PATCH, normalisation=Normalisation(), augmentation=None)
    for make in (detector_sample, assigner_sample):
        first, second = (make(Dataset(DataSource(folder=f)), shape, np.random.default_rng(2)) for f in (folder, other))
        assert np.array_equal(first.inputs, second.inputs)


def write(path: Path, array: np.ndarray, resolution_nm: tuple[float, float, float], offset_nm=(0.0, 0.0, 0.0)) -> str:
    volume = Volume.create(path, shape=array.shape, dtype=array.dtype, resolution_nm=resolution_nm, offset_nm=offset_nm)
    volume.write(volume.box, array)
    return str(path)


def test_volumes_may_lie_anywhere_and_the_image_and_the_segmentation_may_be_finer(folder: Path, tmp_path: Path) -> None:
    plain = Dataset(DataSource(folder=folder))
    image, segments = (v.read(v.box) for v in (plain.image.volume, plain.segmentation.volume))
    fine = image.repeat(2, 1).repeat(2, 2)
    elsewhere = DataSource(
        image=write(tmp_path / "em", fine, (30, 6, 6)),
        segmentation=write(tmp_path / "ids", segments[1:], (30, 12, 12), (30, 0, 0)),
        clefts=str(folder / "clefts.zarr"),
        annotations=folder / "annotations.csv",
    )
    data = Dataset(elsewhere)
    assert data.box == Box((1, 0, 0), (8, 64, 64))
    assert data.synapses == plain.synapses
    for name in ("image", "segmentation", "clefts"):
        expected = plain.read(getattr(plain, name), data.box)
        read = data.read(getattr(data, name), data.box)
        assert np.array_equal(read, expected) or name == "image"
    assert np.array_equal(data.image.read(data.box), image[1:])


def test_volumes_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    zeros = np.zeros((4, 8, 8), np.uint8)
    apart = write(tmp_path / "apart", zeros, (30, 12, 12), (3000, 0, 0))
    with pytest.raises(BoxError, match="don't overlap"):
        Dataset(DataSource(folder=folder, segmentation=apart))
    floats = write(tmp_path / "floats", zeros.astype(np.float32), (30, 12, 12))
    with pytest.raises(DtypeError, match="uint8 or uint16"):
        Dataset(DataSource(folder=folder, image=floats))
    with pytest.raises(DtypeError, match="labels are integers"):
        Dataset(DataSource(folder=folder, segmentation=floats))
    with pytest.raises(ReferenceDataError, match="no table of synapses"):
        Dataset(DataSource(folder=folder, annotations=tmp_path / "none.csv"))


def test_a_synapse_whose_cleft_has_no_voxels_is_no_sample(folder: Path, tmp_path: Path) -> None:
    table = (folder / "annotations.csv").read_text().replace("2,11,22,192", "2,11,22,0")
    (tmp_path / "t.csv").write_text(table)
    data = Dataset(DataSource(folder=folder, annotations=tmp_path / "t.csv"))
    assert [synapse.cleft_id for synapse in data.synapses] == [1]
    assert [synapse.cleft_id for synapse in data.annotated] == [1, 2]
