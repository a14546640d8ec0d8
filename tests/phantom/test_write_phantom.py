"""Written phantoms: the same voxels, and a table that comes last."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from connectome.errors import StorageError
from connectome.phantom import Phantom, PhantomConfig, write_phantom
from connectome.records import Progress
from connectome.volumes.volume import Volume

CONFIG = PhantomConfig(shape=(20, 130, 140), seed=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "new"
    write_phantom(CONFIG, folder, block_shape=(16, 64, 64))
    return folder


def test_written_volumes_equal_rendered_ones(folder: Path) -> None:
    block = Phantom(CONFIG).render(CONFIG.box)
    for name, array in (("raw", block.image), ("neuron_ids", block.segmentation), ("clefts", block.clefts)):
        volume = Volume.open(folder / f"{name}.zarr")
        assert volume.grid.resolution_nm == CONFIG.resolution_nm
        assert volume.dtype == array.dtype
        assert np.array_equal(volume.read(volume.box), array)


def test_the_table_lists_the_synapses_in_nm(folder: Path) -> None:
    with (folder / "annotations.csv").open() as file:
        rows = list(csv.DictReader(file))
    synapses = Phantom(CONFIG).synapses()
    assert len(rows) == len(synapses) > 0
    segments = Volume.open(folder / "neuron_ids.zarr")
    for row, synapse in zip(rows, synapses, strict=True):
        assert int(row["cleft_id"]) == synapse.cleft_id
        assert int(row["size_voxels"]) == synapse.size_voxels
        assert float(row["y_nm"]) == pytest.approx((synapse.centroid_voxel[1] + 0.5) * 12.0, abs=1e-3)
        for role, segment in (("pre", synapse.pre_segment_id), ("post", synapse.post_segment_id)):
            assert int(row[f"{role}_segment_id"]) == segment
            point = [float(row[f"{role}_{axis}_nm"]) for axis in "zyx"]
            voxel = tuple(int(p // r) for p, r in zip(point, CONFIG.resolution_nm, strict=True))
            assert segments.read(segments.box)[voxel] == segment


def test_a_phantom_that_is_there_is_kept_unless_told_otherwise(folder: Path) -> None:
    before = (folder / "annotations.csv").stat().st_mtime_ns
    with pytest.raises(StorageError, match=r"annotations\.csv already"):
        write_phantom(CONFIG, folder)
    assert (folder / "annotations.csv").stat().st_mtime_ns == before


def test_an_interrupted_write_leaves_no_table_and_can_be_repeated(tmp_path: Path) -> None:
    config = PhantomConfig(shape=(4, 64, 64))

    class Interrupting:
        def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
            assert total == config.box.size_voxels

        def advance(self, amount: int) -> None:
            raise KeyboardInterrupt

        def finish(self) -> None:
            raise AssertionError("never reached")

    progress: Progress = Interrupting()
    write_phantom(config, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write_phantom(config, tmp_path, progress=progress, overwrite=True)
    assert not (tmp_path / "annotations.csv").exists()
    with pytest.raises(StorageError, match=r"raw\.zarr already"):
        write_phantom(config, tmp_path)
    write_phantom(config, tmp_path, overwrite=True)
    assert (tmp_path / "annotations.csv").exists()
