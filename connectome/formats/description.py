"""Descriptions of volumes, and of the ids that a segmentation holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectome.formats.reference import IGNORE
from connectome.geometry import BlockGrid, Grid, Triple, triple
from connectome.records import NoProgress, Progress
from connectome.volumes.missing import Missing, find_missing
from connectome.volumes.volume import Volume

BLOCK_VOXELS = 2**24
ID_LIMIT = 2**63


@dataclass(frozen=True, kw_only=True)
class IdRange:
    """The ids of a label volume, without 0 and without CREMI's marks for background and ignored cleft voxels.

    Attributes:
        lowest_id, highest_id: both inclusive; None where there is no id.
        has_background: whether any voxel is 0.
        has_cremi_marks: whether any voxel is 2^64-1 or 2^64-2.
        ids_fit: whether all values, the marks included, are from 0 to 2^63-1, as a segmentation's must be.
    """

    lowest_id: int | None
    highest_id: int | None
    has_background: bool
    has_cremi_marks: bool
    ids_fit: bool


@dataclass(frozen=True, kw_only=True)
class VolumeDescription:
    """The facts of a volume.

    Attributes:
        missing: what of its chunks, and of an image's sections, isn't there.
        ids: None for volumes that are no label volumes (integers of at least 32 bits are).
    """

    url: str
    format: str
    dtype: str
    grid: Grid
    chunk_shape: Triple
    missing: Missing
    ids: IdRange | None


def describe_volume(volume: Volume, *, progress: Progress | None = None) -> VolumeDescription:
    """Describe a volume; a label volume is read once, block by block.

    Raises:
        StorageError: a chunk can't be read or decoded.
    """
    labels = volume.dtype.kind in "ui" and volume.dtype.itemsize >= 4
    return VolumeDescription(
        url=volume.url,
        format=volume.driver,
        dtype=volume.dtype.name,
        grid=volume.grid,
        chunk_shape=volume.chunk_shape,
        missing=find_missing(volume, sections=not labels),
        ids=_id_range(volume, progress or NoProgress()) if labels else None,
    )


def _id_range(volume: Volume, progress: Progress) -> IdRange:
    limits = np.iinfo(volume.dtype)
    lowest, highest = int(limits.max), int(limits.min)
    zeros = marks = False
    progress.start("read ids", volume.box.size_voxels)
    for _, box in BlockGrid(volume.box, _block_shape(volume)):
        labels = volume.read(box)
        is_zero = labels == 0
        is_id = ~is_zero
        if limits.max >= IGNORE:
            is_mark = labels >= IGNORE
            marks |= bool(is_mark.any())
            is_id &= ~is_mark
        zeros |= bool(is_zero.any())
        lowest = min(lowest, int(labels.min(where=is_id, initial=limits.max)))
        highest = max(highest, int(labels.max(where=is_id, initial=limits.min)))
        progress.advance(box.size_voxels)
    progress.finish()
    found = lowest <= highest
    return IdRange(
        lowest_id=lowest if found else None,
        highest_id=highest if found else None,
        has_background=zeros,
        has_cremi_marks=marks,
        ids_fit=not marks and (not found or (lowest > 0 and highest < ID_LIMIT)),
    )


def _block_shape(volume: Volume) -> Triple:
    """Whole chunks, as many in a cube-like block as `BLOCK_VOXELS` take."""
    size = volume.chunk_shape[0] * volume.chunk_shape[1] * volume.chunk_shape[2]
    repeats = max(int((BLOCK_VOXELS / size) ** (1 / 3)), 1)
    return triple(length * repeats for length in volume.chunk_shape)
