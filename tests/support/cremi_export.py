"""A folder of volumes and annotations, written as one file in the layout of the CREMI challenge."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from connectome.formats.annotation_table import read_annotations
from connectome.formats.reference import BACKGROUND
from connectome.volumes.volume import Volume


def write_cremi(folder: Path, path: Path) -> None:
    """Write raw, neuron ids, clefts and annotated partners of `folder`, whose volumes begin at 0 nm."""
    with h5py.File(path, "w") as file:
        file.attrs["file_format"] = "0.2"
        for name, place in (("raw", "raw"), ("neuron_ids", "labels/neuron_ids"), ("clefts", "labels/clefts")):
            volume = Volume.open(folder / f"{name}.zarr")
            values = volume.read(volume.box)
            if name == "clefts":
                values = np.where(values == 0, np.uint64(BACKGROUND), values)
            dataset = file.create_dataset(f"volumes/{place}", data=values, compression="gzip", compression_opts=1)
            dataset.attrs["resolution"] = volume.grid.resolution_nm
            dataset.attrs["offset"] = volume.grid.offset_nm
        rows = read_annotations(folder / "annotations.csv")
        points = np.array([point for row in rows for point in (row.pre_point_nm, row.post_point_nm)])
        ids = np.arange(1, len(points) + 1, dtype=np.uint64)
        file["annotations/ids"] = ids
        file["annotations/types"] = np.array(["presynaptic_site", "postsynaptic_site"] * len(rows), dtype="S20")
        file["annotations/locations"] = points
        file["annotations/presynaptic_site/partners"] = ids.reshape(-1, 2)
        file["annotations"].attrs["offset"] = (0.0, 0.0, 0.0)
