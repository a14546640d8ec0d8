"""A volume seen on a working grid: the same space in voxels of another size; segment ids are checked."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.errors import DtypeError, SegmentIdError
from connectome.geometry import Box, Grid, NmTriple, Triple, triple
from connectome.records import LARGEST_ID
from connectome.volumes.grid_map import GridMap
from connectome.volumes.resampling import Sections, block_mean, resample


class Voxels(Protocol):
    """What a view lies over: a `Volume`, or voxels that are made when they are read."""

    @property
    def url(self) -> str:
        """Its name in messages."""

    @property
    def grid(self) -> Grid:
        """Its grid."""

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
    """The way from a volume's voxels to a working voxel: a mean for an image, a label that is present for labels."""

    IMAGE = "image"
    LABELS = "labels"


class GridView:
    """A volume read in voxels of a working grid.

    Working voxel (0, 0, 0) has its corner at `anchor_nm`, wherever the volume itself begins, so views that share an
    anchor and a resolution share their voxel indices. Only working voxels that the volume covers wholly belong to the
    view; one that the volume's ragged border cuts counts as outside. Outside reads as 0. What a working voxel holds
    follows from its index alone, to the last bit, whatever the box that is read.

    In the section an image's working voxel is the mean over what it covers (see `AxisMap.taps`), of several of the
    volume's voxels or of a part of one. Along z it is the mean of the whole sections that come nearest to it, often of
    one; sections are never blended by parts. The result is rounded half up (floats: not at all). A label is the one at
    the working voxel's centre: always a label that is there.
    """

    def __init__(self, volume: Voxels, *, resolution_nm: NmTriple, anchor_nm: NmTriple, kind: ViewKind) -> None:
        """Lay a working grid over `volume`.

        Args:
            volume: what to read.
            resolution_nm: nm a working voxel (z, y, x).
            anchor_nm: corner (z, y, x) of working voxel (0, 0, 0).
            kind: image or labels.

        Raises:
            DtypeError: an image of 64-bit integers or booleans, labels that aren't integers.
        """
        self.volume = volume
        self.kind = kind
        self.map = GridMap.of(volume.grid, resolution_nm, anchor_nm)
        self._box = self.map.covered
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
    def grid(self) -> Grid:
        """The working grid, up to the last voxel of `box`."""
        return self._grid

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
        factors = [axis.factor for axis in self.map.axes]
        if None not in factors:
            return self._read_whole(self.map.voxels(inside), triple(factor or 0 for factor in factors))
        match self.kind:
            case ViewKind.IMAGE:
                return self._read_image(inside)
            case ViewKind.LABELS:
                return self._read_labels(inside)

    def _read_whole(self, fine: Box, factors: Triple) -> NDArray[Any]:
        """Working voxels that are whole blocks of the volume's voxels, from a box of those."""
        if factors == (1, 1, 1):
            return self.volume.read(fine)
        match self.kind:
            case ViewKind.IMAGE:
                return block_mean(self.volume.read(fine), factors)
            case ViewKind.LABELS:
                return self.volume.read_strided(fine.shift(triple(f // 2 for f in factors)), factors)

    def _read_image(self, inside: Box) -> NDArray[Any]:
        along_z, along_y, along_x = self.map.axes
        sections = Sections(along_z.groups(inside.start[0], inside.stop[0]), along_z.group)
        y, x = along_y.taps(inside.start[1], inside.stop[1]), along_x.taps(inside.start[2], inside.stop[2])
        last = sections.first[-1] + sections.count
        start = triple((sections.first[0], y[0].min(), x[0].min()))
        image = self.volume.read(Box(start, triple((last, y[0].max() + 1, x[0].max() + 1))))
        moved = Sections(sections.first - start[0], sections.count)
        return resample(image, moved, (y[0] - start[1], y[1]), (x[0] - start[2], x[1]))

    def _read_labels(self, inside: Box) -> NDArray[Any]:
        return read_at_centres(self.map, inside, self.volume.read)


def read_at_centres(grid_map: GridMap, box: Box, read: Callable[[Box], NDArray[Any]]) -> NDArray[Any]:
    """The values at the centres of working voxels: a value that is there, never a mean.

    Args:
        grid_map: the working voxels over those that are read.
        box: of working voxels, not empty.
        read: gives the voxels (z, y, x) of a box.
    """
    places = [axis.centres(a, b) for axis, a, b in zip(grid_map.axes, box.start, box.stop, strict=True)]
    start, stop = (triple(place[end] for place in places) for end in (0, -1))
    values = read(Box(start, triple(n + 1 for n in stop)))
    for axis, (place, first) in enumerate(zip(places, start, strict=True)):
        values = values.take(place - first, axis)
    return values


def _check_dtype(volume: Voxels, kind: ViewKind) -> None:
    dtype = volume.dtype
    match kind:
        case ViewKind.IMAGE:
            if not (dtype.kind == "f" or (dtype.kind in "ui" and dtype.itemsize <= 4)):
                raise DtypeError(f"{volume.url} holds {dtype}; an image is uint8, uint16, or another number of 32 bits")
        case ViewKind.LABELS:
            if dtype.kind not in "ui":
                raise DtypeError(f"{volume.url} holds {dtype}; labels are integers (uint8 to uint64)")


def may_hold_others(dtype: np.dtype[Any]) -> bool:
    """True if a data type has values that are no segment ids here: below 0, or 2^63 and more."""
    return dtype.kind == "i" or dtype.itemsize == 8


def read_segments(segmentation: GridView, box: Box) -> NDArray[Any]:
    """The segment ids (z, y, x) of a box.

    Raises:
        SegmentIdError: an id of 2^63 or more, or below 0. StorageError: a chunk can't be read.
    """
    ids = segmentation.read(box)
    if may_hold_others(ids.dtype):
        largest, smallest = int(ids.max(initial=0)), int(ids.min(initial=0))
        if largest > LARGEST_ID or smallest < 0:
            wrong = largest if largest > LARGEST_ID else smallest
            raise SegmentIdError(
                f"segmentation {segmentation.volume.url} holds the id {wrong} in the box {box}; ids must be from 0 to "
                "2^63 - 1: relabel it"
            )
    return ids
