"""Opens what people have of an image: a folder or pattern of sections, a TIFF, a .npy array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from connectome.errors import DtypeError, VolumeFormatError, VolumeNotFoundError
from connectome.formats.axes import given_axes, plan_axes
from connectome.formats.section_names import Gaps, order_sections
from connectome.formats.sections import ArraySections, SectionFiles, Sections, Told, number_dtype
from connectome.formats.tiff import open_tiff, reading

TIFF_SUFFIXES = (".tif", ".tiff")
KINDS = {
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".jp2": "JPEG 2000",
    ".webp": "WebP",
    ".dm3": "DM3",
    ".dm4": "DM4",
    ".mrc": "MRC",
}
READ = ("TIFF", "PNG")
GREY_MODES = {
    "1": bool,
    "L": np.uint8,
    "I;16": np.uint16,
    "I;16L": np.uint16,
    "I;16B": np.uint16,
    "I": np.int32,
    "F": np.float32,
}
ORIENTATION = 274


def open_sections(
    source: str | Path, *, channel: int | None = None, axes: str | None = None, gaps: Gaps = Gaps.REFUSE
) -> Sections:
    """Open a folder or glob of TIFF or PNG sections, a TIFF, or a .npy array. Close it afterwards.

    Args:
        source: what to open.
        channel: which of several channels of a TIFF or an array, from 0.
        axes: letters of the axes of a TIFF or an array (see `given_axes`), where the file doesn't tell or is wrong.
        gaps: what becomes of sections that no file shows.

    Raises:
        VolumeNotFoundError: nothing is there. DtypeError: colours, or no numbers.
        VolumeFormatError: sections differ in shape or data type, don't count, or a file can't be read.
    """
    path = Path(source).expanduser()
    if path.is_file() and path.suffix.lower() == ".npy":
        return _npy(path, channel, axes)
    if path.is_file() and path.suffix.lower() in TIFF_SUFFIXES:
        return open_tiff(path, channel=channel, axes=axes)
    return _section_files(_section_paths(path), channel, gaps)


def _section_paths(path: Path) -> list[Path]:
    """The files of sections, all of one kind.

    Raises:
        VolumeNotFoundError: there is none. VolumeFormatError: there are several kinds.
    """
    if path.is_dir():
        found: Iterator[Path] = path.iterdir()
    elif path.exists():
        found = iter([path])
    else:
        found = path.parent.glob(path.name) if path.parent.is_dir() else iter([])
    images = [file for file in found if file.suffix.lower() in KINDS and not file.name.startswith(".")]
    counts = Counter(KINDS[file.suffix.lower()] for file in images)
    if not any(kind in counts for kind in READ):
        raise VolumeNotFoundError(
            f"no TIFF, PNG or .npy at {path}: give a folder, a pattern such as 'dir/*.png', or a file"
        )
    if len(counts) > 1:
        kinds = " and ".join(f"{count} {kind}" for kind, count in counts.most_common())
        raise VolumeFormatError(
            f"{path} holds {kinds} files: give a pattern of those that are the sections, such as 'dir/*.png'"
        )
    return images


def _section_files(paths: list[Path], channel: int | None, gaps: Gaps) -> Sections:
    ordered = order_sections(paths, gaps)
    files = [file for file in ordered if file is not None]
    with closing(_one_section(files[0], channel)) as first:
        for other in files[1:]:
            with closing(_one_section(other, channel)) as opened:
                if (opened.shape, opened.dtype) != (first.shape, first.dtype):
                    raise VolumeFormatError(
                        f"{other} is {_size(opened)}, but {files[0].name} is {_size(first)}: sections of one stack "
                        "have one shape and data type"
                    )
        return SectionFiles(ordered, first, partial(_section, channel=channel))


def _size(section: Sections) -> str:
    return f"{section.shape[1]}x{section.shape[2]} {section.dtype}"


def _section(path: Path, channel: int | None) -> NDArray[Any]:
    """The voxels (y, x) of one section."""
    with closing(_one_section(path, channel)) as opened:
        section: NDArray[Any] = opened.read(0, 1)[0]
        return section


def _one_section(path: Path, channel: int | None) -> Sections:
    """One section's file.

    Raises:
        VolumeFormatError: it holds several. DtypeError: colours.
    """
    if path.suffix.lower() not in TIFF_SUFFIXES:
        return _Png(path)
    opened = open_tiff(path, channel=channel)
    if opened.shape[0] != 1:
        opened.close()
        raise VolumeFormatError(f"{path} has {opened.shape[0]} pages: in a folder each file is one section")
    return opened


class _Png:
    """A section in a PNG; its voxels are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        """Read the header.

        Raises:
            DtypeError: it isn't grey. VolumeFormatError: it can't be read, or is to be shown turned.
        """
        self._path = path
        self.told = Told()
        with reading(path), _image(path) as image:
            if image.mode not in GREY_MODES:
                raise DtypeError(
                    f"{path} is {image.mode}, not grey values: convert it to greyscale, or to integer labels"
                )
            if image.getexif().get(ORIENTATION, 1) != 1:
                raise VolumeFormatError(
                    f"{path} is to be shown turned (its orientation isn't 1): save it as it is shown"
                )
            self.shape = (1, image.height, image.width)
            self.dtype = np.dtype(GREY_MODES[image.mode])

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""
        with reading(self._path), _image(self._path) as image:
            return np.asarray(image).astype(self.dtype, copy=False)[None][start:stop]

    def close(self) -> None:
        """The file is closed already."""


@contextmanager
def _image(path: Path) -> Iterator[Image.Image]:
    """An opened image of any size: sections are often larger than what Pillow takes for an attack."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with Image.open(path) as image:
            yield image
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _npy(path: Path, channel: int | None, axes: str | None) -> Sections:
    with reading(path):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    number_dtype(path, array.dtype)
    if axes is None and array.ndim != 3:
        raise VolumeFormatError(f"{path} has {array.ndim} dimensions; a volume has three (z, y, x)", about="axes")
    letters = "zyx" if axes is None else given_axes(str(path), axes, array.shape)
    return ArraySections(array, plan_axes(str(path), letters, array.shape, channel), Told())
