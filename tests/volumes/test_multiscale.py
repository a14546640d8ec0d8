"""Volumes with several levels, in the formats that have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore as ts
from numpy.typing import NDArray

from connectome.errors import VolumeFormatError
from connectome.geometry import NmTriple
from connectome.volumes.multiscale import open_multiscale
from connectome.volumes.volume import Volume

SIDES: list[NmTriple] = [(40, 4, 4), (40, 8, 8), (40, 16, 16)]


def levels() -> list[NDArray[np.uint8]]:
    """Each with a value of its own."""
    return [np.full((6, 64 >> k, 96 >> k), k + 1, np.uint8) for k in range(3)]


def ome(folder: Path, version: str, translation: NmTriple = (0, 0, 0)) -> Path:
    datasets: list[dict[str, Any]] = []
    for k, array in enumerate(levels()):
        driver = "zarr3" if version == "0.5" else "zarr"
        spec = {"driver": driver, "kvstore": f"file://{folder}/{k}/"}
        ts.open(spec, create=True, dtype=ts.uint8, shape=array.shape).result()[...] = array
        transforms = [{"type": "scale", "scale": SIDES[k]}, {"type": "translation", "translation": translation}]
        datasets.append({"path": str(k), "coordinateTransformations": transforms})
    axes = [{"name": name, "type": "space", "unit": "nanometer"} for name in "zyx"]
    image = {"axes": axes, "datasets": datasets}
    if version == "0.5":
        attributes = {"ome": {"version": "0.5", "multiscales": [image]}}
        (folder / "zarr.json").write_text(
            json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes})
        )
    else:
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps({"multiscales": [image | {"version": "0.4"}]}))
    return folder


def precomputed(folder: Path) -> Path:
    for array, (z, y, x) in zip(levels(), SIDES, strict=True):
        scale = {
            "size": array.shape[::-1],
            "resolution": [x, y, z],
            "encoding": "raw",
            "chunk_size": [32, 32, 8],
            "voxel_offset": [0, 0, 0],
        }
        spec = {
            "driver": "neuroglancer_precomputed",
            "kvstore": f"file://{folder}/",
            "scale_metadata": scale,
            "multiscale_metadata": {"data_type": "uint8", "num_channels": 1, "type": "image"},
        }
        ts.open(spec, create=True, open=True).result()[..., 0] = array.T
    return folder


def n5(folder: Path) -> Path:
    for k, array in enumerate(levels()):
        spec = {
            "driver": "n5",
            "kvstore": f"file://{folder}/s{k}/",
            "metadata": {"resolution": [*SIDES[k][::-1]], "compression": {"type": "raw"}},
        }
        ts.open(spec, create=True, dtype=ts.uint8, shape=array.T.shape).result()[...] = array.T
    return folder


@pytest.mark.parametrize(
    "write",
    [lambda p: ome(p, "0.4"), lambda p: ome(p, "0.5"), precomputed, n5],
    ids=["0.4", "0.5", "precomputed", "n5"],
)
@pytest.mark.parametrize("as_url", [False, True])
def test_a_group_opens_with_all_its_levels_finest_first(tmp_path: Path, write: Any, as_url: bool) -> None:
    folder = tmp_path / "group"
    folder.mkdir()
    write(folder)
    found = open_multiscale(f"file://{folder}" if as_url else folder)
    assert [tuple(level.grid.resolution_nm) for level in found.levels] == SIDES
    assert [level.read(level.box).max() for level in found.levels] == [1, 2, 3]
    assert [tuple(level.grid.shape) for level in found.levels] == [(6, 64, 96), (6, 32, 48), (6, 16, 24)]
    assert found.finest.grid.offset_nm == (0, 0, 0)


def test_a_plain_volume_is_its_only_level(tmp_path: Path) -> None:
    Volume.create(tmp_path / "v", shape=(2, 4, 4), dtype=np.uint8, resolution_nm=(30, 6, 6))
    found = open_multiscale(tmp_path / "v")
    assert len(found.levels) == 1 and found.finest.grid.shape == (2, 4, 4)


def test_levels_lie_where_metadata_say(tmp_path: Path) -> None:
    folder = tmp_path / "group"
    folder.mkdir()
    found = open_multiscale(ome(folder, "0.4", translation=(80, 100, 200)))
    assert {tuple(level.grid.offset_nm) for level in found.levels} == {(80, 100, 200)}


def test_a_resolution_that_is_given_is_the_finest_levels(tmp_path: Path) -> None:
    folder = tmp_path / "group"
    folder.mkdir()
    found = open_multiscale(ome(folder, "0.5"), resolution_nm=(30, 3, 3), offset_nm=(1, 2, 3))
    assert [tuple(level.grid.resolution_nm) for level in found.levels] == [(30, 3, 3), (30, 6, 6), (30, 12, 12)]
    assert {tuple(level.grid.offset_nm) for level in found.levels} == {(1, 2, 3)}


def test_a_group_without_levels_is_refused_as_before(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Volume.create(tmp_path / "group" / name, shape=(2, 4, 4), dtype=np.uint8, resolution_nm=(30, 6, 6))
    with pytest.raises(VolumeFormatError, match="group of volumes"):
        open_multiscale(tmp_path / "group")
