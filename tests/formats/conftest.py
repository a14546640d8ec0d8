"""A small CREMI file that tests change to their needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from connectome.formats.reference import BACKGROUND, IGNORE

SHAPE = (12, 40, 40)


@pytest.fixture
def cremi_file(tmp_path: Path) -> Callable[..., Path]:
    """Make a file with two segments (5 | 6 at x = 20), two clefts (11, 12) on their border, and two pairs.

    `change` gets the open file before it is closed.
    """

    def make(change: Callable[[h5py.File], None] | None = None, name: str = "sample.hdf") -> Path:
        segments = np.full(SHAPE, 5, np.uint64)
        segments[:, :, 20:] = 6
        clefts = np.full(SHAPE, BACKGROUND, np.uint64)
        clefts[2:4, 5:9, 19:21] = 11
        clefts[2:4, 25:29, 19:21] = 12
        clefts[10:] = IGNORE
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            arrays = {
                "volumes/raw": np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8),
                "volumes/labels/neuron_ids": segments,
                "volumes/labels/clefts": clefts,
            }
            for key, array in arrays.items():
                dataset = file.create_dataset(key, data=array, chunks=(5, 16, 16), compression="gzip")
                dataset.attrs["resolution"] = (30.0, 12.0, 12.0)
                dataset.attrs["offset"] = (0.0, 0.0, 0.0)
            points = np.array([[3, 7, 17], [3, 7, 22], [3, 27, 22], [3, 27, 17]]) * (30.0, 12.0, 12.0)
            file["annotations/ids"] = np.array([1, 2, 3, 4], np.uint64)
            kinds = [b"presynaptic_site", b"postsynaptic_site"] * 2
            file["annotations/types"] = np.array(kinds, dtype=h5py.string_dtype())
            file["annotations/locations"] = points
            file["annotations/presynaptic_site/partners"] = np.array([[1, 2], [3, 4]], np.uint64)
            if change is not None:
                change(file)
        return path

    return make
