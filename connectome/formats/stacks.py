"""Import of an image stack as a volume."""

from __future__ import annotations

from pathlib import Path

from connectome.errors import InputError
from connectome.files import refuse_existing, whole_folder
from connectome.formats.sections import open_sections
from connectome.geometry import Box, NmTriple, Triple
from connectome.records import NoProgress, Progress
from connectome.volumes.volume import Volume

SLAB_BYTES = 512 * 2**20
CHUNK_SHAPE = (32, 128, 128)


def import_stack(
    source: str | Path,
    target: Path,
    *,
    resolution_nm: NmTriple,
    offset_nm: NmTriple = (0.0, 0.0, 0.0),
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a stack as a zarr3 volume of the same data type; it appears under its name only when it is whole.

    Memory follows from the size of a section: at a time as many are held as fit `SLAB_BYTES`, from one to 32.

    Args:
        source: a folder or a glob of TIFF or PNG sections, a multi-page TIFF, or a .npy array (z, y, x).
        target: the folder of the volume.
        resolution_nm: nm a voxel (z, y, x).
        offset_nm: corner of the first voxel (z, y, x).
        progress: told of the voxels done.
        overwrite: replace what is there.

    Raises:
        VolumeNotFoundError, VolumeFormatError, DtypeError: the source isn't a stack that can be read.
        StorageError: `target` exists and `overwrite` is false, or writing failed.
    """
    progress = progress or NoProgress()
    if ":/" in str(target):
        raise InputError(f"{target} is a URL: import into a local folder and copy that")
    if not overwrite:
        refuse_existing(target)
    sections = open_sections(source)
    chunk_shape = _chunk_shape(sections.shape, sections.dtype.itemsize)
    with whole_folder(target) as partial:
        volume = Volume.create(
            partial,
            shape=sections.shape,
            dtype=sections.dtype,
            resolution_nm=resolution_nm,
            offset_nm=offset_nm,
            chunk_shape=chunk_shape,
        )
        progress.start(f"import {target.name}", volume.box.size_voxels)
        for start in range(0, sections.shape[0], chunk_shape[0]):
            slab = sections.read(start, min(start + chunk_shape[0], sections.shape[0]))
            box = Box.of_shape(slab.shape, (start, 0, 0))
            volume.write(box, slab)
            progress.advance(box.size_voxels)
    progress.finish()
    return target


def _chunk_shape(shape: Triple, itemsize: int) -> Triple:
    """Chunks as thick as the sections that can be held, so that each slab fills whole chunks."""
    fitting = max(SLAB_BYTES // max(shape[1] * shape[2] * itemsize, 1), 1)
    thick = min(CHUNK_SHAPE[0], 1 << (fitting.bit_length() - 1), max(shape[0], 1))
    return thick, min(CHUNK_SHAPE[1], shape[1]), min(CHUNK_SHAPE[2], shape[2])
