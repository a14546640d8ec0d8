"""A volume seen on a coarser working grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectome.errors import DtypeError
from connectome.geometry import Box, NmTriple, triple
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind

SHAPE = (11, 22, 30)
IMAGE = np.random.default_rng(2).integers(0, 256, SHAPE, dtype=np.uint8)
WORKING_NM = (60.0, 24.0, 18.0)


def volume_of(
    array: NDArray[np.generic], offset_nm: NmTriple = (0, 0, 0), resolution_nm: NmTriple = (30, 12, 6)
) -> Volume:
    volume = Volume.create(
        "memory://v/",
        shape=array.shape,
        dtype=array.dtype,
        resolution_nm=resolution_nm,
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


def test_labels_of_floats_and_images_of_64_bits_are_refused() -> None:
    with pytest.raises(DtypeError, match="labels are integers"):
        GridView(
            volume_of(IMAGE.astype(np.float32)), resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=ViewKind.LABELS
        )
    with pytest.raises(DtypeError, match="an image is"):
        GridView(volume_of(IMAGE.astype(np.uint64)), resolution_nm=WORKING_NM, anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)


def test_a_table_gives_other_values_inside_and_zero_outside(tmp_path: Path) -> None:
    volume = Volume.create(tmp_path / "v", shape=(2, 4, 4), dtype=np.uint16, resolution_nm=(30, 6, 6))
    volume.write(volume.box, np.full((2, 4, 4), 1000, np.uint16))
    plain = GridView(volume, resolution_nm=(30, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    table = np.full(65536, 7, np.uint8)
    seen = plain.through(table).read(Box((0, 0, 0), (3, 2, 2)))
    assert seen.dtype == np.uint8 == plain.through(table).dtype
    assert (seen[:2] == 7).all() and (seen[2] == 0).all()
    assert plain.dtype == np.uint16 and (plain.read(plain.box) == 1000).all()


GRIDS = [
    pytest.param((40.0, 8.0, 8.0), (40.0, 12.0, 12.0), id="serial sections of 8 nm"),
    pytest.param((40.0, 16.0, 16.0), (40.0, 12.0, 12.0), id="coarser than the model"),
    pytest.param((47.5, 4.6, 4.6), (47.5, 12.0, 12.0), id="no simple ratio"),
    pytest.param((8.0, 8.0, 8.0), (32.0, 12.0, 12.0), id="isotropic"),
    pytest.param((30.0, 12.0, 6.5), (30.0, 12.0, 12.0), id="one axis alone"),
]
OFFSETS = st.tuples(*[st.integers(-40, 40)] * 3)


@pytest.mark.parametrize(("resolution_nm", "working_nm"), GRIDS)
@pytest.mark.parametrize("kind", list(ViewKind))
@given(offset_nm=OFFSETS, start=st.tuples(*[st.integers(-6, 14)] * 3), shape=st.tuples(*[st.integers(0, 14)] * 3))
def test_any_box_equals_that_part_of_the_whole_on_every_grid(
    resolution_nm: NmTriple, working_nm: NmTriple, kind: ViewKind, offset_nm: NmTriple, start: NmTriple, shape: NmTriple
) -> None:
    volume = volume_of(IMAGE, offset_nm, resolution_nm)
    view = GridView(volume, resolution_nm=working_nm, anchor_nm=(0, 0, 0), kind=kind)
    whole = np.zeros((80, 80, 80), np.uint8)
    whole[view.box.slices((-20, -20, -20))] = view.read(view.box)
    box = Box.of_shape(triple(shape), triple(start))
    np.testing.assert_array_equal(view.read(box), whole[box.slices((-20, -20, -20))])


@pytest.mark.parametrize("length_nm", [16.0, 11.0, 8.0, 5.0, 4.6, 4.0])
@pytest.mark.parametrize("offset_nm", [0.0, 3.0, -17.0])
def test_a_slope_stays_the_same_slope_on_every_grid(length_nm: float, offset_nm: float) -> None:
    rows, columns = np.arange(60)[:, None], np.arange(80)
    slope = np.broadcast_to(3 * rows + columns, (2, 60, 80)).astype(np.uint8)
    volume = volume_of(slope.copy(), (0, offset_nm, offset_nm), (40, length_nm, length_nm))
    view = GridView(volume, resolution_nm=(40, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    _, y, x = (
        ((np.arange(a, b) + 0.5) * 12 - offset_nm) / length_nm - 0.5
        for a, b in zip(view.box.start, view.box.stop, strict=True)
    )
    expected = 3 * y[:, None] + x
    inside = ((y > 2) & (y < 57))[:, None] & ((x > 2) & (x < 77))
    assert inside.sum() > 100
    assert (abs(view.read(view.box)[0] - expected)[inside] <= 0.502).all()


@pytest.mark.parametrize("length_nm", [16.0, 9.0, 8.0, 4.8])
def test_nothing_of_an_image_is_lost_or_added(length_nm: float) -> None:
    array = np.zeros((1, 60, 60), np.float32)
    array[0, 20:40, 20:40] = np.random.default_rng(4).random((20, 20), np.float32)
    volume = volume_of(array, (0, 0, 0), (40, length_nm, length_nm))
    view = GridView(volume, resolution_nm=(40, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    assert view.read(view.box).sum() * 144 == pytest.approx(array.sum() * length_nm**2, rel=1e-5)


def test_a_thin_line_keeps_more_of_its_contrast_than_in_the_plain_mean() -> None:
    array = np.full((1, 60, 60), 100.0, np.float32)
    array[0, :, 30] = 0
    volume = volume_of(array, (0, 0, 0), (40, 8, 8))
    view = GridView(volume, resolution_nm=(40, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    assert view.read(view.box).min() < 100 * (1 - 8 / 12) - 3


def test_finer_pixels_stay_within_the_data_type_beside_sharp_edges() -> None:
    edges = np.where(np.arange(22) < 11, 0, 255).astype(np.uint8)
    volume = volume_of(np.broadcast_to(edges[:, None], SHAPE).copy(), (0, 0, 0), (40, 16, 16))
    view = GridView(volume, resolution_nm=(40, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    found = view.read(view.box)[0, :, 7].astype(int)
    assert (np.diff(found) >= 0).all() and found[0] == 0 and found[-1] == 255


def test_thin_sections_are_averaged_in_whole_groups_and_none_is_blended() -> None:
    sections = np.broadcast_to(np.arange(11, dtype=np.uint8)[:, None, None] * 20, SHAPE)
    volume = volume_of(sections.copy(), (16, 0, 0), (8, 12, 12))
    view = GridView(volume, resolution_nm=(32, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    assert view.box.start[0] == 1 and view.box.stop[0] == 3
    assert view.read(view.box)[:, 0, 0].tolist() == [(40 + 60 + 80 + 100) // 4, (120 + 140 + 160 + 180) // 4]
    labels = GridView(volume, resolution_nm=(32, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.LABELS)
    assert labels.read(labels.box)[:, 0, 0].tolist() == [80, 160]


def test_a_section_stays_what_it_is_where_the_image_begins_between_two_working_sections() -> None:
    volume = volume_of(IMAGE, (13, 0, 0), (40, 12, 12))
    view = GridView(volume, resolution_nm=(40, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    np.testing.assert_array_equal(view.read(view.box), IMAGE[1 : view.shape[0] + 1])


def test_labels_finer_or_coarser_are_those_at_the_centres() -> None:
    labels = np.random.default_rng(5).integers(2**62, 2**63, SHAPE, dtype=np.uint64)
    for length_nm in (16.0, 8.0, 5.0):
        view = GridView(
            volume_of(labels, (0, 4, -6), (40, length_nm, length_nm)),
            resolution_nm=(40, 12, 12),
            anchor_nm=(0, 0, 0),
            kind=ViewKind.LABELS,
        )
        _, y, x = (np.arange(a, b) for a, b in zip(view.box.start, view.box.stop, strict=True))
        rows = ((y * 12 + 6 - 4) // length_nm).astype(int)
        columns = ((x * 12 + 6 + 6) // length_nm).astype(int)
        np.testing.assert_array_equal(view.read(view.box), labels[:, rows][:, :, columns])


def test_a_flat_image_stays_as_it_is_on_every_grid() -> None:
    for value in (0, 1, 254, 255):
        for length_nm in (4.6, 8.0, 11.3, 16.0):
            volume = volume_of(np.full(SHAPE, value, np.uint8), (0, 1.5, 0), (10, length_nm, length_nm))
            view = GridView(volume, resolution_nm=(30, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
            assert view.shape[1] > 3 and (view.read(view.box) == value).all()


def test_a_resolution_that_is_rounded_counts_as_whole_over_a_small_volume() -> None:
    volume = volume_of(IMAGE, (0, 0, 0), (30, 6.0001, 5.9999))
    view = GridView(volume, resolution_nm=(30, 12, 12), anchor_nm=(0, 0, 0), kind=ViewKind.IMAGE)
    assert [axis.factor for axis in view.map.axes] == [1, 2, 2]
