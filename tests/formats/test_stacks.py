"""Import of image stacks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from connectome.errors import DtypeError, InputError, StorageError, VolumeFormatError, VolumeNotFoundError
from connectome.formats import stacks
from connectome.formats.images import open_sections
from connectome.formats.section_names import natural_key
from connectome.volumes.volume import Volume

RESOLUTION_NM = (30.0, 12.0, 12.0)


def import_stack(source: str | Path, target: Path, *, opening: dict[str, Any] | None = None, **how: Any) -> None:
    with closing(open_sections(source, **(opening or {}))) as opened:
        stacks.import_stack(opened, target, **how)


def sections(dtype: str) -> NDArray[Any]:
    values = np.random.default_rng(4).integers(0, 200, (12, 9, 7))
    return (values * {"uint64": 2**50, "float32": 0.5}.get(dtype, 1)).astype(dtype)


def write_tiffs(folder: Path, array: NDArray[Any]) -> Path:
    for number, section in enumerate(array):
        tifffile.imwrite(folder / f"s{number}.tif", section)
    return folder


def write_pngs(folder: Path, array: NDArray[Any]) -> Path:
    for number, section in enumerate(array):
        Image.fromarray(section).save(folder / f"S_{number}.PNG")
    return folder


def write_pages(folder: Path, array: NDArray[Any]) -> Path:
    with tifffile.TiffWriter(folder / "stack.tiff") as writer:
        for section in array:
            writer.write(section, contiguous=False)
    return folder / "stack.tiff"


def write_imagej(folder: Path, array: NDArray[Any]) -> Path:
    tifffile.imwrite(folder / "ij.tif", array, imagej=True)
    return folder / "ij.tif"


def write_compressed(folder: Path, array: NDArray[Any]) -> Path:
    tifffile.imwrite(folder / "z.tif", array, compression="zlib", photometric="minisblack")
    return folder / "z.tif"


def write_npy(folder: Path, array: NDArray[Any]) -> Path:
    np.save(folder / "a.npy", array)
    return folder / "a.npy"


@pytest.mark.parametrize(
    ("write", "dtypes"),
    [
        (write_tiffs, "uint8 uint16 uint32 uint64 int16 float32 >u2"),
        (write_pages, "uint8 uint64 >u2"),
        (write_imagej, "uint8 uint16"),
        (write_compressed, "uint8 uint32"),
        (write_pngs, "uint8 uint16"),
        (write_npy, "uint8 uint16 uint32 uint64 float32 >u8"),
    ],
)
def test_every_kind_of_stack_keeps_its_voxels_and_data_type(
    write: Callable[[Path, NDArray[Any]], Path], dtypes: str, tmp_path: Path
) -> None:
    for dtype in dtypes.split():
        array = sections("uint64" if dtype == ">u8" else dtype).astype(dtype)
        folder = tmp_path / dtype
        folder.mkdir()
        target = tmp_path / f"{dtype}.zarr"
        import_stack(write(folder, array), target, resolution_nm=RESOLUTION_NM, offset_nm=(0, 12, 24))
        volume = Volume.open(target)
        assert volume.dtype == array.dtype.newbyteorder("=")
        assert (volume.grid.resolution_nm, volume.grid.offset_nm) == (RESOLUTION_NM, (0, 12, 24))
        np.testing.assert_array_equal(volume.read(volume.box), array)


def test_large_sections_are_written_in_thinner_slabs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "SLAB_BYTES", 9 * 7 * 5)
    array = sections("uint8")
    import_stack(write_npy(tmp_path, array), tmp_path / "v", resolution_nm=RESOLUTION_NM)
    volume = Volume.open(tmp_path / "v")
    assert volume.chunk_shape[0] == 4
    np.testing.assert_array_equal(volume.read(volume.box), array)


def test_a_pattern_takes_only_the_files_that_it_names(tmp_path: Path) -> None:
    array = sections("uint8")
    write_tiffs(tmp_path, array)
    import_stack(f"{tmp_path}/s[1-3].tif", tmp_path / "v", resolution_nm=RESOLUTION_NM)
    volume = Volume.open(tmp_path / "v")
    np.testing.assert_array_equal(volume.read(volume.box), array[1:4])


def test_names_are_sorted_by_their_numbers() -> None:
    names = ["a10.png", "a9.png", "a1b2.png", "a01.png", "b0.png"]
    assert sorted(names, key=lambda name: natural_key(Path(name))) == [
        "a01.png",
        "a1b2.png",
        "a9.png",
        "a10.png",
        "b0.png",
    ]


def rgb(folder: Path) -> Path:
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(folder / "s.png")
    return folder


def rgb_tiff(folder: Path) -> Path:
    tifffile.imwrite(folder / "s.tif", np.zeros((4, 4, 3), np.uint8), photometric="rgb")
    return folder / "s.tif"


def palette(folder: Path) -> Path:
    Image.fromarray(np.zeros((4, 4), np.uint8)).convert("P").save(folder / "s.png")
    return folder


def other_shape(folder: Path) -> Path:
    tifffile.imwrite(folder / "s1.tif", np.zeros((4, 4), np.uint8))
    tifffile.imwrite(folder / "s2.tif", np.zeros((4, 5), np.uint8))
    return folder


def other_dtype(folder: Path) -> Path:
    tifffile.imwrite(folder / "s1.tif", np.zeros((4, 4), np.uint8))
    tifffile.imwrite(folder / "s2.tif", np.zeros((4, 4), np.uint16))
    return folder


def pages_in_folder(folder: Path) -> Path:
    write_pages(folder, sections("uint8"))
    return folder


def no_image(folder: Path) -> Path:
    (folder / "s.png").write_text("text")
    return folder


def no_tiff(folder: Path) -> Path:
    (folder / "s.tif").write_text("text")
    return folder / "s.tif"


def no_npy(folder: Path) -> Path:
    (folder / "a.npy").write_text("text")
    return folder / "a.npy"


def flat_npy(folder: Path) -> Path:
    return write_npy(folder, np.zeros((3, 3), np.uint8))


def objects(folder: Path) -> Path:
    return write_npy(folder, np.array([[["a"]]]))


def empty(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (rgb, DtypeError, r"s\.png is RGB"),
        (rgb_tiff, DtypeError, r"s\.tif has colours \(3 samples"),
        (palette, DtypeError, r"s\.png is P,"),
        (other_shape, VolumeFormatError, r"s2\.tif is 4x5 uint8, but s1\.tif is 4x4"),
        (other_dtype, VolumeFormatError, r"s2\.tif is 4x4 uint16"),
        (pages_in_folder, VolumeFormatError, "has 12 pages"),
        (no_image, VolumeFormatError, r"s\.png can't be read"),
        (no_tiff, VolumeFormatError, r"s\.tif can't be read"),
        (no_npy, VolumeFormatError, r"a\.npy can't be read"),
        (flat_npy, VolumeFormatError, "has 2 dimensions"),
        (objects, DtypeError, "not integers or floats"),
        (empty, VolumeNotFoundError, "no TIFF, PNG"),
    ],
)
def test_what_is_no_grey_stack_is_refused_and_nothing_is_written(
    write: Callable[[Path], Path], error: type[InputError], message: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    source = write(tmp_path / "in")
    with pytest.raises(error, match=message):
        import_stack(source, tmp_path / "v", resolution_nm=RESOLUTION_NM)
    assert [item.name for item in tmp_path.iterdir()] == ["in"]


def test_a_section_that_is_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_pngs(tmp_path / "in", np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8))
    os.truncate(tmp_path / "in" / "S_2.PNG", 2000)
    with pytest.raises(VolumeFormatError, match=r"S_2\.PNG can't be read"):
        import_stack(tmp_path / "in", tmp_path / "v", resolution_nm=RESOLUTION_NM)
    assert [item.name for item in tmp_path.iterdir()] == ["in"]


def test_an_existing_target_is_replaced_only_if_asked(tmp_path: Path) -> None:
    source = write_npy(tmp_path, sections("uint8"))
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "mine.txt").write_text("keep")
    with pytest.raises(StorageError, match="exists already"):
        import_stack(source, tmp_path / "v", resolution_nm=RESOLUTION_NM)
    assert (tmp_path / "v" / "mine.txt").read_text() == "keep"
    import_stack(source, tmp_path / "v", resolution_nm=RESOLUTION_NM, overwrite=True)
    assert Volume.open(tmp_path / "v").grid.shape == (12, 9, 7)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.npy", "v"]


def test_a_url_as_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a URL"):
        import_stack(write_npy(tmp_path, sections("uint8")), Path("gs://bucket/v"), resolution_nm=RESOLUTION_NM)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_one_line_and_leaves_nothing_behind(small_disk: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 256, 256), dtype=np.uint8)
    source = write_npy(tmp_path, noise)
    with pytest.raises(StorageError, match="No space left on device") as full:
        import_stack(source, small_disk / "v", resolution_nm=RESOLUTION_NM)
    assert "\n" not in str(full.value)
    assert list(small_disk.iterdir()) == []
