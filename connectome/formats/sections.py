"""Image stacks as sections: files of a folder, pages of a TIFF, a .npy array; read a few at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from connectome.errors import DtypeError, VolumeFormatError, VolumeNotFoundError
from connectome.geometry import Triple

TIFF_SUFFIXES = (".tif", ".tiff")
SECTION_SUFFIXES = (*TIFF_SUFFIXES, ".png")
GREY_MODES = {"L": np.uint8, "I;16": np.uint16, "I;16L": np.uint16, "I;16B": np.uint16, "I": np.int32, "F": np.float32}


class Sections(Protocol):
    """Sections along z, opened lazily."""

    @property
    def shape(self) -> Triple:
        """Sections, rows, columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type, in this machine's byte order."""

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""


@dataclass(frozen=True)
class SectionFiles:
    """One file a section."""

    paths: list[Path]
    shape: Triple
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""
        return np.stack([_section(path).astype(self.dtype, copy=False) for path in self.paths[start:stop]])


@dataclass(frozen=True)
class ArrayFile:
    """An array (z, y, x) that is mapped from a file."""

    array: NDArray[Any]

    @property
    def shape(self) -> Triple:
        """Sections, rows, columns."""
        z, y, x = self.array.shape
        return z, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type, in this machine's byte order."""
        return self.array.dtype.newbyteorder("=")

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""
        return np.asarray(self.array[start:stop]).astype(self.dtype, copy=False)


@dataclass(frozen=True)
class TiffPages:
    """The pages of one TIFF."""

    path: Path
    shape: Triple
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""
        with _reading(self.path), tifffile.TiffFile(self.path) as tiff:
            return np.stack([tiff.pages[z].asarray() for z in range(start, stop)]).astype(self.dtype, copy=False)


def open_sections(source: str | Path) -> Sections:
    """Open a folder or glob of TIFF or PNG sections (in natural order), a multi-page TIFF, or a .npy array.

    Raises:
        VolumeNotFoundError: nothing is there. DtypeError: colours, or no numbers.
        VolumeFormatError: sections differ in shape or data type, or a file can't be read.
    """
    path = Path(source).expanduser()
    if path.is_file() and path.suffix.lower() == ".npy":
        return _npy(path)
    if path.is_file() and path.suffix.lower() in TIFF_SUFFIXES:
        return _tiff_pages(path)
    paths = _section_paths(path)
    headers = [_header(paths[0])]
    for other in paths[1:]:
        headers.append(_header(other))
        if headers[-1] != headers[0]:
            (shape, dtype), (shape0, dtype0) = headers[-1], headers[0]
            raise VolumeFormatError(
                f"{other} is {shape[0]}x{shape[1]} {dtype}, but {paths[0].name} is {shape0[0]}x{shape0[1]} {dtype0}: "
                "sections of one stack have one shape and data type"
            )
    (height, width), dtype = headers[0]
    return SectionFiles(paths, (len(paths), height, width), dtype)


def natural_key(path: Path) -> list[tuple[int, str]]:
    """A sort key that puts section 9 before section 10."""
    parts = re.findall(r"\d+|\D+", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _section_paths(path: Path) -> list[Path]:
    if path.is_dir():
        found: Iterator[Path] = path.iterdir()
    elif path.exists():
        found = iter([path])
    else:
        found = path.parent.glob(path.name) if path.parent.is_dir() else iter([])
    paths = [file for file in found if file.suffix.lower() in SECTION_SUFFIXES and not file.name.startswith(".")]
    if not paths:
        raise VolumeNotFoundError(
            f"no TIFF, PNG or .npy at {path}: give a folder, a pattern such as 'dir/*.png', or a file"
        )
    return sorted(paths, key=natural_key)


def _header(path: Path) -> tuple[tuple[int, int], np.dtype[Any]]:
    """Rows, columns and data type of one section."""
    if path.suffix.lower() in TIFF_SUFFIXES:
        with _reading(path), tifffile.TiffFile(path) as tiff:
            if len(tiff.pages) != 1:
                raise VolumeFormatError(f"{path} has {len(tiff.pages)} pages: in a folder each file is one section")
            return _page_header(path, tiff.pages[0])
    with _reading(path), _image(path) as image:
        if image.mode not in GREY_MODES:
            raise DtypeError(f"{path} is {image.mode}, not grey values: convert it to greyscale, or to integer labels")
        return (image.height, image.width), np.dtype(GREY_MODES[image.mode])


def _page_header(path: Path, page: Any) -> tuple[tuple[int, int], np.dtype[Any]]:
    if page.samplesperpixel != 1 or len(page.shape) != 2:
        raise DtypeError(
            f"{path} has colours (a page of shape {page.shape}): convert it to greyscale or integer labels"
        )
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        raise DtypeError(f"{path} has a colour palette: convert it to greyscale, or to integer labels")
    return (page.shape[0], page.shape[1]), _number_dtype(path, page.dtype)


def _number_dtype(path: Path, dtype: Any) -> np.dtype[Any]:
    if dtype is None or np.dtype(dtype).kind not in "uif":
        raise DtypeError(f"{path} holds {dtype}, not integers or floats")
    return np.dtype(dtype).newbyteorder("=")


def _section(path: Path) -> NDArray[Any]:
    if path.suffix.lower() in TIFF_SUFFIXES:
        with _reading(path), tifffile.TiffFile(path) as tiff:
            return np.asarray(tiff.pages[0].asarray())
    with _reading(path), _image(path) as image:
        return np.asarray(image)


@contextmanager
def _image(path: Path) -> Iterator[Image.Image]:
    """An opened image of any size: sections are often larger than what Pillow takes for an attack."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with Image.open(path) as image:
            yield image
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _tiff_pages(path: Path) -> Sections:
    with _reading(path), tifffile.TiffFile(path) as tiff:
        (height, width), dtype = _page_header(path, tiff.pages[0])
        series = tiff.series[0]
        pages = len(tiff.pages)
        if pages == 1 and len(series.shape) == 3 and series.dataoffset is not None:
            return ArrayFile(tifffile.memmap(path, mode="r"))
        for number, page in enumerate(tiff.pages):
            header = _page_header(path, page)
            if header != ((height, width), dtype):
                raise VolumeFormatError(
                    f"{path}: page {number} is {header[0][0]}x{header[0][1]} {header[1]}, but the first is "
                    f"{height}x{width} {dtype}"
                )
    return TiffPages(path, (pages, height, width), dtype)


def _npy(path: Path) -> ArrayFile:
    with _reading(path):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.ndim != 3:
        raise VolumeFormatError(f"{path} has {array.ndim} dimensions; a volume has three (z, y, x)")
    _number_dtype(path, array.dtype)
    return ArrayFile(array)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Translate what the readers raise."""
    try:
        yield
    except (OSError, ValueError, SyntaxError, EOFError, tifffile.TiffFileError) as error:
        hint = ": pip install imagecodecs reads its compression" if "imagecodecs" in str(error) else f": {error}"
        raise VolumeFormatError(f"{path} can't be read{hint}") from error
