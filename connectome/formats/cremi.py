"""Import of a CREMI HDF5 file: raw.zarr, neuron_ids.zarr, clefts.zarr and annotations.csv in a folder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from connectome.errors import DtypeError, VolumeFormatError
from connectome.files import refuse_existing, remove_stale
from connectome.formats.annotation_table import AnnotationRow, write_annotations
from connectome.formats.copying import write_volume
from connectome.formats.cremi_file import CLEFTS, NEURON_IDS, RAW, CremiFile, PartnerPair
from connectome.formats.cremi_reference import CremiReference
from connectome.formats.hdf5 import Hdf5Volume
from connectome.records import NoProgress, Progress

VOLUME_NAMES = {RAW: "raw.zarr", NEURON_IDS: "neuron_ids.zarr", CLEFTS: "clefts.zarr"}
TABLE_NAME = "annotations.csv"


def import_cremi(
    source: Path,
    folder: Path,
    *,
    progress: Progress | None = None,
    overwrite: bool = False,
    annotations: bool = True,
) -> list[Path]:
    """Write what the file has of volumes and annotations; each appears under its name only when it is whole.

    annotations.csv comes last, and an old one goes first: it never stands beside volumes of another import.
    Label volumes become uint64; CREMI's marks for background (2^64-1) and ignored space (2^64-2) in the clefts stay.

    Args:
        source: CREMI HDF5 file.
        folder: made if it isn't there.
        progress: told of the voxels done.
        overwrite: replace what is there.
        annotations: write annotations.csv, where the file has partners.

    Returns:
        What was written, in order.

    Raises:
        VolumeNotFoundError, VolumeFormatError: no CREMI file. ReferenceDataError: its annotations are broken.
        StorageError: something is there and `overwrite` is false, or writing failed.
    """
    progress = progress or NoProgress()
    with CremiFile(source) as file:
        found = {name: volume for name in VOLUME_NAMES if (volume := file.volume(name)) is not None}
        if not found:
            raise VolumeFormatError(f"{source} has none of {', '.join(VOLUME_NAMES)}: it isn't a CREMI file")
        for name, volume in found.items():
            _check_dtype(source, name, volume)
        pairs = (file.partner_pairs() or []) if annotations else []
        targets = [folder / VOLUME_NAMES[name] for name in found]
        table = folder / TABLE_NAME
        if not overwrite:
            refuse_existing(*targets, *([table] if pairs else []))
        rows = _annotation_rows(source, found, pairs)
        remove_stale(table)
        for (name, volume), target in zip(found.items(), targets, strict=True):
            dtype = volume.dtype if name == RAW else np.uint64
            write_volume(volume, target, np.dtype(dtype), progress=progress, overwrite=overwrite)
    if not rows:
        return targets
    write_annotations(table, rows)
    return [*targets, table]


def _check_dtype(source: Path, name: str, volume: Hdf5Volume) -> None:
    if name != RAW and volume.dtype.kind not in "ui":
        raise DtypeError(f"{source}: {name} holds {volume.dtype}; labels are integers")


def _annotation_rows(source: Path, found: dict[str, Hdf5Volume], pairs: list[PartnerPair]) -> list[AnnotationRow]:
    """The rows of the table; only the points are known where the file has no segments or no clefts."""
    if pairs and NEURON_IDS in found and CLEFTS in found:
        with closing(CremiReference(source)) as reference:
            return reference.annotation_rows()
    return [
        AnnotationRow(
            cleft_id=None,
            pre_segment_id=None,
            post_segment_id=None,
            size_voxels=None,
            centroid_nm=None,
            pre_point_nm=pair.pre_point_nm,
            post_point_nm=pair.post_point_nm,
        )
        for pair in pairs
    ]
