"""Writes a volume in formats that other tools read: neuroglancer precomputed, n5, TIFF, CREMI's HDF5."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
from numpy.typing import NDArray

from connectome.errors import DtypeError, StorageError
from connectome.files import refuse_existing, whole_folder
from connectome.formats.copying import CHUNK_SHAPE, Source, copy_blocks, refuse_url
from connectome.formats.cremi_file import CLEFTS, NEURON_IDS, RAW
from connectome.geometry import Box, Grid
from connectome.records import NoProgress, Progress
from connectome.volumes.creation import Layout, create_as, fitting_chunk
from connectome.volumes.volume import Volume

CUBE_SHAPE = (64, 64, 64)
SLAB_BYTES = 512 * 2**20
IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
IMAGEJ_BYTES = 2**32 - 2**25
LABELS = (NEURON_IDS, CLEFTS)
HDF5_CHUNK = (16, 128, 128)


class ExportFormat(StrEnum):
    """What a volume can be written as."""

    PRECOMPUTED = "precomputed"
    N5 = "n5"
    TIFF = "tiff"
    CREMI = "cremi"


@dataclass(frozen=True)
class Part:
    """A box of a volume as a volume of its own."""

    volume: Volume
    box: Box

    @property
    def grid(self) -> Grid:
        """Where it lies."""
        return self.volume.grid.part(self.box)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""
        return self.volume.dtype

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside it."""
        return self.volume.read(box.shift(self.box.start))


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What to write, and how.

    Attributes:
        target: a folder (precomputed, n5, sections of TIFF) or a file (TIFF, CREMI).
        labels: whether the voxels are labels.
        dataset: of a CREMI file; None: the raw image, or the neurons' ids where they are labels.
        overwrite: replace what is there.
    """

    target: Path
    format: ExportFormat
    labels: bool
    dataset: str | None = None
    overwrite: bool = False


def are_labels(dtype: np.dtype[Any]) -> bool:
    """True if voxels of a data type are taken for labels: integers of at least 32 bits."""
    return dtype.kind in "ui" and dtype.itemsize >= 4


def export_volume(source: Source, request: ExportRequest, progress: Progress | None = None) -> None:
    """Write a volume, block by block; it appears under its name only when it is whole.

    Raises:
        DtypeError: the format has no such data type. ResolutionError: nor such an offset.
        StorageError: something is there and isn't to be replaced, or writing failed.
    """
    progress = progress or NoProgress()
    refuse_url(request.target)
    if not request.overwrite and request.format is not ExportFormat.CREMI:
        refuse_existing(request.target)
    match request.format:
        case ExportFormat.PRECOMPUTED:
            _to_tensorstore(Layout.PRECOMPUTED, source, request, progress)
        case ExportFormat.N5:
            _to_tensorstore(Layout.N5, source, request, progress)
        case ExportFormat.TIFF:
            _to_tiff(source, request.target, progress)
        case ExportFormat.CREMI:
            _to_cremi(source, request, progress)


def _to_tensorstore(layout: Layout, source: Source, request: ExportRequest, progress: Progress) -> None:
    chunk = fitting_chunk(CUBE_SHAPE if layout is Layout.PRECOMPUTED else CHUNK_SHAPE, source.grid.shape)
    with whole_folder(request.target) as partial:
        sink = create_as(layout, partial, source.grid, source.dtype, chunk_shape=chunk, labels=request.labels)
        copy_blocks(source, sink, f"write {request.target.name}", block_shape=chunk * (1, 2, 8), progress=progress)


def _to_tiff(source: Source, target: Path, progress: Progress) -> None:
    """One TIFF, or a folder of sections where the name isn't a TIFF's; place and voxels are told as ImageJ does."""
    progress.start(f"write {target.name}", source.grid.box.size_voxels)
    depth = source.grid.shape[0]
    if target.suffix.lower() in (".tif", ".tiff"):
        with whole_folder(target) as partial:
            how = _tiff_metadata(source, depth)
            tifffile.imwrite(partial, _sections(source, progress), shape=source.grid.shape, dtype=source.dtype, **how)
    else:
        with whole_folder(target) as partial:
            partial.mkdir()
            how = _tiff_metadata(source, 1)
            for z, section in enumerate(_sections(source, progress)):
                tifffile.imwrite(partial / f"section_{z:0{len(str(depth))}d}.tif", section[None], **how)
    progress.finish()


def _tiff_metadata(source: Source, depth: int) -> dict[str, Any]:
    grid = source.grid
    sides = grid.resolution_nm
    origin = dict(zip(("zorigin", "yorigin", "xorigin"), (0.0 - grid.offset_nm) / sides, strict=True))
    nbytes = depth * grid.shape[1] * grid.shape[2] * source.dtype.itemsize
    imagej = source.dtype.name in IMAGEJ_DTYPES and nbytes < IMAGEJ_BYTES
    return {
        "imagej": imagej,
        "bigtiff": not imagej and nbytes >= IMAGEJ_BYTES,
        "photometric": "minisblack",
        "resolution": (1 / sides[2], 1 / sides[1]),
        "resolutionunit": None if imagej else "NONE",
        "metadata": {"axes": "ZYX", "spacing": sides[0], "unit": "nm", **origin},
    }


def _sections(source: Source, progress: Progress) -> Iterator[NDArray[Any]]:
    """The sections one by one, read as many at a time as fit `SLAB_BYTES`."""
    depth, height, width = source.grid.shape
    thick = max(min(SLAB_BYTES // max(height * width * source.dtype.itemsize, 1), CHUNK_SHAPE[0]), 1)
    for start in range(0, depth, thick):
        box = Box((start, 0, 0), (min(start + thick, depth), height, width))
        yield from source.read(box)
        progress.advance(box.size_voxels)


def _to_cremi(source: Source, request: ExportRequest, progress: Progress) -> None:
    """A dataset of an HDF5 file, which may hold others already."""
    name = request.dataset or (NEURON_IDS if request.labels else RAW)
    dtype = np.dtype(np.uint64) if name in LABELS else source.dtype
    if name in LABELS and source.dtype.kind not in "ui":
        raise DtypeError(f"{name} holds labels, which {source.dtype} values aren't")
    partial = f"{name}.partial"
    try:
        with h5py.File(request.target, "a") as file:
            if name in file and not request.overwrite:
                raise StorageError(f"{request.target} holds {name} already: remove it, or ask to overwrite")
            if partial in file:
                del file[partial]
            dataset = file.create_dataset(
                partial,
                source.grid.shape,
                dtype,
                chunks=tuple(fitting_chunk(HDF5_CHUNK, source.grid.shape)),
                compression="gzip",
            )
            dataset.attrs["resolution"] = np.asarray(source.grid.resolution_nm, float)
            dataset.attrs["offset"] = np.asarray(source.grid.offset_nm, float)
            sink = _Hdf5Sink(dataset)
            copy_blocks(source, sink, f"write {request.target.name}", block_shape=(32, 256, 1024), progress=progress)
            if name in file:
                del file[name]
            file.move(partial, name)
    except OSError as error:
        raise StorageError(f"{request.target} can't be written: {error.strerror or error}") from error


@dataclass(frozen=True)
class _Hdf5Sink:
    """A dataset that takes blocks."""

    dataset: h5py.Dataset

    def write(self, box: Box, array: NDArray[Any]) -> None:
        """Write the voxels (z, y, x) of a box."""
        self.dataset[box.slices()] = array
