"""Writes a phantom as volumes and a table, block by block."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import StorageError
from connectome.files import whole_text
from connectome.geometry import BlockGrid, Triple, Vector
from connectome.phantom.config import PhantomConfig
from connectome.phantom.phantom import Phantom, PhantomSynapse
from connectome.records import NoProgress, Progress
from connectome.volumes.volume import Volume

CHUNK_SHAPE = (32, 128, 128)
VOLUMES: dict[str, np.dtype[Any]] = {
    "raw.zarr": np.dtype(np.uint8),
    "neuron_ids.zarr": np.dtype(np.uint64),
    "clefts.zarr": np.dtype(np.uint64),
}
COLUMNS = (
    "cleft_id",
    "pre_segment_id",
    "post_segment_id",
    "size_voxels",
    "z_nm",
    "y_nm",
    "x_nm",
    "pre_z_nm",
    "pre_y_nm",
    "pre_x_nm",
    "post_z_nm",
    "post_y_nm",
    "post_x_nm",
)


def write_phantom(
    config: PhantomConfig,
    folder: Path,
    *,
    block_shape: Triple = (32, 256, 256),
    progress: Progress | None = None,
    overwrite: bool = False,
) -> None:
    """Write raw.zarr (uint8), neuron_ids.zarr and clefts.zarr (uint64), and last annotations.csv, into a folder.

    The presence of annotations.csv means that the phantom is complete. It has one row for each synapse, so several for
    a polyadic cleft. Its positions are voxel centres in nm.

    Args:
        config: what to make.
        folder: made if it isn't there.
        block_shape: voxels (z, y, x) made at a time; memory follows from it.
        progress: told of the voxels done.
        overwrite: replace a phantom that is there.

    Raises:
        StorageError: a phantom or a part of one is there and `overwrite` is false, or writing failed.
    """
    progress = progress or NoProgress()
    table = folder / "annotations.csv"
    there = [name for name in (table.name, *VOLUMES) if (folder / name).exists()]
    if there and not overwrite:
        raise StorageError(f"{folder} holds {there[0]} already: remove it, ask to overwrite, or choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        table.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} can't be written: {error.strerror}") from error
    phantom = Phantom(config)
    chunk_shape = Vector(CHUNK_SHAPE).minimum(block_shape)
    volumes = [
        Volume.create(
            folder / name,
            shape=config.shape,
            dtype=dtype,
            resolution_nm=config.resolution_nm,
            chunk_shape=chunk_shape,
            overwrite=overwrite,
        )
        for name, dtype in VOLUMES.items()
    ]
    progress.start("phantom", config.box.size_voxels)
    for _, box in BlockGrid(config.box, block_shape):
        block = phantom.render(box)
        arrays: tuple[NDArray[Any], ...] = (block.image, block.segmentation, block.clefts)
        for volume, array in zip(volumes, arrays, strict=True):
            volume.write(box, array)
        progress.advance(box.size_voxels)
    _write_table(table, phantom.located_synapses(), config)
    progress.finish()


def _write_table(path: Path, synapses: list[PhantomSynapse], config: PhantomConfig) -> None:
    """Write the table, which appears whole or not at all."""
    with whole_text(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(synapse, config) for synapse in synapses)


def _row(synapse: PhantomSynapse, config: PhantomConfig) -> list[str]:
    reference = synapse.reference
    centroid_nm = config.grid.centre_nm(reference.centroid_voxel)
    ids = (reference.cleft_id, reference.pre_segment_id, reference.post_segment_id, reference.size_voxels)
    return [*map(str, ids), *(f"{v:.3f}" for v in (*centroid_nm, *synapse.pre_nm, *synapse.post_nm))]
