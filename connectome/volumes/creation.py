"""Creates volumes in formats that others read: n5 and neuroglancer precomputed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts

from connectome.errors import DtypeError, ResolutionError, StorageError
from connectome.geometry import Grid, Triple, Vector
from connectome.volumes.address import as_url
from connectome.volumes.sidecars import TENSORSTORE_ERRORS, reason
from connectome.volumes.volume import Volume

TOLERANCE_VOXELS = 1e-3
COMPRESSED_LABELS = ("uint32", "uint64")


class Layout(StrEnum):
    """A format in which a volume can be created."""

    N5 = "n5"
    PRECOMPUTED = "precomputed"


def create_as(
    layout: Layout, folder: Path, grid: Grid, dtype: np.dtype[Any], *, chunk_shape: Triple, labels: bool
) -> Volume:
    """Create an empty volume in another format than zarr, and open it for writing.

    Args:
        layout: the format.
        folder: where; nothing must be there.
        grid: where the volume lies.
        dtype: of its voxels.
        chunk_shape: of what is stored (z, y, x).
        labels: whether it holds labels; precomputed volumes say so, and compress them as such.

    Raises:
        DtypeError: the format doesn't have this data type. ResolutionError: precomputed, and the volume doesn't begin
            at a whole number of its voxels. StorageError: it can't be written.
    """
    match layout:
        case Layout.N5:
            spec = _n5(grid, dtype, chunk_shape)
        case Layout.PRECOMPUTED:
            spec = _precomputed(folder, grid, dtype, chunk_shape, labels=labels)
    try:
        ts.open(spec | {"kvstore": as_url(folder)}, create=True).result()
    except TENSORSTORE_ERRORS as error:
        if "data" in str(error).lower() and dtype.name in str(error):
            raise DtypeError(f"{layout} has no data type {dtype}") from error
        raise StorageError(f"{folder} can't be created: {reason(error)}") from error
    return Volume.open(folder, writable=True)


def _n5(grid: Grid, dtype: np.dtype[Any], chunk_shape: Triple) -> dict[str, Any]:
    sides = list(grid.resolution_nm[::-1])
    metadata = {
        "dimensions": list(grid.shape[::-1]),
        "blockSize": list(chunk_shape[::-1]),
        "dataType": dtype.name,
        "compression": {"type": "gzip"},
        "axes": ["x", "y", "z"],
        "units": ["nm"] * 3,
        "resolution": sides,
        "offset": list(grid.offset_nm[::-1]),
        "pixelResolution": {"unit": "nm", "dimensions": sides},
    }
    return {"driver": "n5", "metadata": metadata}


def _precomputed(
    folder: Path, grid: Grid, dtype: np.dtype[Any], chunk_shape: Triple, *, labels: bool
) -> dict[str, Any]:
    corner = grid.offset_nm / grid.resolution_nm
    if max((corner - corner.nearest()).maximum(corner.nearest() - corner)) > TOLERANCE_VOXELS:
        raise ResolutionError(
            f"{folder} can't begin at {','.join(f'{nm:g}' for nm in grid.offset_nm)} nm: a precomputed volume begins "
            "at a whole number of its voxels",
            about="place",
        )
    scale: dict[str, Any] = {
        "resolution": list(grid.resolution_nm[::-1]),
        "size": list(grid.shape[::-1]),
        "voxel_offset": list(corner.nearest()[::-1]),
        "chunk_size": list(chunk_shape[::-1]),
        "encoding": "raw",
    }
    if labels and dtype.name in COMPRESSED_LABELS:
        scale |= {"encoding": "compressed_segmentation", "compressed_segmentation_block_size": [8, 8, 8]}
    kind = "segmentation" if labels else "image"
    return {
        "driver": "neuroglancer_precomputed",
        "multiscale_metadata": {"data_type": dtype.name, "num_channels": 1, "type": kind},
        "scale_metadata": scale,
    }


def fitting_chunk(chunk_shape: Triple, shape: Triple) -> Vector[int]:
    """A chunk no larger than its volume."""
    return Vector(chunk_shape).minimum(Vector(shape).maximum(1))
