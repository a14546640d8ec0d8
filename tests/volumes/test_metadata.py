"""Resolution and offset from the metadata of OME-NGFF, funkelab zarr and n5 viewers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore as ts

from connectome.errors import ResolutionError, VolumeFormatError
from connectome.volumes.volume import Volume, as_url

AXES = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]


def level(path: str, scale: list[float], translation: list[float] | None = None) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if translation is not None:
        steps.append({"type": "translation", "translation": translation})
    return {"path": path, "coordinateTransformations": steps}


def write_group(folder: Path, image: dict[str, Any], version: str, shape: tuple[int, ...] = (4, 6, 8)) -> None:
    for dataset in image["datasets"]:
        address = as_url(folder / dataset["path"])
        if version == "0.5":
            spec = {"driver": "zarr3", "kvstore": address, "metadata": {"shape": shape, "data_type": "uint8"}}
        else:
            spec = {"driver": "zarr", "kvstore": address, "metadata": {"shape": shape, "dtype": "|u1"}}
        ts.open(spec, create=True).result()[...] = 7
    if version == "0.5":
        attributes = {"ome": {"version": "0.5", "multiscales": [image]}}
        metadata = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        (folder / "zarr.json").write_text(json.dumps(metadata))
    else:
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps({"multiscales": [image]}))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_scale_translation_and_units_come_from_the_group_above(version: str, tmp_path: Path) -> None:
    datasets = [
        level("s0", [0.03, 0.012, 0.012], [0.3, 0, 0.06]),
        level("deep/s1", [0.03, 0.024, 0.024], [0.3, 0, 0.06]),
    ]
    write_group(tmp_path / "g.zarr", {"axes": AXES, "datasets": datasets}, version)
    grid = Volume.open(tmp_path / "g.zarr" / "s0").grid
    assert (grid.resolution_nm, grid.offset_nm) == ((30, 12, 12), (300, 0, 60))
    assert Volume.open(tmp_path / "g.zarr" / "deep" / "s1").grid.resolution_nm == (30, 24, 24)


def test_a_coarser_level_whose_translation_places_voxel_centres_covers_the_same_space(tmp_path: Path) -> None:
    datasets = [level("s0", [0.03, 0.012, 0.012], [0, 0, 0]), level("s1", [0.03, 0.024, 0.024], [0, 0.006, 0.006])]
    write_group(tmp_path / "g.zarr", {"axes": AXES, "datasets": datasets}, "0.4")
    assert Volume.open(tmp_path / "g.zarr" / "s1").grid.offset_nm == (0, 0, 0)


def test_single_time_points_and_channels_are_left_out(tmp_path: Path) -> None:
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}, *AXES]
    image = {"axes": axes, "datasets": [level("0", [1, 1, 0.03, 0.012, 0.012])]}
    write_group(tmp_path / "g.zarr", image, "0.4", (1, 1, 4, 6, 8))
    volume = Volume.open(tmp_path / "g.zarr" / "0")
    assert volume.grid.shape == (4, 6, 8)
    assert volume.grid.resolution_nm == (30, 12, 12)


def test_a_scale_for_the_whole_image_multiplies(tmp_path: Path) -> None:
    transform = [{"type": "scale", "scale": [10, 10, 10]}]
    image = {"axes": AXES, "datasets": [level("0", [0.003, 0.001, 0.001])], "coordinateTransformations": transform}
    write_group(tmp_path / "g.zarr", image, "0.5")
    assert Volume.open(tmp_path / "g.zarr" / "0").grid.resolution_nm == (30, 10, 10)


def test_axes_without_a_unit_carry_no_resolution(tmp_path: Path) -> None:
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    write_group(tmp_path / "g.zarr", {"axes": axes, "datasets": [level("0", [30, 12, 12])]}, "0.4")
    with pytest.raises(ResolutionError, match="carries no resolution"):
        Volume.open(tmp_path / "g.zarr" / "0")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_opening_the_group_names_its_arrays(version: str, tmp_path: Path) -> None:
    datasets = [level("s0", [0.03, 0.012, 0.012]), level("s1", [0.03, 0.024, 0.024])]
    write_group(tmp_path / "g.zarr", {"axes": AXES, "datasets": datasets}, version)
    with pytest.raises(VolumeFormatError, match=r"is a group.*s0, s1"):
        Volume.open(tmp_path / "g.zarr")


def test_opening_a_plain_folder_names_the_volumes_in_it(tmp_path: Path) -> None:
    for name in ("raw.zarr", "neuron_ids.zarr"):
        Volume.create(tmp_path / name, shape=(2, 2, 2), dtype=np.uint8, resolution_nm=(1, 1, 1))
    with pytest.raises(VolumeFormatError, match=r"neuron_ids\.zarr, raw\.zarr"):
        Volume.open(tmp_path)


def test_axis_names_in_attributes_of_zarr2_say_that_an_array_is_xyz(tmp_path: Path) -> None:
    spec = {"driver": "zarr", "kvstore": as_url(tmp_path / "z"), "metadata": {"shape": [8, 6, 4], "dtype": "|u1"}}
    ts.open(spec, create=True).result()[...] = np.arange(8, dtype=np.uint8)[:, None, None]
    attributes = {"axis_names": ["x", "y", "z"], "voxel_size": [12, 13, 30], "offset": [1, 2, 3], "units": "nm"}
    (tmp_path / "z" / ".zattrs").write_text(json.dumps(attributes))
    volume = Volume.open(tmp_path / "z")
    assert volume.grid.shape == (4, 6, 8)
    assert (volume.grid.resolution_nm, volume.grid.offset_nm) == ((30, 13, 12), (3, 2, 1))
    assert volume.read(volume.box)[0, 0].tolist() == list(range(8))


def test_the_pixel_resolution_of_n5_viewers_is_taken_with_its_downsampling(tmp_path: Path) -> None:
    metadata = {
        "dimensions": [8, 6, 4],
        "blockSize": [8, 6, 4],
        "dataType": "uint8",
        "compression": {"type": "raw"},
        "pixelResolution": {"dimensions": [4.0, 5.0, 0.03e3], "unit": "nm"},
        "downsamplingFactors": [2, 2, 1],
    }
    spec = {"driver": "n5", "kvstore": as_url(tmp_path / "n"), "metadata": metadata}
    ts.open(spec, create=True).result()
    assert Volume.open(tmp_path / "n").grid.resolution_nm == (30, 10, 8)


def test_attributes_that_are_no_json_are_refused(tmp_path: Path) -> None:
    spec = {"driver": "zarr", "kvstore": as_url(tmp_path / "z"), "metadata": {"shape": [8, 6, 4], "dtype": "|u1"}}
    ts.open(spec, create=True).result()
    (tmp_path / "z" / ".zattrs").write_text("{")
    with pytest.raises(VolumeFormatError, match="JSON"):
        Volume.open(tmp_path / "z")


@pytest.mark.parametrize("unit", ["parsec", "pixels"])
def test_an_unknown_unit_carries_no_resolution(unit: str, tmp_path: Path) -> None:
    spec = {"driver": "zarr", "kvstore": as_url(tmp_path / "z"), "metadata": {"shape": [8, 6, 4], "dtype": "|u1"}}
    ts.open(spec, create=True).result()
    (tmp_path / "z" / ".zattrs").write_text(json.dumps({"resolution": [30, 12, 12], "units": unit}))
    with pytest.raises(ResolutionError):
        Volume.open(tmp_path / "z")
