"""Data to train on."""

from __future__ import annotations

import csv
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from connectome.networks.device import DeviceChoice
from connectome.training.data.source import DataSource
from connectome.training.recipe import Recipe
from connectome.volumes.volume import Volume

SHAPE = (8, 64, 64)
PATCH = (4, 16, 16)


@pytest.fixture(autouse=True)
def ctrl_c_interrupts() -> Iterator[None]:
    """A shell makes what it starts in the background ignore SIGINT; in these tests Ctrl-C is Ctrl-C all the same."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two segments above and below a dark cleft, twice."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    segmentation = np.zeros(SHAPE, np.uint64)
    segmentation[:, :30], segmentation[:, 33:] = 11, 22
    clefts = np.zeros(SHAPE, np.uint64)
    clefts[2:6, 30:33, 8:24], clefts[2:6, 30:33, 40:56] = 1, 2
    image = np.where(clefts > 0, 30, np.where(segmentation == 11, 120, 180)) + generator.normal(0, 5, SHAPE)
    for name, array in (("raw", image.astype(np.uint8)), ("neuron_ids", segmentation), ("clefts", clefts)):
        volume = Volume.create(folder / f"{name}.zarr", shape=SHAPE, dtype=array.dtype, resolution_nm=(30, 12, 12))
        volume.write(volume.box, array)
    with (folder / "annotations.csv").open("w") as file:
        writer = csv.writer(file)
        names = ["", "pre_", "post_"]
        writer.writerow(
            ["cleft_id", "pre_segment_id", "post_segment_id", "size_voxels"]
            + [f"{name}{axis}_nm" for name in names for axis in "zyx"]
        )
        for cleft, x in ((1, 16), (2, 48)):
            points = [[120, (y + 0.5) * 12, x * 12] for y in (31, 28, 35)]
            writer.writerow([cleft, 11, 22, 4 * 3 * 16, *(value for point in points for value in point)])
    return folder


@pytest.fixture
def recipe(folder: Path, tmp_path: Path) -> Recipe:
    return Recipe(
        sources=(DataSource(folder=folder),),
        output=tmp_path / "model.safetensors",
        name="tiny",
        steps=30,
        patch_shape=PATCH,
        batch=2,
        widths=(8, 8),
        learning_rate=1e-2,
        device=DeviceChoice.CPU,
    )
