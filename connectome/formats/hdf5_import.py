"""Import of one dataset of an HDF5 file, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

from connectome.files import refuse_existing
from connectome.formats.copying import blocks_of, refuse_url, write_volume
from connectome.formats.hdf5 import Hdf5Volume
from connectome.formats.sections import number_dtype
from connectome.formats.whole_numbers import whole_dtype
from connectome.records import Progress


def import_dataset(
    volume: Hdf5Volume, target: Path, *, progress: Progress | None = None, overwrite: bool = False
) -> None:
    """Write a dataset as a zarr3 volume; it appears under its name only when it is whole.

    The data type stays, but for floats that are whole numbers and for booleans: these become unsigned integers.

    Args:
        volume: as `Hdf5File.volume` opens it.
        target: the folder of the volume.
        progress: told of the voxels done.
        overwrite: replace what is there.

    Raises:
        DtypeError: it doesn't hold numbers that are exact. StorageError: the file is damaged, `target` exists and
            `overwrite` is false, or writing failed.
    """
    refuse_url(target)
    if not overwrite:
        refuse_existing(target)
    dtype = whole_dtype(volume.title, number_dtype(volume.title, volume.dtype), blocks_of(volume))
    write_volume(volume, target, dtype, progress=progress, overwrite=overwrite)
