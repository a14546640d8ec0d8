"""What a TIFF says of axes, values and place is honoured, or refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from connectome.errors import DtypeError, InputError, ResolutionError, VolumeFormatError
from connectome.formats.images import open_sections
from connectome.formats.sections import Told
from connectome.formats.stacks import import_stack
from connectome.volumes.volume import Volume

IMAGE = np.random.default_rng(3).integers(1, 200, (9, 16, 24), dtype=np.uint8)
Writer = Callable[[Path], Any]


def seen(path: Path, **how: Any) -> tuple[NDArray[Any], Told]:
    with closing(open_sections(path, **how)) as sections:
        return sections.read(0, sections.shape[0]), sections.told


def write(array: NDArray[Any] = IMAGE, **how: Any) -> Writer:
    return lambda path: tifffile.imwrite(path, array, **({"photometric": "minisblack"} | how))


def pages(*sections: NDArray[Any], **how: Any) -> Writer:
    def run(path: Path) -> None:
        with tifffile.TiffWriter(path) as writer:
            for section in sections:
                writer.write(section, contiguous=False, **({"photometric": "minisblack"} | how))

    return run


def with_thumbnail(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(IMAGE, photometric="minisblack")
        writer.write(IMAGE[0, ::2, ::2], subfiletype=1, photometric="minisblack")


def pyramid(path: Path) -> None:
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(IMAGE, subifds=1, photometric="minisblack", metadata={"axes": "ZYX"})
        writer.write(IMAGE[:, ::2, ::2], subfiletype=1, photometric="minisblack")


OME, PLAIN = "a.ome.tif", "a.tif"


@pytest.mark.parametrize(
    ("name", "writer"),
    [
        (OME, write(metadata={"axes": "ZYX"})),
        (OME, write(metadata={"axes": "ZYX"}, compression="zlib")),
        (OME, write(IMAGE[:, None], metadata={"axes": "ZCYX"})),
        (OME, write(IMAGE[None], metadata={"axes": "TZYX"})),
        (OME, write(metadata={"axes": "ZYX"}, bigtiff=True, tile=(16, 16))),
        (OME, pyramid),
        (PLAIN, write(imagej=True, metadata={"axes": "ZYX"})),
        (PLAIN, write(imagej=True)),
        (PLAIN, write(imagej=True, metadata={"axes": "ZYX"}, compression="zlib")),
        (PLAIN, write(metadata={"axes": "ZYX"})),
        (PLAIN, write(metadata=None)),
        (PLAIN, write(byteorder=">")),
        (PLAIN, write(volumetric=True, tile=(16, 16, 16))),
        (PLAIN, write(np.ascontiguousarray(IMAGE.transpose(2, 1, 0)), metadata={"axes": "XYZ"})),
        (PLAIN, pages(*IMAGE)),
        (PLAIN, pages(*IMAGE, metadata=None)),
        (PLAIN, with_thumbnail),
    ],
)
def test_whatever_the_axes_sections_come_out_in_order(name: str, writer: Writer, tmp_path: Path) -> None:
    writer(tmp_path / name)
    array, told = seen(tmp_path / name)
    np.testing.assert_array_equal(array, IMAGE)
    assert told.notes == ()


TWO = np.stack([IMAGE, 255 - IMAGE], 1)


@pytest.mark.parametrize(
    ("name", "writer"),
    [
        (PLAIN, write(TWO, imagej=True, metadata={"axes": "ZCYX"})),
        (PLAIN, write(TWO, imagej=True, metadata={"axes": "ZCYX"}, compression="zlib")),
        (OME, write(TWO, metadata={"axes": "ZCYX"})),
        (OME, write(np.ascontiguousarray(TWO.swapaxes(0, 1)), metadata={"axes": "CZYX"})),
        (OME, write(np.ascontiguousarray(TWO.swapaxes(0, 1)), metadata={"axes": "CZYX"}, compression="zlib")),
        (PLAIN, write(TWO, metadata={"axes": "ZCYX"})),
    ],
)
def test_of_several_channels_one_is_chosen_or_none_taken(name: str, writer: Writer, tmp_path: Path) -> None:
    writer(tmp_path / name)
    with pytest.raises(VolumeFormatError, match="has 2 channels") as refused:
        seen(tmp_path / name)
    assert refused.value.about == "channel"
    for channel in (0, 1):
        np.testing.assert_array_equal(seen(tmp_path / name, channel=channel)[0], TWO[:, channel])
    with pytest.raises(VolumeFormatError, match="no 2"):
        seen(tmp_path / name, channel=2)


def test_time_points_are_no_sections_until_somebody_says_so(tmp_path: Path) -> None:
    write(imagej=True, metadata={"axes": "TYX"})(tmp_path / PLAIN)
    with pytest.raises(VolumeFormatError, match="9 along time"):
        seen(tmp_path / PLAIN)
    np.testing.assert_array_equal(seen(tmp_path / PLAIN, axes="zyx")[0], IMAGE)
    np.testing.assert_array_equal(seen(tmp_path / PLAIN, axes="xyz")[0], IMAGE.transpose(2, 1, 0))
    with pytest.raises(VolumeFormatError, match="isn't one of"):
        seen(tmp_path / PLAIN, axes="zy")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("how", [{}, {"compression": "zlib"}, {"metadata": None}])
def test_values_in_which_0_is_white_are_inverted_and_told(dtype: str, how: dict[str, Any], tmp_path: Path) -> None:
    array = IMAGE.astype(dtype)
    write(np.iinfo(dtype).max - array, photometric="miniswhite", **how)(tmp_path / PLAIN)
    found, told = seen(tmp_path / PLAIN)
    np.testing.assert_array_equal(found, array)
    assert "inverted" in told.notes[0]


ORIENTATIONS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda image: image,
    2: lambda image: image[:, :, ::-1],
    3: lambda image: image[:, ::-1, ::-1],
    4: lambda image: image[:, ::-1],
    5: lambda image: image.swapaxes(1, 2),
    6: lambda image: image.swapaxes(1, 2)[:, :, ::-1],
    7: lambda image: image.swapaxes(1, 2)[:, ::-1, ::-1],
    8: lambda image: image.swapaxes(1, 2)[:, ::-1],
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("how", [{}, {"compression": "zlib"}])
def test_sections_are_turned_as_the_file_says(orientation: int, how: dict[str, Any], tmp_path: Path) -> None:
    tags = [(274, "H", 1, orientation, False)]
    write(extratags=tags, resolution=(1e7 / 12, 1e7 / 13), resolutionunit="CENTIMETER", **how)(tmp_path / PLAIN)
    found, told = seen(tmp_path / PLAIN)
    np.testing.assert_array_equal(found, ORIENTATIONS[orientation](IMAGE))
    assert told.sides_nm[1:] == pytest.approx((13, 12) if orientation < 5 else (12, 13), rel=1e-5)
    assert len(told.notes) == (orientation > 1)


def mixed(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for number, section in enumerate(IMAGE):
            how = "miniswhite" if number == 5 else "minisblack"
            writer.write(section, contiguous=False, photometric=how, metadata=None)


def two_images(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(IMAGE, photometric="minisblack", metadata={"axes": "ZYX"})
        writer.write(IMAGE[:4], photometric="minisblack", metadata={"axes": "ZYX"})


def calibrated(path: Path) -> None:
    told = {"axes": "ZYX", "cf": 0, "c0": -32768.0, "c1": 1.0}
    tifffile.imwrite(path, IMAGE.astype("uint16"), imagej=True, metadata=told)


def linear_raw(path: Path) -> None:
    write(IMAGE[0])(path)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags[262].overwrite(34892)


def absent_planes(path: Path) -> None:
    write(metadata={"axes": "ZYX"})(path)
    with tifffile.TiffFile(path) as tiff:
        text = tiff.pages[0].description
    planes = "".join(
        f'<TiffData FirstZ="{z}" PlaneCount="1" IFD="0"><UUID FileName="b{z}.ome.tif">urn:uuid:{z}</UUID></TiffData>'
        for z in range(1, 9)
    )
    start, end = text.index("<TiffData"), text.index("</Pixels>")
    text = text[:start] + '<TiffData IFD="0" PlaneCount="1"/>' + planes + text[end:]
    tifffile.tiffcomment(path, text.encode())


@pytest.mark.parametrize(
    ("name", "writer", "error", "message"),
    [
        (PLAIN, mixed, VolumeFormatError, "page 5 is .*miniswhite"),
        (OME, two_images, VolumeFormatError, "holds 2 images"),
        (PLAIN, pages(IMAGE[0], IMAGE[0, :8]), VolumeFormatError, r"holds 2 images \(16x24, 8x24\)"),
        (PLAIN, calibrated, DtypeError, "ImageJ shows through a function"),
        (PLAIN, write(IMAGE[:3], photometric="rgb", planarconfig="separate"), DtypeError, "colours"),
        (PLAIN, write(np.stack([IMAGE] * 3, -1), photometric="rgb"), DtypeError, "colours"),
        (PLAIN, write(np.stack([IMAGE] * 2, -1), planarconfig="contig", extrasamples=[2]), DtypeError, "colours"),
        (PLAIN, write(IMAGE.astype("complex64")), DtypeError, "complex64"),
        (PLAIN, write(IMAGE.astype("float32"), photometric="miniswhite"), DtypeError, "0 is white"),
        (PLAIN, write(IMAGE.astype("uint32"), photometric="miniswhite"), DtypeError, "0 is white"),
        (PLAIN, linear_raw, DtypeError, "LINEAR_RAW"),
        (PLAIN, write(TWO[:, :, None], metadata={"axes": "ZCTYX"}), VolumeFormatError, "2 channels"),
        (PLAIN, write(TWO, metadata={"axes": "ZTYX"}), VolumeFormatError, "2 along time"),
        (OME, absent_planes, VolumeFormatError, "8 of 9 planes aren't in this file"),
    ],
)
def test_what_is_no_single_volume_of_grey_values_is_refused(
    name: str, writer: Writer, error: type[InputError], message: str, tmp_path: Path
) -> None:
    writer(tmp_path / name)
    with pytest.raises(error, match=message):
        seen(tmp_path / name)


def ome(**told: Any) -> dict[str, Any]:
    return {"metadata": {"axes": "ZYX"} | {f"PhysicalSize{key}": value for key, value in told.items()}}


def imagej(pixel: float = 12, **told: Any) -> dict[str, Any]:
    resolution = (12 / 12 / pixel, 12 / 13 / pixel)
    return {"imagej": True, "resolution": resolution, "metadata": {"axes": "ZYX"} | told}


def tags(unit: str, over: float) -> dict[str, Any]:
    return {"resolution": (over / 12, over / 13), "resolutionunit": unit}


@pytest.mark.parametrize(
    ("name", "how", "sides_nm"),
    [
        (OME, ome(X=0.012, Y=0.013, Z=0.03), (30, 13, 12)),
        (OME, ome(X=12, XUnit="nm", Y=13, YUnit="nm", Z=300, ZUnit="Å"), (30, 13, 12)),
        (OME, ome(X=1, XUnit="pixel", Y=13, YUnit="nm"), (None, 13, None)),
        (PLAIN, imagej(spacing=30, unit="nm"), (30, 13, 12)),
        (PLAIN, imagej(0.012, spacing=0.03, unit="\\u00B5m"), (30, 13, 12)),
        (PLAIN, imagej(0.012, spacing=30, unit="micron", zunit="nm"), (30, 13, 12)),
        (PLAIN, imagej(unit="nm"), (None, 13, 12)),
        (PLAIN, imagej(spacing=30), (None, None, None)),
        (PLAIN, imagej(spacing=30, unit="nm") | {"imagej": False}, (30, 13, 12)),
        (PLAIN, tags("CENTIMETER", 1e7), (None, 13, 12)),
        (PLAIN, tags("INCH", 25.4e6), (None, 13, 12)),
        (PLAIN, tags("INCH", 300 * 12), (None, None, None)),
        (PLAIN, {}, (None, None, None)),
    ],
)
def test_the_resolution_that_a_file_carries_is_used(
    name: str, how: dict[str, Any], sides_nm: tuple[float | None, ...], tmp_path: Path
) -> None:
    write(**how)(tmp_path / name)
    found = seen(tmp_path / name)[1].sides_nm
    assert [side is None for side in found] == [side is None for side in sides_nm]
    assert [side for side in found if side] == pytest.approx([side for side in sides_nm if side], rel=1e-5)


def test_a_stack_lies_where_its_file_says_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    told = {"axes": "ZYX", "spacing": 30, "unit": "nm", "xorigin": -10, "zorigin": 2}
    write(imagej=True, resolution=(1 / 12, 1 / 12), metadata=told)(tmp_path / PLAIN)
    for given, resolution_nm, offset_nm in (
        ({}, (30, 12, 12), (-60, 0, 120)),
        ({"resolution_nm": (40, 4, 4), "offset_nm": (1, 2, 3)}, (40, 4, 4), (1, 2, 3)),
    ):
        with closing(open_sections(tmp_path / PLAIN)) as sections:
            import_stack(sections, tmp_path / "v", overwrite=True, **given)
        grid = Volume.open(tmp_path / "v").grid
        assert grid.resolution_nm == pytest.approx(resolution_nm)
        assert grid.offset_nm == pytest.approx(offset_nm)


def test_a_file_that_does_not_tell_how_far_its_sections_lie_apart_needs_a_resolution(tmp_path: Path) -> None:
    write(resolution=(1e7 / 12, 1e7 / 12), resolutionunit="CENTIMETER")(tmp_path / PLAIN)
    with (
        closing(open_sections(tmp_path / PLAIN)) as sections,
        pytest.raises(ResolutionError, match="pixels of 12x12 nm, but not how far") as refused,
    ):
        import_stack(sections, tmp_path / "v")
    assert refused.value.about == "voxel"
    assert not (tmp_path / "v").exists()


def test_bilevel_pages_are_read_whichever_value_is_white(tmp_path: Path) -> None:
    mask = IMAGE > 100
    write(mask)(tmp_path / "b.tif")
    write(~mask, photometric="miniswhite")(tmp_path / "w.tif")
    for name in ("b.tif", "w.tif"):
        with closing(open_sections(tmp_path / name)) as sections:
            import_stack(sections, tmp_path / f"{name}.zarr", resolution_nm=(30, 12, 12))
        volume = Volume.open(tmp_path / f"{name}.zarr")
        assert volume.dtype == np.uint8
        np.testing.assert_array_equal(volume.read(volume.box), mask)
