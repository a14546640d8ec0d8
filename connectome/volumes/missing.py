"""Chunks that were never stored, and sections that show nothing: both read as if they were there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from connectome.errors import StorageError, VolumeFormatError
from connectome.geometry import BlockGrid, Box, Vector
from connectome.volumes.volume import Volume

MOST_NAMED = 4
LOOKS, CLOSE_LOOKS = 4, 64
"""At how many places a section is looked at, and at how many more if it is blank at all of those."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What of a box is missing.

    Attributes:
        chunks: how many the box touches. absent: how many of these aren't stored; None: the store can't tell.
        places: the first of the absent ones.
        blank: the sections (z) in which every voxel that was looked at has one value.
    """

    chunks: int
    absent: int | None
    places: tuple[Box, ...]
    blank: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.absent or self.blank)

    def __str__(self) -> str:
        return ", ".join(self._parts()) or "nothing"

    def _parts(self) -> Iterator[str]:
        if self.absent:
            more = " and others" if self.absent > len(self.places) else ""
            yield f"{self.absent} of {self.chunks} chunks not stored (at {'; '.join(map(str, self.places))}{more})"
        if self.blank:
            shown = ", ".join(map(str, self.blank[:MOST_NAMED]))
            more = " and others" if len(self.blank) > MOST_NAMED else ""
            yield f"blank sections: {len(self.blank)} (z {shown}{more})"


def find_missing(volume: Volume, box: Box | None = None, *, sections: bool = False) -> Missing:
    """Look for chunks of a box that aren't stored; voxels there read as 0.

    Labels of 0 alone needn't be stored, so a chunk that is absent from a segmentation may be right.

    Args:
        volume: what to look at; no voxels are read for its chunks.
        box: what of it; None: all.
        sections: look for blank sections too, at a few places of each: for images.

    Raises:
        StorageError: the store can't be asked for its chunks.
    """
    box = volume.box if box is None else box.intersect(volume.box)
    grid = BlockGrid(volume.box, volume.stored_shape)
    touched = box.coarsened(grid.block_shape)
    absent = volume.absent_chunks(touched)
    places: list[Box] = []
    for chunk in absent or ():
        if len(places) < MOST_NAMED:
            start = Vector(grid.block_shape) * chunk
            places.append(Box.of_shape(grid.block_shape, start).intersect(volume.box))
    return Missing(
        chunks=touched.size_voxels,
        absent=None if absent is None else len(absent),
        places=tuple(places),
        blank=tuple(_blank_sections(volume, box)) if sections else (),
    )


def refuse_incomplete(url: str, found: Missing) -> None:
    """Refuse a volume of which something is missing.

    Raises:
        VolumeFormatError: says what and where.
    """
    if found:
        raise VolumeFormatError(f"{url} isn't whole: {found}")


def _blank_sections(volume: Volume, box: Box) -> Iterator[int]:
    depth = volume.chunk_shape[0]
    slabs = box.coarsened((depth, 1, 1))
    for slab in range(slabs.start[0], slabs.stop[0]):
        part = Box.of_shape((depth, *volume.box.shape[1:]), (slab * depth, 0, 0)).intersect(box)
        blank = _constant(volume, part, LOOKS)
        if blank.any():
            blank &= _constant(volume, part, CLOSE_LOOKS)
        yield from (part.start[0] + np.flatnonzero(blank)).tolist()


def _constant(volume: Volume, slab: Box, looks: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which sections of a slab have one value at some places, spread evenly over the chunks: boolean (z,)."""
    chunks = list(BlockGrid(slab, (slab.stop[0], *volume.chunk_shape[1:])))
    chosen = chunks if len(chunks) <= looks else [chunks[len(chunks) * k // looks] for k in range(looks)]
    low = high = None
    for _, box in chosen:
        try:
            flat = volume.read(box).reshape(box.shape[0], -1)
        except StorageError:  # damaged isn't blank; whoever needs these voxels is told
            return np.zeros(slab.shape[0], bool)
        least, most = flat.min(axis=1), flat.max(axis=1)
        low = least if low is None else np.minimum(low, least)
        high = most if high is None else np.maximum(high, most)
    return np.asarray(low == high, bool)
