"""Grey values of one grid made from those of another. Each result follows from the voxels around it alone.

All sums are of a fixed number of terms in a fixed order, so the same voxels give the same result to the last bit,
whatever lies beside them in the array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from connectome.geometry import Triple

Taps = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Indices (taps, n) of an axis, and their weights (taps, n)."""


@dataclass(frozen=True)
class Sections:
    """Whole sections that are made one: `count` of them from each of `first`, int64 (n,)."""

    first: NDArray[np.int64]
    count: int


def resample(image: NDArray[Any], sections: Sections, y: Taps, x: Taps) -> NDArray[Any]:
    """Means of whole sections, and weighted sums in the section; rounded half up for integers, within their type.

    Args:
        image: (z, y, x) of any number type except 64-bit integers.
        sections: which become one, along z.
        y: which rows become one, and their weights.
        x: which columns become one, and their weights.

    Returns:
        (z, y, x) of the image's dtype.
    """
    total = image.take(sections.first, 0)
    if sections.count > 1:
        total = total.astype(np.float32)
        for i in range(1, sections.count):
            total += image.take(sections.first + i, 0)
        total /= np.float32(sections.count)
    total = _columns(_rows(total.transpose(1, 0, 2), y), x)
    if image.dtype.kind != "f":
        info = np.iinfo(image.dtype)
        np.floor(np.add(total, np.float32(0.5), out=total), out=total)
        np.clip(total, info.min, info.max, out=total)
    return np.ascontiguousarray(total.astype(image.dtype, copy=False).transpose(1, 0, 2))


def _rows(array: NDArray[Any], taps: Taps) -> NDArray[np.float32]:
    """Weighted sums along the first axis. The sparse matrix adds up whole rows, in the order of the taps."""
    index, weight = taps
    count, length = index.shape
    height, *others = array.shape
    ends = np.arange(0, count * length + 1, count)
    matrix = csr_array((weight.T.ravel(), index.T.ravel(), ends), shape=(length, height))
    rows = np.ascontiguousarray(array, np.float32).reshape(height, -1)
    return np.asarray(matrix @ rows).reshape(length, *others)


def _columns(array: NDArray[np.float32], taps: Taps) -> NDArray[np.float32]:
    """Weighted sums along the last axis."""
    total: NDArray[np.float32] | None = None
    for index, weight in zip(*taps, strict=True):
        part = array.take(index, -1)
        part *= weight
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    return total


def block_mean(image: NDArray[Any], factors: Triple) -> NDArray[Any]:
    """The mean of each block of `factors` voxels, rounded half up.

    Args:
        image: (z, y, x) of any number type except 64-bit integers; each axis a whole multiple of its factor.
        factors: block shape (z, y, x).

    Returns:
        (z, y, x) of the image's dtype.
    """
    count = factors[0] * factors[1] * factors[2]
    if image.dtype.kind == "f":
        accumulator: np.dtype[Any] = np.dtype(np.float64)
    else:
        narrow = image.dtype.kind == "u" and image.dtype.itemsize <= 2 and count < 2**14
        accumulator = np.dtype("uint32" if narrow else "int64")
    if count == 1:
        return image
    total = image
    for axis, factor in enumerate(factors):
        if factor > 1:
            total = _sum_along(total, axis, factor, accumulator)
    if accumulator.kind == "f":
        return (total / count).astype(image.dtype)
    total = total.astype(accumulator, copy=False)
    return ((total * 2 + count) // (2 * count)).astype(image.dtype)


def _sum_along(array: NDArray[Any], axis: int, factor: int, accumulator: np.dtype[Any]) -> NDArray[Any]:
    parts = [array[(slice(None),) * axis + (slice(i, None, factor),)] for i in range(factor)]
    total = parts[0].astype(accumulator)
    for part in parts[1:]:
        total += part
    return total
