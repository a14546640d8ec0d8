"""Import of an image stack as a volume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from connectome.errors import ResolutionError
from connectome.files import refuse_existing, whole_folder
from connectome.formats.copying import CHUNK_SHAPE, refuse_url
from connectome.formats.sections import Sections, resolution_of
from connectome.formats.whole_numbers import whole_dtype
from connectome.geometry import Box, NmTriple, Triple
from connectome.records import NoProgress, Progress
from connectome.volumes.volume import Volume

SLAB_BYTES = 512 * 2**20


def import_stack(
    sections: Sections,
    target: Path,
    *,
    resolution_nm: NmTriple | None = None,
    offset_nm: NmTriple | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> None:
    """Write a stack as a zarr3 volume; it appears under its name only when it is whole.

    The data type stays, but for floats that are whole numbers and for booleans: these become unsigned integers.
    Memory follows from the size of a section: at a time as many are held as fit `SLAB_BYTES`, from one to 32.

    Args:
        sections: as `open_sections` opens them.
        target: the folder of the volume.
        resolution_nm: nm a voxel (z, y, x); None: as the file tells.
        offset_nm: corner of the first voxel (z, y, x); None: as the file tells, or 0.
        progress: told of the voxels done.
        overwrite: replace what is there.

    Raises:
        VolumeFormatError, DtypeError: the source can't be read. ResolutionError: neither it nor the file tells.
        StorageError: `target` exists and `overwrite` is false, or writing failed.
    """
    progress = progress or NoProgress()
    refuse_url(target)
    if not overwrite:
        refuse_existing(target)
    told_nm, missing = resolution_of(sections.told, "the stack")
    resolution = resolution_nm or told_nm
    if resolution is None:
        raise ResolutionError(missing, about="voxel")
    chunk_shape = _chunk_shape(sections.shape, sections.dtype.itemsize)
    slabs = _Slabs(sections, chunk_shape[0])
    dtype = whole_dtype("the stack", sections.dtype, (slab for _, slab in slabs))
    with whole_folder(target) as partial:
        volume = Volume.create(
            partial,
            shape=sections.shape,
            dtype=dtype,
            resolution_nm=resolution,
            offset_nm=offset_nm or sections.told.offset_nm or (0.0, 0.0, 0.0),
            chunk_shape=chunk_shape,
        )
        progress.start(f"import {target.name}", volume.box.size_voxels)
        for start, slab in slabs:
            box = Box.of_shape(slab.shape, (start, 0, 0))
            volume.write(box, slab.astype(dtype, copy=False))
            progress.advance(box.size_voxels)
    progress.finish()


class _Slabs:
    """A stack a few sections at a time; may be gone through again."""

    def __init__(self, sections: Sections, thick: int) -> None:
        self._sections, self._thick = sections, thick

    def __iter__(self) -> Iterator[tuple[int, NDArray[Any]]]:
        depth = self._sections.shape[0]
        for start in range(0, depth, self._thick):
            yield start, self._sections.read(start, min(start + self._thick, depth))


def _chunk_shape(shape: Triple, itemsize: int) -> Triple:
    """Chunks as thick as the sections that can be held, so that each slab fills whole chunks."""
    fitting = max(SLAB_BYTES // max(shape[1] * shape[2] * itemsize, 1), 1)
    thick = min(CHUNK_SHAPE[0], 1 << (fitting.bit_length() - 1), max(shape[0], 1))
    return thick, min(CHUNK_SHAPE[1], shape[1]), min(CHUNK_SHAPE[2], shape[2])
