"""A volume seen on a working grid: the same space in whole multiples of the volume's own voxels."""

from __future__ import annotations

from copy import copy
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.errors import DtypeError, ResolutionError
from connectome.geometry import Box, NmTriple, Triple, triple, whole_factors
from connectome.volumes.volume import Grid

TOLERANCE_VOXELS = 1e-2


class Voxels(Protocol):
    """What a view lies over: a `Volume`, or voxels that are made when they are read."""

    @property
    def url(self) -> str:
        """What it is called in messages."""

    @property
    def grid(self) -> Grid:
        """Where it lies."""

    @property
    def box(self) -> Box:
        """All its voxels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside it."""

    def read_strided(self, box: Box, step: Triple) -> NDArray[Any]:
        """Every `step`-th voxel (z, y, x) of a box, from its first; what is beyond the border is left out."""


class ViewKind(StrEnum):
    """How fine voxels become a working voxel: the mean of an image, a label that is present for labels."""

    IMAGE = "image"
    LABELS = "labels"


class GridView:
    """A volume read in voxels of a working grid.

    Working voxel (0, 0, 0) has its corner at `anchor_nm`, wherever the volume itself begins, so views that share an
    anchor and a resolution share their voxel indices. Only working voxels that the volume covers wholly belong to the
    view; one that the volume's ragged border cuts counts as outside. Outside reads as 0.

    An image's working voxel is the mean of its fine voxels, rounded half up in exact integer arithmetic (floats: the
    mean). A label is the one at fine voxel `factor // 2` of each axis: always a label that is there, the same whatever
    the box.
    """

    def __init__(self, volume: Voxels, *, resolution_nm: NmTriple, anchor_nm: NmTriple, kind: ViewKind) -> None:
        """Lay a working grid over `volume`.

        Args:
            volume: what to read.
            resolution_nm: nm a working voxel (z, y, x), whole multiples of the volume's.
            anchor_nm: corner (z, y, x) of working voxel (0, 0, 0).
            kind: image or labels.

        Raises:
            ResolutionError: the resolution isn't a whole multiple, or the anchor isn't on the volume's voxel lattice.
            DtypeError: an image of 64-bit integers or booleans, labels that aren't integers.
        """
        self.volume = volume
        self.kind = kind
        self.factors: Triple = whole_factors(resolution_nm, volume.grid.resolution_nm)
        self._shift = _whole_shift(volume, anchor_nm)
        start = triple(-(-s // f) for s, f in zip(self._shift, self.factors, strict=True))
        stop = triple((s + n) // f for s, n, f in zip(self._shift, volume.grid.shape, self.factors, strict=True))
        self._box = Box(start, triple(max(a, b) for a, b in zip(start, stop, strict=True)))
        self._grid = Grid(shape=self._box.stop, resolution_nm=resolution_nm, offset_nm=anchor_nm)
        self._table: NDArray[Any] | None = None
        _check_dtype(volume, kind)

    def through(self, table: NDArray[Any]) -> GridView:
        """This view with another value for each value of its unsigned integer dtype: `table[value]`.

        Args:
            table: as long as the dtype has values. Outside of the view stays 0.
        """
        view = copy(self)
        view._table = table
        return view

    @property
    def box(self) -> Box:
        """The working voxels that the volume covers wholly; begins at (0, 0, 0) if the volume begins at the anchor."""
        return self._box

    @property
    def shape(self) -> Triple:
        """The number of whole working voxels along z, y, x: the shape of `box`."""
        return self._box.shape

    @property
    def resolution_nm(self) -> NmTriple:
        """The nm a working voxel (z, y, x)."""
        return self._grid.resolution_nm

    @property
    def offset_nm(self) -> NmTriple:
        """The corner (z, y, x) in nm of working voxel (0, 0, 0): the anchor."""
        return self._grid.offset_nm

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of the voxels: the volume's own, or the table's."""
        return self.volume.dtype if self._table is None else self._table.dtype

    def read(self, box: Box) -> NDArray[Any]:
        """The working voxels of `box`, (z, y, x) of the view's dtype; 0 outside of the view.

        Raises:
            StorageError: a chunk can't be read or decoded.
        """
        inside = box.intersect(self._box)
        if inside.is_empty:
            return np.zeros(box.shape, self.dtype)
        data = self._read_inside(inside)
        if self._table is not None:
            data = self._table[data]
        if inside == box:
            return data
        padded = np.zeros(box.shape, self.dtype)
        padded[inside.slices(box.start)] = data
        return padded

    def _read_inside(self, inside: Box) -> NDArray[Any]:
        fine = Box(
            triple(a * f - s for a, f, s in zip(inside.start, self.factors, self._shift, strict=True)),
            triple(b * f - s for b, f, s in zip(inside.stop, self.factors, self._shift, strict=True)),
        )
        if self.factors == (1, 1, 1):
            return self.volume.read(fine)
        match self.kind:
            case ViewKind.IMAGE:
                return block_mean(self.volume.read(fine), self.factors)
            case ViewKind.LABELS:
                return self.volume.read_strided(fine.shift(triple(f // 2 for f in self.factors)), self.factors)


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


def _whole_shift(volume: Voxels, anchor_nm: NmTriple) -> Triple:
    """The volume's first voxel counted in its own voxels from the anchor."""
    shifts = []
    for axis, offset, anchor, fine in zip(
        "zyx", volume.grid.offset_nm, anchor_nm, volume.grid.resolution_nm, strict=True
    ):
        shift = (offset - anchor) / fine
        if abs(shift - round(shift)) > TOLERANCE_VOXELS:
            raise ResolutionError(
                f"{volume.url} begins at {offset:g} nm along {axis}, which is not a whole number of its {fine:g} nm "
                f"voxels from {anchor:g} nm: resample it, or correct its offset"
            )
        shifts.append(round(shift))
    return triple(shifts)


def _check_dtype(volume: Voxels, kind: ViewKind) -> None:
    dtype = volume.dtype
    match kind:
        case ViewKind.IMAGE:
            if not (dtype.kind == "f" or (dtype.kind in "ui" and dtype.itemsize <= 4)):
                raise DtypeError(f"{volume.url} holds {dtype}; an image is uint8, uint16, or another number of 32 bits")
        case ViewKind.LABELS:
            if dtype.kind not in "ui":
                raise DtypeError(f"{volume.url} holds {dtype}; labels are integers (uint8 to uint64)")
