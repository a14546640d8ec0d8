"""A volume seen on a coarser working grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectome.errors import DtypeError, ResolutionError
from connectome.geometry import Box
from connectome.volumes.grid_view import GridView, ViewKind, block_mean
from connectome.volumes.volume import Volume

SHAPE = (11, 22, 30)
IMAGE = np.random.default_rng(2).integers(0, 256, SHAPE, dtype=np.uint8)
WORKING_NM = (60.0, 24.0, 18.0)


def volume_of(array: NDArray[np.generic], offset_nm: tuple[float, float, float] = (0, 0, 0)) -> Volume:
    volume = Volume.create(
        "memory://v/",
        shape=array.shape,
        dtype=array.dtype,
        resolution_nm=(30, 12, 6),
        offset_nm=offset_nm,
        chunk_shape=(4, 8, 8),
    )
    volume.write(volume.box, array)
    return volume


@pytest.fixture(scope="module")
def image() -> Volume:
    return volume_of(IMAGE)


@pytest.fixture(scope="module")
def shifted_image() -> Volume:
    return volume_of(IMAGE, (30, -24, 48))


def test_an_image_is_the_mean_of_whole_blocks_rounded_half_up(image: Volume) -> None:
    view = GridView(image, resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    assert view.factors == (2, 2, 3)
    assert view.shape == (5, 11, 10)
    blocks = IMAGE[:10, :22, :30].reshape(5, 2, 11, 2, 10, 3).sum(axis=(1, 3, 5), dtype=int)
    np.testing.assert_array_equal(view.read(view.box), (2 * blocks + 12) // 24)


def test_a_label_is_the_one_at_the_middle_of_its_block() -> None:
    labels = np.random.default_rng(3).integers(2**62, 2**63, SHAPE, dtype=np.uint64)
    view = GridView(volume_of(labels), resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=ViewKind.LABELS)
    np.testing.assert_array_equal(view.read(view.box), labels[1:10:2, 1:22:2, 1:30:3])


@pytest.mark.parametrize("kind", list(ViewKind))
@given(start=st.tuples(*[st.integers(-6, 14)] * 3), shape=st.tuples(*[st.integers(0, 14)] * 3))
def test_any_box_equals_that_part_of_the_whole_with_zeros_around(
    shifted_image: Volume, kind: ViewKind, start: tuple[int, int, int], shape: tuple[int, int, int]
) -> None:
    view = GridView(shifted_image, resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=kind)
    whole = np.zeros((40, 40, 40), np.uint8)
    whole[view.box.slices((-10, -10, -10))] = view.read(view.box)
    box = Box.of_shape(shape, start)
    np.testing.assert_array_equal(view.read(box), whole[box.slices((-10, -10, -10))])


def test_a_shifted_volume_keeps_to_the_anchors_grid(shifted_image: Volume) -> None:
    view = GridView(shifted_image, resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    assert view.box == Box((1, -1, 3), (6, 10, 12))
    assert view.offset_nm == (0, 0, 0)
    first = IMAGE[1:3, 0:2, 1:4].sum(dtype=int)
    assert view.read(Box((1, -1, 3), (2, 0, 4))).item() == (2 * first + 12) // 24


def test_equal_resolutions_pass_through(image: Volume) -> None:
    view = GridView(image, resolution_nm=(30, 12, 6), anchor_nm=(-30, 0, 6), kind=ViewKind.IMAGE)
    assert view.box == Box((1, 0, -1), (12, 22, 29))
    np.testing.assert_array_equal(view.read(view.box), IMAGE)


def test_a_volume_smaller_than_a_working_voxel_is_an_empty_view(image: Volume) -> None:
    view = GridView(image, resolution_nm=(3000, 1200, 600), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    assert view.box.is_empty
    assert not view.read(Box((0, 0, 0), (1, 1, 1))).any()


def test_a_working_voxel_that_is_no_whole_multiple_is_refused(image: Volume) -> None:
    with pytest.raises(ResolutionError, match="whole factor"):
        GridView(image, resolution_nm=(30, 20, 6), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)


def test_an_anchor_between_two_voxels_is_refused(image: Volume) -> None:
    with pytest.raises(ResolutionError, match="along y"):
        GridView(image, resolution_nm=WORKING_NM, anchor_nm=(0, 5, 0), kind=ViewKind.IMAGE)


def test_labels_of_floats_and_images_of_64_bits_are_refused() -> None:
    with pytest.raises(DtypeError, match="labels are integers"):
        GridView(
            volume_of(IMAGE.astype(np.float32)), resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=ViewKind.LABELS
        )
    with pytest.raises(DtypeError, match="an image is"):
        GridView(volume_of(IMAGE.astype(np.uint64)), resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_the_mean_of_extremes_does_not_overflow(dtype: str) -> None:
    for value in (np.iinfo(dtype).min, np.iinfo(dtype).max):
        block = np.full((4, 40, 40), value, dtype)
        assert (block_mean(block, (4, 40, 40)) == value).all()


def test_the_mean_of_floats_is_not_rounded() -> None:
    assert block_mean(np.array([[[1.0, 2.0]]], np.float32), (1, 1, 2)).item() == 1.5


def test_a_table_gives_other_values_inside_and_zero_outside(tmp_path: Path) -> None:
    volume = Volume.create(tmp_path / "v", shape=(2, 4, 4), dtype=np.uint16, resolution_nm=(30, 6, 6))
    volume.write(volume.box, np.full((2, 4, 4), 1000, np.uint16))
    plain = GridView(volume, resolution_nm=(30, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    table = np.full(65536, 7, np.uint8)
    seen = plain.through(table).read(Box((0, 0, 0), (3, 2, 2)))
    assert seen.dtype == np.uint8 == plain.through(table).dtype
    assert (seen[:2] == 7).all() and (seen[2] == 0).all()
    assert plain.dtype == np.uint16 and (plain.read(plain.box) == 1000).all()
