"""Import of datasets of HDF5 files that aren't CREMI's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from connectome.errors import DtypeError, InputError, ResolutionError, VolumeFormatError
from connectome.formats.copying import write_whole_numbers
from connectome.formats.hdf5 import Hdf5File
from connectome.geometry import Box
from connectome.volumes.volume import Volume

IMAGE = np.random.default_rng(7).integers(1, 200, (5, 8, 12), dtype=np.uint8)
IMAGE_BOX = Box.of_shape((5, 8, 12))
GIVEN = {"resolution_nm": (30.0, 13.0, 12.0)}
Change = Callable[[h5py.File], Any]


def imported(folder: Path, change: Change, name: str | None = "raw", **how: Any) -> Volume:
    with h5py.File(folder / "a.h5", "w") as file:
        change(file)
    with Hdf5File(folder / "a.h5") as opened:
        volume = opened.the_volume(name, **how)
        write_whole_numbers(volume, volume.title, folder / "v", overwrite=True)
    return Volume.open(folder / "v")


def raw(array: NDArray[Any] = IMAGE, **attributes: Any) -> Change:
    def change(file: h5py.File) -> None:
        file.create_dataset("raw", data=array, chunks=True).attrs.update(attributes)

    return change


TAGS = json.dumps({"axes": [{"key": key} for key in "xyzc"]})


def labelled(file: h5py.File) -> None:
    dataset = file.create_dataset("raw", data=IMAGE.transpose(2, 1, 0))
    for axis, label in zip(dataset.dims, "xyz", strict=True):
        axis.label = label


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (raw(), GIVEN),
        (raw(resolution=(30, 13, 12)), {}),
        (raw(resolution=(0.03, 0.013, 0.012), units="um"), {}),
        (raw(element_size_um=(0.03, 0.013, 0.012)), {}),
        (raw(voxel_size=(30.0, 13.0, 12.0)), {}),
        (raw(IMAGE[None]), GIVEN),
        (raw(IMAGE.transpose(2, 1, 0)[..., None], axistags=TAGS), GIVEN),
        (labelled, GIVEN),
        (raw(IMAGE.transpose(2, 0, 1)), GIVEN | {"axes": "xzy"}),
        (raw(IMAGE.transpose(0, 2, 1), MATLAB_class="uint8"), GIVEN | {"axes": "zxy"}),
        (raw(np.stack([255 - IMAGE, IMAGE])), GIVEN | {"axes": "czyx", "channel": 1}),
        (raw(IMAGE.astype("float32")), GIVEN),
        (raw(IMAGE.astype(">u1")), GIVEN),
    ],
)
def test_a_dataset_becomes_a_volume_whatever_its_axes_and_attributes(
    change: Change, how: dict[str, Any], tmp_path: Path
) -> None:
    volume = imported(tmp_path, change, **how)
    assert volume.dtype == np.uint8
    assert (volume.grid.resolution_nm, volume.grid.offset_nm) == ((30, 13, 12), (0, 0, 0))
    np.testing.assert_array_equal(volume.read(volume.box), IMAGE)


def test_an_offset_is_the_attribute_or_what_is_given(tmp_path: Path) -> None:
    change = raw(resolution=(30, 13, 12), offset=(60, 26, 24))
    assert imported(tmp_path, change).grid.offset_nm == (60, 26, 24)
    assert imported(tmp_path, change, offset_nm=(1, 2, 3)).grid.offset_nm == (1, 2, 3)


def test_the_only_volume_of_a_file_needs_no_name_and_others_are_listed(tmp_path: Path) -> None:
    np.testing.assert_array_equal(imported(tmp_path, raw(), None, **GIVEN).read(IMAGE_BOX), IMAGE)

    def two(file: h5py.File) -> None:
        raw()(file)
        file["group/labels"], file["table"] = IMAGE, np.zeros(3)

    for name in (None, "nothing", "group"):
        with pytest.raises(VolumeFormatError, match="volumes are /group/labels, /raw") as refused:
            imported(tmp_path, two, name, **GIVEN)
        assert refused.value.about == "dataset"


def other_file(folder: Path) -> Path:
    with h5py.File(folder / "other.h5", "w") as file:
        file["raw"] = IMAGE
    return folder / "other.h5"


def linked(file: h5py.File) -> None:
    file["raw"] = h5py.ExternalLink(other_file(Path(file.filename).parent), "/raw")


def linked_through(file: h5py.File) -> None:
    file["far"] = h5py.ExternalLink(other_file(Path(file.filename).parent), "/")
    file["raw"] = h5py.SoftLink("/far/raw")


def stored_outside(file: h5py.File) -> None:
    place = Path(file.filename).parent / "secret"
    place.write_bytes(IMAGE.tobytes())
    file.create_dataset("raw", IMAGE.shape, "u1", external=[(str(place), 0, IMAGE.size)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(IMAGE.shape, "u1")
    layout[...] = h5py.VirtualSource(str(other_file(Path(file.filename).parent)), "raw", IMAGE.shape)
    file.create_virtual_dataset("raw", layout)


@pytest.mark.parametrize("change", [linked, linked_through, stored_outside, virtual])
def test_what_leads_out_of_the_file_is_not_followed(change: Change, tmp_path: Path) -> None:
    with pytest.raises(VolumeFormatError, match="n't followed"):
        imported(tmp_path, change, **GIVEN)


def test_links_inside_the_file_are_followed(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file["deep/array"] = IMAGE
        file["raw"] = h5py.SoftLink("/deep/array")

    np.testing.assert_array_equal(imported(tmp_path, change, **GIVEN).read(IMAGE_BOX), IMAGE)


@pytest.mark.parametrize(
    ("change", "how", "error", "message"),
    [
        (raw(), {}, ResolutionError, "carries no resolution"),
        (raw(resolution="fine"), {}, ResolutionError, "isn't three numbers"),
        (raw(MATLAB_class="uint8"), GIVEN, VolumeFormatError, "MATLAB"),
        (raw(np.stack([IMAGE, IMAGE])), GIVEN, VolumeFormatError, "has 4 dimensions"),
        (raw(np.stack([IMAGE, IMAGE])), GIVEN | {"axes": "czyx"}, VolumeFormatError, "2 channels"),
        (raw(IMAGE.astype("complex64")), GIVEN, DtypeError, "complex64"),
        (raw(np.full((2, 3, 4), 2.0**24, np.float32)), GIVEN, DtypeError, "doesn't tell apart"),
    ],
)
def test_what_is_no_volume_is_refused(
    change: Change, how: dict[str, Any], error: type[InputError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        imported(tmp_path, change, **how)
    assert not (tmp_path / "v").exists()
