"""One TIFF as sections: its axes, values and place as the file tells them (OME, ImageJ, tags)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray

from connectome.errors import DtypeError, VolumeFormatError
from connectome.formats.axes import AxisPlan, given_axes, plan_axes
from connectome.formats.sections import ArraySections, Sections, Told, number_dtype
from connectome.geometry import NmTriple, Triple, Vector
from connectome.volumes.placement import unit_nm

PAGES = ("uniform", "generic", "shaped")
"""Kinds of series in which a file tells nothing of how its pages belong together."""
LARGEST_NM = 1000.0
"""A pixel larger than this is what a printer or a screen was meant to make of it, not what a microscope saw."""
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
UNIT_NM = {2: 25.4e6, 3: 1e7}
INVERTED = "its values are inverted, since the file says that 0 is white"


class PageSections:
    """The pages of a TIFF."""

    def __init__(self, path: Path, tiff: tifffile.TiffFile, pages: Sequence[Any], told: Told) -> None:
        """Take the pages of sections, in order, of an opened file."""
        self._path, self._tiff, self._pages = path, tiff, pages
        self._values = _Values(path, pages[0].keyframe)
        self.told = told
        self.shape: Triple = (len(pages), *self._values.shape)
        self.dtype = self._values.dtype

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""
        with reading(self._path):
            return np.stack([self._values.seen(page.asarray()) for page in self._pages[start:stop]])

    def close(self) -> None:
        """Close the file."""
        self._tiff.close()


def open_tiff(path: Path, *, channel: int | None = None, axes: str | None = None) -> Sections:
    """Open a TIFF of one or more sections.

    Args:
        path: the file.
        channel: which of several channels, from 0.
        axes: letters of its axes (see `given_axes`), where the file doesn't tell or is wrong.

    Raises:
        VolumeFormatError, DtypeError: it isn't one volume of numbers, or can't be read.
    """
    with reading(path):
        tiff = tifffile.TiffFile(path)
        try:
            return _sections(path, tiff, channel, axes)
        except BaseException:
            tiff.close()
            raise


def _sections(path: Path, tiff: tifffile.TiffFile, channel: int | None, axes: str | None) -> Sections:
    series, several = _one_image(path, tiff)
    keyframe = series.keyframe
    _refuse_calibration(path, tiff)
    values = _Values(path, keyframe)
    told = Told(
        sides_nm=_upright_sides(_sides_nm(tiff, series), values), offset_nm=_offset_nm(tiff), notes=values.notes
    )
    if several:
        return PageSections(path, tiff, several, told)
    shape = tuple(series.get_shape(squeeze=False))
    letters = series.get_axes(squeeze=False) if axes is None else given_axes(str(path), axes, shape)
    plan = plan_axes(str(path), letters, shape, channel)
    pages = list(series.pages)
    if any(page is None for page in pages):
        absent = sum(page is None for page in pages)
        raise VolumeFormatError(f"{path}: {absent} of {len(pages)} planes aren't in this file nor in others beside it")
    _refuse_mixed(path, pages)
    lead = shape[: len(shape) - 3] if letters[-1:].lower() == "s" else shape[: len(shape) - 2]
    is_paged = (
        len(pages) == math.prod(lead) and len(keyframe.shape) == 2 and plan.axes[1:] == (len(lead), len(lead) + 1)
    )
    if is_paged:
        return PageSections(path, tiff, [pages[i] for i in _page_numbers(plan, lead)], told)
    array = series.asarray(out=None if series.dataoffset is None else "memmap").reshape(shape)
    tiff.close()
    return ArraySections(array, plan, told, values.seen)


def _one_image(path: Path, tiff: tifffile.TiffFile) -> tuple[Any, list[Any]]:
    """The series that is the image, and where a series is a page, the pages.

    Reduced copies are left out, as are the coarser levels that lie in a series.
    """
    found = [series for series in tiff.series if not series.keyframe.is_reduced] or list(tiff.series[:1])
    if len(found) == 1:
        return found[0], []
    headers = {(series.kind, tuple(series.shape), series.dtype) for series in found}
    if len(headers) == 1 and found[0].kind in PAGES and all(len(series.pages) == 1 for series in found):
        pages = [series.pages[0] for series in found]
        if len(found[0].shape) == 2:
            _refuse_mixed(path, pages)
            return found[0], pages
    shapes = ", ".join("x".join(map(str, series.shape)) for series in found)
    raise VolumeFormatError(f"{path} holds {len(found)} images ({shapes}): save the one that is the volume alone")


def _page_numbers(plan: AxisPlan, lead: tuple[int, ...]) -> list[int]:
    """Which page of a series shows each section."""
    z = plan.axes[0]
    count = 1 if z is None else lead[z]
    places = [tuple(i if axis == z else plan.fixed.get(axis, 0) for axis in range(len(lead))) for i in range(count)]
    return [int(np.ravel_multi_index(place, lead)) if lead else 0 for place in places]


class _Values:
    """What one page's numbers mean, and how it was laid on the scanner."""

    def __init__(self, path: Path, page: Any) -> None:
        """Read the page's tags.

        Raises:
            DtypeError: colours, a palette, complex numbers, or numbers whose meaning isn't known.
        """
        photometric = tifffile.PHOTOMETRIC
        if page.photometric == photometric.PALETTE:
            raise DtypeError(f"{path} has a colour palette: convert it to greyscale, or to integer labels")
        if page.samplesperpixel != 1:
            raise DtypeError(
                f"{path} has colours ({page.samplesperpixel} samples a voxel): convert it to greyscale or labels"
            )
        if page.photometric not in (None, photometric.MINISBLACK, photometric.MINISWHITE):
            raise DtypeError(f"{path} holds {photometric(page.photometric).name} values: convert them to greyscale")
        self.dtype = number_dtype(path, page.dtype)
        self._white: int | None = None
        if page.photometric == photometric.MINISWHITE:
            if self.dtype.name not in ("bool", "uint8", "uint16"):
                raise DtypeError(f"{path} says that 0 is white, which {self.dtype} values can't mean: invert them")
            self._white = 2**page.bitspersample - 1
        tag = page.tags.get(ORIENTATION)
        self._orientation = 1 if tag is None else int(tag.value)
        height, width = page.shape[-2:]
        self.shape: tuple[int, int] = (width, height) if self.is_turned else (height, width)

    @property
    def is_turned(self) -> bool:
        """True if rows of the file are columns of the image."""
        return self._orientation in (5, 6, 7, 8)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is done to the values and their order, for a person."""
        turned = f"its sections are turned as the file says (orientation {self._orientation})"
        return (INVERTED,) * (self._white is not None) + (turned,) * (self._orientation > 1)

    def seen(self, array: NDArray[Any]) -> NDArray[Any]:
        """The values as the file means them, and rows and columns (the last two axes) where they belong."""
        array = array.astype(self.dtype, copy=False)
        if self._white is not None:
            array = ~array if self.dtype == bool else (self._white - array).astype(self.dtype)
        if self.is_turned:
            array = array.swapaxes(-1, -2)
        if self._orientation in (2, 3, 6, 7):
            array = array[..., ::-1]
        if self._orientation in (3, 4, 7, 8):
            array = array[..., ::-1, :]
        return array


def _refuse_mixed(path: Path, pages: Sequence[Any]) -> None:
    """Check that all pages of this file that make a volume hold numbers of one meaning.

    Raises:
        VolumeFormatError: two differ.
    """
    with tifffile.TiffFile(path) as tiff:  # anew: once series are known, pages take over what the first one says
        count = len(tiff.pages)
        own = [page.index for page in pages if Path(page.parent.filehandle.path) == path.absolute()]
        headers = [_header(tiff.pages[index]) for index in own if isinstance(index, int) and index < count]
    for index, header in zip(own, headers, strict=False):
        if header != headers[0]:
            raise VolumeFormatError(f"{path}: page {index} is {_text(header)}, but the first is {_text(headers[0])}")


def _header(page: Any) -> tuple[Any, ...]:
    tag = page.tags.get(ORIENTATION)
    return tuple(page.shape), page.dtype, page.photometric, 1 if tag is None else int(tag.value)


def _text(header: tuple[Any, ...]) -> str:
    shape, dtype, photometric, orientation = header
    meaning = "" if photometric is None else f", {tifffile.PHOTOMETRIC(photometric).name.lower()}"
    return f"{'x'.join(map(str, shape))} {dtype}{meaning}, orientation {orientation}"


def _refuse_calibration(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse values that ImageJ would show through a function.

    Raises:
        DtypeError: there is one that changes them.
    """
    told = tiff.imagej_metadata or {}
    if "cf" in told and (float(told.get("c0", 0)), float(told.get("c1", 1))) != (0.0, 1.0):
        raise DtypeError(f"{path} has grey values that ImageJ shows through a function of its own: save them plain")


def _sides_nm(tiff: tifffile.TiffFile, series: Any) -> tuple[float | None, ...]:
    """Sides (z, y, x) of a voxel in nm, as far as the file tells."""
    if tiff.is_ome and tiff.ome_metadata:
        return _ome_sides_nm(tiff.ome_metadata, list(tiff.series).index(series))
    told = _told(tiff)
    lengths = [unit_nm(told.get(key, told.get("unit", ""))) for key in ("zunit", "yunit", "unit")]
    pixels = [_pixel(series.keyframe, tag) for tag in (Y_RESOLUTION, X_RESOLUTION)]
    if lengths[2] is None:
        tag = series.keyframe.tags.get(RESOLUTION_UNIT)
        by_tag = UNIT_NM.get(int(tag.value)) if tag is not None else None
        lengths_nm = (None if side is None or by_tag is None else side * by_tag for side in pixels)
        return None, *(None if length is None or length > LARGEST_NM else length for length in lengths_nm)
    spacing = told.get("spacing")
    z = None if spacing is None or lengths[0] is None else abs(float(spacing)) * lengths[0]
    return z, *(None if p is None or u is None else p * u for p, u in zip(pixels, lengths[1:], strict=True))


def _pixel(page: Any, tag: int) -> float | None:
    """The side of a pixel, in the unit of the file's resolution."""
    value = page.tags.get(tag)
    if value is None:
        return None
    number, over = value.value if isinstance(value.value, tuple) else (value.value, 1)
    return float(over) / float(number) if number and over else None


def _ome_sides_nm(text: str, image: int) -> tuple[float | None, ...]:
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None, None, None
    pixels = [element for element in root.iter() if re.fullmatch(r"(\{.*\})?Pixels", element.tag)]
    if image >= len(pixels):
        return None, None, None
    told = pixels[image].attrib
    sides = ((told.get(f"PhysicalSize{axis}"), unit_nm(told.get(f"PhysicalSize{axis}Unit", "µm"))) for axis in "ZYX")
    return tuple(None if side is None or unit is None else round(float(side) * unit, 6) for side, unit in sides)


def _offset_nm(tiff: tifffile.TiffFile) -> NmTriple | None:
    """The corner (z, y, x) of the first voxel in nm, where ImageJ tells the origin of its coordinates; else None."""
    told = _told(tiff)
    origin = [told.get(f"{axis}origin", 0) for axis in "zyx"]
    if not any(map(float, origin)):
        return None
    sides = _sides_nm(tiff, tiff.series[0])
    known = [side for side in sides if side is not None]
    if len(known) < 3:
        return None
    return Vector(round(side * -float(value), 6) for side, value in zip(known, origin, strict=True))


def _told(tiff: tifffile.TiffFile) -> Mapping[str, Any]:
    """What ImageJ writes beside an image, or other writers in its words."""
    found: Mapping[str, Any] = tiff.imagej_metadata or (tiff.shaped_metadata or ({},))[0]
    return found


def _upright_sides(sides: tuple[float | None, ...], values: _Values) -> tuple[float | None, float | None, float | None]:
    z, y, x = (None if side is None else round(side, 6) for side in sides)
    return (z, x, y) if values.is_turned else (z, y, x)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Translate what the readers raise."""
    try:
        yield
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, KeyError, tifffile.TiffFileError) as error:
        hint = ": pip install imagecodecs reads its compression" if "imagecodecs" in str(error) else f": {error}"
        raise VolumeFormatError(f"{path} can't be read{hint}") from error
