"""Copies a volume into another place or format, block by block."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.errors import InputError
from connectome.files import refuse_existing, whole_folder
from connectome.formats.sections import number_dtype
from connectome.formats.whole_numbers import whole_dtype
from connectome.geometry import BlockGrid, Box, Grid, Triple, Vector
from connectome.records import NoProgress, Progress
from connectome.volumes.volume import Volume

CHUNK_SHAPE = (32, 128, 128)
BLOCK_SHAPE = (32, 256, 1024)


class Source(Protocol):
    """What is copied."""

    @property
    def grid(self) -> Grid:
        """Where it lies."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside it."""


class Sink(Protocol):
    """Where a copy goes."""

    def write(self, box: Box, array: NDArray[Any]) -> None:
        """Write the voxels (z, y, x) of a box."""


def copy_blocks(
    source: Source, sink: Sink, name: str, *, block_shape: Triple = BLOCK_SHAPE, progress: Progress | None = None
) -> None:
    """Copy all voxels, a block at a time.

    Args:
        source: what is copied.
        sink: where it goes, in the same voxels.
        name: of the work, for `progress`.
        block_shape: voxels (z, y, x) that are held at a time; whole chunks of the sink.
        progress: told of the voxels done.
    """
    progress = progress or NoProgress()
    progress.start(name, source.grid.box.size_voxels)
    for _, box in BlockGrid(source.grid.box, block_shape):
        sink.write(box, source.read(box))
        progress.advance(box.size_voxels)
    progress.finish()


def write_volume(
    source: Source, target: Path, dtype: np.dtype[Any], *, progress: Progress | None = None, overwrite: bool = False
) -> None:
    """Write a zarr3 volume, which appears under its name only when it is whole.

    Args:
        source: its voxels.
        target: the folder of the volume.
        dtype: of the volume.
        progress: told of the voxels done.
        overwrite: replace what is there.

    Raises:
        InputError: `target` is a URL. StorageError: it exists and `overwrite` is false, or writing failed.
    """
    refuse_url(target)
    if not overwrite:
        refuse_existing(target)
    with whole_folder(target) as partial:
        volume = Volume.create(
            partial,
            shape=source.grid.shape,
            dtype=dtype.newbyteorder("="),
            resolution_nm=source.grid.resolution_nm,
            offset_nm=source.grid.offset_nm,
            chunk_shape=Vector(CHUNK_SHAPE).minimum(source.grid.shape.maximum(1)),
        )
        copy_blocks(source, _Converted(volume), f"write {target.name}", progress=progress)


def write_whole_numbers(
    source: Source, name: str, target: Path, *, progress: Progress | None = None, overwrite: bool = False
) -> None:
    """Write a zarr3 volume of the same data type; floats that are whole numbers and booleans become integers.

    Args:
        source: its voxels.
        name: of the source, for messages.
        target: the folder of the volume, which appears only when it is whole.
        progress: told of the voxels done.
        overwrite: replace what is there.

    Raises:
        InputError: `target` is a URL. DtypeError: the source doesn't hold numbers, or none that are exact.
        StorageError: it can't be read, `target` exists and `overwrite` is false, or writing failed.
    """
    refuse_url(target)
    if not overwrite:
        refuse_existing(target)
    parts = (source.read(box) for _, box in BlockGrid(source.grid.box, BLOCK_SHAPE))
    dtype = whole_dtype(name, number_dtype(name, source.dtype), parts)
    write_volume(source, target, dtype, progress=progress, overwrite=overwrite)


def refuse_url(target: Path) -> None:
    """Check that a volume goes into a local folder.

    Raises:
        InputError: it would go to a URL.
    """
    if ":/" in str(target):
        raise InputError(f"{target} is a URL: write into a local folder and copy that")


class _Converted:
    """A volume that takes voxels of another data type, whose values it can hold."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def write(self, box: Box, array: NDArray[Any]) -> None:
        self._volume.write(box, array.astype(self._volume.dtype, copy=False))
