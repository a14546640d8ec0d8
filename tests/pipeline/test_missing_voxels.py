"""A build tells what is missing of its volumes, or refuses it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_world import SmallWorld, make_small_world

from connectome.errors import VolumeFormatError
from connectome.pipeline.build import build_volume
from connectome.volumes.volume import Volume


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return make_small_world(tmp_path / "world")


def test_chunks_that_never_arrived_are_told_with_count_and_place_or_refused(world: SmallWorld, tmp_path: Path) -> None:
    shutil.copytree(world.image, tmp_path / "raw.zarr")
    shape = Volume.open(world.image).chunk_shape
    chunk = next(file for file in sorted((tmp_path / "raw.zarr" / "c").rglob("*")) if file.is_file())
    chunk.unlink()
    place = f"0:{shape[0]},0:{shape[1]},0:{shape[2]}"
    told = f"image {tmp_path / 'raw.zarr'} isn't whole: 1 of"
    how = {"image": str(tmp_path / "raw.zarr")}
    with pytest.raises(VolumeFormatError, match=told):
        build_volume(world.request(tmp_path / "refused", **how, refuse_missing=True))
    summary = build_volume(world.request(tmp_path / "built", **how))
    (warning,) = [warning for warning in summary.warnings if "isn't whole" in warning]
    assert warning.startswith(told)
    assert place in warning


def test_a_whole_volume_is_not_told_about(world: SmallWorld, tmp_path: Path) -> None:
    summary = build_volume(world.request(tmp_path, refuse_missing=True))
    assert not any("isn't whole" in warning for warning in summary.warnings)
