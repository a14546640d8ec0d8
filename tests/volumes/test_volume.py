"""Reading and writing volumes of every format through TensorStore."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore as ts
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectome.errors import (
    BoxError,
    DtypeError,
    ResolutionError,
    StorageError,
    VolumeFormatError,
    VolumeNotFoundError,
)
from connectome.geometry import Box
from connectome.volumes.volume import Volume, as_url

SHAPE = (10, 20, 30)
RESOLUTION_NM = (30.0, 12.0, 8.0)
IMAGE = np.random.default_rng(1).integers(0, 256, SHAPE, dtype=np.uint8)


def write_zarr3(folder: Path) -> Any:
    volume = Volume.create(
        folder, shape=SHAPE, dtype=np.uint8, resolution_nm=RESOLUTION_NM, offset_nm=(60, 24, 8), chunk_shape=(4, 8, 8)
    )
    volume.write(volume.box, IMAGE)


def write_zarr2(folder: Path) -> Any:
    metadata = {"shape": SHAPE, "dtype": "|u1", "chunks": [4, 8, 8]}
    spec = {"driver": "zarr", "kvstore": as_url(folder), "metadata": metadata, "create": True}
    ts.open(spec).result()[...] = IMAGE
    (folder / ".zattrs").write_text('{"resolution": [30, 12, 8], "offset": [60, 24, 8], "units": ["nm", "nm", "nm"]}')


def write_n5(folder: Path) -> Any:
    metadata = {
        "dimensions": SHAPE[::-1],
        "blockSize": [8, 8, 4],
        "dataType": "uint8",
        "compression": {"type": "gzip"},
        "axes": ["x", "y", "z"],
        "resolution": [0.008, 0.012, 0.03],
        "units": ["um", "um", "um"],
        "offset": [0.008, 0.024, 0.06],
    }
    spec = {"driver": "n5", "kvstore": as_url(folder), "metadata": metadata, "create": True}
    ts.open(spec).result()[...] = IMAGE.T


def write_precomputed(folder: Path, voxel_offset: tuple[int, int, int] = (1, 2, 2)) -> Any:
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": as_url(folder),
        "create": True,
        "multiscale_metadata": {"data_type": "uint8", "num_channels": 1, "type": "image"},
        "scale_metadata": {
            "resolution": [8, 12, 30],
            "size": SHAPE[::-1],
            "encoding": "raw",
            "chunk_size": [8, 8, 4],
            "voxel_offset": voxel_offset,
        },
    }
    ts.open(spec).result()[...] = IMAGE.T[..., None]


@pytest.mark.parametrize("write", [write_zarr3, write_zarr2, write_n5, write_precomputed])
def test_every_format_reads_as_zyx_from_voxel_zero_with_its_resolution_and_offset(
    write: Callable[[Path], Any], tmp_path: Path
) -> None:
    folder = tmp_path / "volume of 100% #1"
    write(folder)
    volume = Volume.open(folder)
    assert volume.grid.shape == SHAPE
    assert volume.grid.resolution_nm == RESOLUTION_NM
    assert volume.grid.offset_nm == (60, 24, 8)
    assert volume.chunk_shape == (4, 8, 8)
    np.testing.assert_array_equal(volume.read(volume.box), IMAGE)
    np.testing.assert_array_equal(volume.read(Box((2, 3, 4), (5, 9, 11))), IMAGE[2:5, 3:9, 4:11])


def test_a_negative_voxel_offset_becomes_a_negative_offset_in_nm(tmp_path: Path) -> None:
    write_precomputed(tmp_path / "p", (-3, 0, -1))
    volume = Volume.open(f"precomputed://file://{tmp_path}/p")
    assert volume.grid.offset_nm == (-30, 0, -24)
    np.testing.assert_array_equal(volume.read(volume.box), IMAGE)


def test_a_given_resolution_overrides_the_metadata_and_moves_the_voxel_offset(tmp_path: Path) -> None:
    write_precomputed(tmp_path / "p")
    grid = Volume.open(tmp_path / "p", resolution_nm=(40, 4, 4)).grid
    assert (grid.resolution_nm, grid.offset_nm) == ((40, 4, 4), (80, 8, 4))


def test_without_resolution_a_volume_is_refused_until_one_is_given(tmp_path: Path) -> None:
    write_zarr2(tmp_path / "z")
    (tmp_path / "z" / ".zattrs").unlink()
    with pytest.raises(ResolutionError, match="carries no resolution"):
        Volume.open(tmp_path / "z")
    assert Volume.open(tmp_path / "z", resolution_nm=(1, 2, 3)).grid.resolution_nm == (1, 2, 3)


@pytest.mark.parametrize("resolution", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, float("nan"))])
def test_a_resolution_that_is_no_length_is_refused(resolution: tuple[float, float, float], tmp_path: Path) -> None:
    with pytest.raises(ResolutionError, match="greater than 0"):
        Volume.create(tmp_path / "v", shape=SHAPE, dtype=np.uint8, resolution_nm=resolution)


@given(
    start=st.tuples(*[st.integers(-15, 35)] * 3),
    shape=st.tuples(*[st.integers(0, 25)] * 3),
)
def test_a_read_beyond_the_border_equals_numpy_padding(
    image_volume: Volume, start: tuple[int, int, int], shape: tuple[int, int, int]
) -> None:
    padded = np.pad(IMAGE, 100)
    box = Box.of_shape(shape, start)
    np.testing.assert_array_equal(image_volume.read(box), padded[box.slices((-100, -100, -100))])


@pytest.fixture(scope="module")
def image_volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    write_zarr3(tmp_path_factory.mktemp("v") / "v.zarr")
    return Volume.open(tmp_path_factory.getbasetemp() / "v0" / "v.zarr")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "int64", "float32"])
def test_what_is_written_is_read_back_with_its_data_type(dtype: str, tmp_path: Path) -> None:
    largest = np.finfo(dtype).max if dtype == "float32" else np.iinfo(dtype).max
    array: NDArray[Any] = np.full(SHAPE, largest, dtype)
    volume = Volume.create(tmp_path / "v", shape=SHAPE, dtype=dtype, resolution_nm=RESOLUTION_NM)
    volume.write(volume.box, array)
    again = Volume.open(tmp_path / "v").read(volume.box)
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


def test_a_volume_in_memory_can_be_written_and_read() -> None:
    volume = Volume.create("memory://v/", shape=SHAPE, dtype=np.uint8, resolution_nm=RESOLUTION_NM)
    volume.write(volume.box, IMAGE)
    np.testing.assert_array_equal(volume.read(volume.box), IMAGE)


def test_writing_outside_or_another_data_type_is_refused(tmp_path: Path) -> None:
    volume = Volume.create(tmp_path / "v", shape=SHAPE, dtype=np.uint8, resolution_nm=RESOLUTION_NM)
    with pytest.raises(BoxError, match="outside"):
        volume.write(volume.box.shift((1, 0, 0)), IMAGE)
    with pytest.raises(DtypeError, match="uint8, not uint64"):
        volume.write(volume.box, IMAGE.astype(np.uint64))


def test_an_existing_volume_is_replaced_only_if_asked(tmp_path: Path) -> None:
    write_zarr3(tmp_path / "v")
    with pytest.raises(StorageError, match="exists already"):
        write_zarr3(tmp_path / "v")
    fresh = Volume.create(tmp_path / "v", shape=SHAPE, dtype=np.uint8, resolution_nm=RESOLUTION_NM, overwrite=True)
    assert not fresh.read(fresh.box).any()


def test_a_path_where_nothing_is_and_a_server_without_it_are_not_found(tmp_path: Path) -> None:
    with pytest.raises(VolumeNotFoundError, match="doesn't exist"):
        Volume.open(tmp_path / "nothing")
    with pytest.raises(VolumeNotFoundError, match="nothing there"):
        Volume.open("memory://nothing/")


@pytest.mark.parametrize(
    ("name", "hint"), [("a.txt", "is not a volume"), ("a.hdf", "import cremi"), ("a.tif", "import stack")]
)
def test_a_file_that_is_no_volume_is_refused_with_the_way_out(name: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("text")
    with pytest.raises(VolumeFormatError, match=hint):
        Volume.open(tmp_path / name)


@pytest.mark.parametrize("url", ["ftp://host/x", "file:///tmp|nonsense:"])
def test_a_url_that_tensorstore_does_not_know_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(VolumeFormatError) as refused:
        Volume.open(url)
    assert "\n" not in str(refused.value)


def test_an_array_of_four_dimensions_is_refused_unless_the_others_have_length_one(tmp_path: Path) -> None:
    for length in (1, 2):
        metadata = {"shape": [length, *SHAPE], "dtype": "|u1", "chunks": [1, 4, 8, 8]}
        spec = {"driver": "zarr", "kvstore": as_url(tmp_path / f"z{length}"), "metadata": metadata, "create": True}
        ts.open(spec).result()[...] = IMAGE[None]
    single = Volume.open(tmp_path / "z1", resolution_nm=RESOLUTION_NM)
    np.testing.assert_array_equal(single.read(single.box), IMAGE)
    with pytest.raises(VolumeFormatError, match="one value a voxel"):
        Volume.open(tmp_path / "z2", resolution_nm=RESOLUTION_NM)


def test_a_chunk_that_is_cut_off_names_volume_and_box(tmp_path: Path) -> None:
    write_zarr3(tmp_path / "v")
    os.truncate(tmp_path / "v" / "c" / "0" / "0" / "0", 20)
    with pytest.raises(StorageError, match=r"v can't be read at 0:3,0:3,0:3"):
        Volume.open(tmp_path / "v").read(Box((0, 0, 0), (3, 3, 3)))


def test_a_strided_read_equals_a_numpy_slice(image_volume: Volume) -> None:
    strided = image_volume.read_strided(Box((1, 3, 2), (10, 19, 40)), (2, 5, 3))
    np.testing.assert_array_equal(strided, IMAGE[1:10:2, 3:19:5, 2::3])


def test_a_path_with_a_backslash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VolumeFormatError, match="backslash"):
        Volume.open(tmp_path / "a\\b.zarr")


@given(name=st.text(st.characters(exclude_categories=["C"], exclude_characters="/|\\"), min_size=1, max_size=20))
def test_any_file_name_becomes_a_url_that_leads_back_to_it(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    path = folder / f"n{name}"
    path.write_text(name)
    assert ts.KvStore.open(as_url(path)).result().read("").result().value.decode() == name
    path.unlink()
