"""References, each opened by the reader of its format."""

from __future__ import annotations

from pathlib import Path

from connectome.errors import VolumeNotFoundError
from connectome.formats.cremi_reference import CremiReference
from connectome.formats.reference import Reference
from connectome.formats.table_reference import TableReference


def open_reference(path: str | Path) -> Reference:
    """Open a reference: a CREMI HDF5 file, or a folder with clefts.zarr and annotations.csv (import or phantom).

    Raises:
        VolumeNotFoundError: nothing is there. VolumeFormatError: the file isn't HDF5.
        ReferenceDataError: the file or folder has no annotated clefts.
    """
    place = Path(path).expanduser()
    if not place.exists():
        raise VolumeNotFoundError(f"no reference at {place}: the path doesn't exist")
    return TableReference.in_folder(place) if place.is_dir() else CremiReference(place)


def open_annotations(clefts: str | Path, table: Path) -> Reference:
    """Open a reference whose cleft labels and table of synapses lie anywhere.

    Raises:
        VolumeNotFoundError, VolumeFormatError: there are no labels. ReferenceDataError: no table, or labels that aren't
            integers.
    """
    return TableReference(clefts, table)
