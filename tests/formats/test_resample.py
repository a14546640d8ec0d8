"""Volumes in voxels of another size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from connectome.errors import ResolutionError
from connectome.formats.copying import write_volume
from connectome.formats.resample import Resampled
from connectome.volumes.multiscale import Multiscale, open_multiscale
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind

IMAGE = np.random.default_rng(1).integers(0, 256, (12, 40, 60), dtype=np.uint8)


def made(folder: Path, array: np.ndarray = IMAGE, resolution_nm: tuple[float, ...] = (30, 4, 4)) -> Path:
    z, y, x = resolution_nm
    volume = Volume.create(folder, shape=array.shape, dtype=array.dtype, resolution_nm=(z, y, x), offset_nm=(60, 4, 8))
    volume.write(volume.box, array)
    return folder


def test_an_image_becomes_the_mean_and_labels_stay_labels(tmp_path: Path) -> None:
    for kind in ViewKind:
        resampled = Resampled.of(open_multiscale(made(tmp_path / kind)), (60, 8, 8), kind)
        write_volume(resampled, tmp_path / f"{kind}.zarr", resampled.dtype)
        found = Volume.open(tmp_path / f"{kind}.zarr")
        assert (found.grid.shape, found.grid.resolution_nm) == ((6, 20, 30), (60, 8, 8))
        assert found.grid.offset_nm == (60, 4, 8)
        blocks = IMAGE.reshape(6, 2, 20, 2, 30, 2)
        right = (blocks.sum((1, 3, 5), dtype=int) * 2 + 8) // 16 if kind is ViewKind.IMAGE else blocks[:, 1, :, 1, :, 1]
        np.testing.assert_array_equal(found.read(found.box), right)


@pytest.mark.parametrize("to", [(30, 4, 4), (30, 12, 12), (30, 5, 7), (40, 3, 3), (15, 2, 2)])
def test_whatever_the_blocks_it_is_what_a_build_would_see(to: tuple[float, float, float], tmp_path: Path) -> None:
    volume = open_multiscale(made(tmp_path / "v"))
    resampled = Resampled.of(volume, to, ViewKind.IMAGE)
    write_volume(resampled, tmp_path / "out", resampled.dtype)
    view = GridView(volume.finest, resolution_nm=to, anchor_nm=volume.finest.grid.offset_nm, kind=ViewKind.IMAGE)
    found = Volume.open(tmp_path / "out")
    np.testing.assert_array_equal(found.read(found.box), view.read(view.box))


def test_of_several_levels_the_coarsest_that_is_fine_enough_is_read(tmp_path: Path) -> None:
    fine = Volume.open(made(tmp_path / "fine"))
    coarse = Volume.open(made(tmp_path / "coarse", IMAGE[:, ::2, ::2] // 2, (30, 8, 8)))
    levels = Multiscale("v", (fine, coarse))
    assert Resampled.of(levels, (30, 16, 16), ViewKind.IMAGE).view.volume is coarse
    assert Resampled.of(levels, (30, 8, 8), ViewKind.IMAGE).view.volume is coarse
    assert Resampled.of(levels, (30, 6, 6), ViewKind.IMAGE).view.volume is fine
    assert Resampled.of(levels, (30, 2, 2), ViewKind.IMAGE).view.volume is fine


def test_voxels_larger_than_the_volume_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ResolutionError, match="no whole voxel"):
        Resampled.of(open_multiscale(made(tmp_path / "v")), (30, 400, 400), ViewKind.IMAGE)
