"""Grey values of images from different microscopes, brought to one scale: uint8, with a known low and high.

The low and the high grey value of a volume are percentiles of what tissue shows in it. A table of whole numbers maps
them to where a model's training data had them, so what becomes of a voxel follows from its grey value alone: the same
whatever the block, the device or the order of reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.errors import DtypeError, GreyValueError
from connectome.geometry import Box, triple

PERCENTILES = (10, 90)
SAMPLES = 128
SAMPLE_SHAPE = (8, 64, 64)
SPIKE = 0.01
"""The share of voxels from which on the lowest or the highest grey value is padding or saturation, not tissue."""

IMAGE_DTYPES = ("uint8", "uint16")


@dataclass(frozen=True, kw_only=True)
class GreyRange:
    """A low and a high grey value on the scale of an image's data type, low < high."""

    low: int
    high: int


class Image(Protocol):
    """What grey values are measured on: a `Volume` or a `GridView`."""

    @property
    def box(self) -> Box:
        """All its voxels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box."""


def check_image_dtype(dtype: np.dtype[Any], name: str) -> None:
    """Refuse an image whose grey values can't be normalised.

    Raises:
        DtypeError: it is neither uint8 nor uint16.
    """
    if dtype.name not in IMAGE_DTYPES:
        hint = "it may be a segmentation" if dtype.itemsize == 8 and dtype.kind in "iu" else "rescale its grey values"
        raise DtypeError(f"{name} holds {dtype}; an image must be uint8 or uint16: {hint}")


def measure_grey_range(image: Image, name: str, box: Box | None = None) -> GreyRange:
    """The 10th and the 90th percentile of an image's grey values (nearest rank).

    They are taken from at most `SAMPLES` pieces of `SAMPLE_SHAPE` voxels, spread evenly over the volume, always the
    same ones. Left out are 0 and the data type's largest value (padding, missing sections, saturation), and the lowest
    and the highest value that occurs where it holds more than one voxel in a hundred.

    Args:
        image: uint8 or uint16.
        name: of the image, for the message.
        box: what may be seen of it; None: all.

    Raises:
        GreyValueError: nothing is left, or the two are one. StorageError: a chunk can't be read.
    """
    counts = np.zeros(np.iinfo(image.dtype).max + 1, np.int64)
    for piece in sample_boxes(image.box if box is None else box):
        counts += np.bincount(image.read(piece).ravel(), minlength=len(counts))
    counts[[0, -1]] = 0
    for end in _ends(counts):
        if counts[end] > SPIKE * counts.sum():
            counts[end] = 0
    total = int(counts.sum())
    ranks = [max(-(-total * percent // 100), 1) for percent in PERCENTILES]
    low, high = (int(value) for value in np.searchsorted(np.cumsum(counts), ranks))
    if total == 0 or low >= high:
        raise GreyValueError(
            f"{name} shows nothing whose contrast could be normalised ({_values(total, low)}): check that it is the EM "
            "image, or leave its grey values as they are",
            about="grey values",
        )
    return GreyRange(low=low, high=high)


def grey_table(dtype: np.dtype[Any], grey: GreyRange | None, target: GreyRange) -> NDArray[np.uint8]:
    """The uint8 grey value of each value of an image's data type: uint8 (256,) or (65536,).

    The line that takes `grey` to `target`, rounded half up in whole numbers and cut to 0..255. 0 stays 0: it is what
    padding and missing sections hold. Without `grey` the data type's scale is brought to 0..255 as a whole.

    Args:
        dtype: uint8 or uint16.
        grey: of the image.
        target: where its low and high go, from 0 to 255.
    """
    largest = int(np.iinfo(dtype).max)
    value = np.arange(largest + 1, dtype=np.int64)
    if grey is None:
        return ((2 * 255 * value + largest) // (2 * largest)).astype(np.uint8)
    width = grey.high - grey.low
    moved = (2 * (value - grey.low) * (target.high - target.low) + width) // (2 * width) + target.low
    table = np.clip(moved, 0, 255).astype(np.uint8)
    table[0] = 0
    return table


def sample_boxes(box: Box) -> list[Box]:
    """Boxes of at most `SAMPLE_SHAPE`, spread over `box` by a sequence that fills space evenly.

    The additive recurrence of the generalised golden ratio in three dimensions (M. Roberts 2018, "The unreasonable
    effectiveness of quasirandom sequences").
    """
    shape = box.shape.minimum(SAMPLE_SHAPE)
    free = np.array(box.shape) - shape + 1
    steps = 1 / 1.22074408460575947536 ** np.arange(1, 4)
    places = ((0.5 + steps * k) % 1 for k in range(SAMPLES))
    starts = ((np.floor(place * free).astype(int) + box.start) for place in places)
    return [Box.of_shape(shape, start) for start in dict.fromkeys(triple(start) for start in starts)]


def _ends(counts: NDArray[np.int64]) -> list[int]:
    """The lowest and the highest value that occurs."""
    values = np.flatnonzero(counts)
    return [] if len(values) == 0 else [int(values[0]), int(values[-1])]


def _values(total: int, low: int) -> str:
    return "only padding or saturated voxels" if total == 0 else f"nearly all of it has the grey value {low}"
