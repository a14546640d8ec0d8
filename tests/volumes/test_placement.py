"""Where every format's metadata place a volume: nothing of it is dropped."""

from __future__ import annotations

import functools
import json
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore as ts

from connectome.errors import InputError, ResolutionError, VolumeFormatError, VolumeNotFoundError
from connectome.geometry import Grid
from connectome.volumes.address import as_url, refuse_missing
from connectome.volumes.multiscale import open_multiscale
from connectome.volumes.volume import Volume

ZYX = ("z", "y", "x")
SHAPE = (4, 6, 8)
IMAGE = np.arange(192, dtype=np.uint8).reshape(SHAPE)


def ngff(
    folder: Path,
    steps: list[dict[str, Any]],
    *,
    unit: str | None = "nanometer",
    whole: list[dict[str, Any]] | None = None,
    names: tuple[str, ...] = ZYX,
    version: str = "0.4",
) -> Path:
    """A group of OME-NGFF with one level, `0`, whose array has no names of axes."""
    axes = [{"name": name, "type": "space"} | ({} if unit is None else {"unit": unit}) for name in names]
    image = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    if whole is not None:
        image["coordinateTransformations"] = whole
    array = IMAGE.transpose([ZYX.index(name) for name in names])
    spec: dict[str, Any] = {"driver": "zarr", "metadata": {"shape": array.shape, "dtype": "|u1"}}
    if version == "0.5":
        spec = {"driver": "zarr3", "metadata": {"shape": array.shape, "data_type": "uint8"}}
    ts.open(spec | {"kvstore": as_url(folder / "0")}, create=True).result()[...] = array
    if version == "0.5":
        attributes = {"ome": {"version": "0.5", "multiscales": [image]}}
        text = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes})
        (folder / "zarr.json").write_text(text)
    else:
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps({"multiscales": [image]}))
    return folder / "0"


def scale(*values: float) -> dict[str, Any]:
    return {"type": "scale", "scale": list(values)}


def translation(*values: float) -> dict[str, Any]:
    return {"type": "translation", "translation": list(values)}


SCALE, PLACE = scale(30, 12, 12), translation(0, 768, 1536)


def where(volume: Volume) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return volume.grid.resolution_nm, volume.grid.offset_nm


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_translation_without_a_unit_is_kept_when_the_resolution_is_given(version: str, tmp_path: Path) -> None:
    path = ngff(tmp_path / "g.zarr", [SCALE, PLACE], unit=None, version=version)
    with pytest.raises(ResolutionError, match="30,12,12, without a unit"):
        Volume.open(path)
    assert where(Volume.open(path, resolution_nm=(30, 12, 12))) == ((30, 12, 12), (0, 768, 1536))
    assert where(Volume.open(path, resolution_nm=(30, 12, 12), offset_nm=(1, 2, 3))) == ((30, 12, 12), (1, 2, 3))


def test_a_translation_without_a_unit_counts_in_the_unit_of_the_scale_beside_it(tmp_path: Path) -> None:
    in_um = ngff(tmp_path / "um.zarr", [scale(0.03, 0.012, 0.012), translation(0, 0.768, 1.536)], unit=None)
    in_voxels = ngff(tmp_path / "px.zarr", [scale(1, 1, 1), translation(0, 64, 128)], unit=None)
    no_scale = ngff(tmp_path / "no.zarr", [translation(0, 64, 128)], unit="pixel")
    for path in (in_um, in_voxels, no_scale):
        assert where(Volume.open(path, resolution_nm=(30, 12, 12))) == ((30, 12, 12), (0, 768, 1536))


def test_a_known_unit_keeps_its_translation_beside_a_given_resolution(tmp_path: Path) -> None:
    path = ngff(tmp_path / "g.zarr", [SCALE, PLACE])
    assert where(Volume.open(path, resolution_nm=(30, 12, 12))) == ((30, 12, 12), (0, 768, 1536))


@pytest.mark.parametrize(
    ("steps", "whole"),
    [
        ([SCALE, PLACE], None),
        ([SCALE, PLACE], [{"type": "identity"}]),
        ([{"type": "identity"}], [SCALE, PLACE]),
        ([scale(1, 1, 1), translation(0, 64, 128)], [SCALE]),
        ([SCALE], [PLACE]),
        ([scale(3, 3, 3), translation(0, 0, 128)], [scale(10, 4, 4), translation(0, 768, 1024)]),
        ([translation(0, 64, 128), SCALE], None),
    ],
)
def test_transformations_of_the_level_and_of_the_image_are_taken_in_order(
    steps: list[dict[str, Any]], whole: list[dict[str, Any]] | None, tmp_path: Path
) -> None:
    assert where(Volume.open(ngff(tmp_path / "g.zarr", steps, whole=whole))) == ((30, 12, 12), (0, 768, 1536))


@pytest.mark.parametrize(
    ("unit", "length"),
    [
        ("nanometer", 1),
        ("micrometer", 1e3),
        ("Micrometer", 1e3),
        ("µm", 1e3),
        ("μm", 1e3),
        ("millimeter", 1e6),
        ("meter", 1e9),
        ("angstrom", 0.1),
        ("Å", 0.1),
        ("picometer", 1e-3),
        ("nanometre", 1),
        ("microns", 1e3),
        ("centimeter", 1e7),
        ("inch", 25.4e6),
    ],
)
def test_every_unit_of_length_becomes_nm(unit: str, length: float, tmp_path: Path) -> None:
    steps = [scale(*(v / length for v in (30, 12, 12))), translation(*(v / length for v in (60, 0, 24)))]
    assert where(Volume.open(ngff(tmp_path / "g.zarr", steps, unit=unit))) == ((30, 12, 12), (60, 0, 24))


def test_axes_that_a_group_names_in_another_order_are_turned(tmp_path: Path) -> None:
    path = ngff(tmp_path / "g.zarr", [scale(12, 13, 30), translation(1536, 768, 0)], names=("x", "y", "z"))
    volume = Volume.open(path)
    assert where(volume) == ((30, 13, 12), (0, 768, 1536))
    np.testing.assert_array_equal(volume.read(volume.box), IMAGE)


@pytest.mark.parametrize(
    "step",
    [
        {"type": "affine", "affine": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]},
        {"type": "translation", "path": "where"},
        {"type": "scale", "scale": [30, 12]},
        {"type": "rotation", "rotation": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
    ],
)
def test_a_transformation_that_is_not_understood_is_refused_until_the_place_is_given(
    step: dict[str, Any], tmp_path: Path
) -> None:
    path = ngff(tmp_path / "g.zarr", [SCALE, step])
    with pytest.raises(ResolutionError, match=step["type"]):
        Volume.open(path)
    with pytest.raises(ResolutionError, match=step["type"]):
        Volume.open(path, resolution_nm=(30, 12, 12))
    assert where(Volume.open(path, resolution_nm=(30, 12, 12), offset_nm=(0, 0, 12))) == ((30, 12, 12), (0, 0, 12))


def test_a_resolution_in_the_array_leaves_the_groups_translation(tmp_path: Path) -> None:
    path = ngff(tmp_path / "g.zarr", [SCALE, PLACE])
    (path / ".zattrs").write_text('{"resolution": [30, 12, 12]}')
    assert where(Volume.open(path)) == ((30, 12, 12), (0, 768, 1536))


def n5(folder: Path, attributes: dict[str, Any], groups: dict[str, dict[str, Any]] | None = None) -> Path:
    """An array of n5, which is xyz, and the attributes of groups above it (paths from the root of the n5)."""
    metadata = {
        "dimensions": SHAPE[::-1],
        "blockSize": [8, 6, 4],
        "dataType": "uint8",
        "compression": {"type": "raw"},
    }
    spec = {"driver": "n5", "kvstore": as_url(folder), "metadata": metadata | attributes}
    ts.open(spec, create=True).result()[...] = IMAGE.T
    root = next(place for place in folder.parents if place.suffix == ".n5") if groups else folder
    for path, found in (groups or {}).items():
        (root / path / "attributes.json").write_text(json.dumps(found))
    return folder


NM = {"unit": "nm", "dimensions": [12, 13, 30]}
HALVES = [[1, 1, 1], [2, 2, 1]]
COSEM = {"axes": ["z", "y", "x"], "units": ["nm"] * 3, "scale": [30, 13, 12], "translate": [0, 26, 24]}
BDV = "setup0/timepoint0"


@pytest.mark.parametrize(
    ("level", "attributes", "groups", "resolution_nm", "offset_nm"),
    [
        ("s0", {"pixelResolution": NM}, {}, (30, 13, 12), (0, 0, 0)),
        ("s0", {"pixelResolution": [12, 13, 30]}, {}, (30, 13, 12), (0, 0, 0)),
        ("s0", {"pixelResolution": {"unit": "um", "dimensions": [0.012, 0.013, 0.03]}}, {}, (30, 13, 12), (0, 0, 0)),
        ("s1", {"pixelResolution": NM, "downsamplingFactors": [2, 2, 1]}, {}, (30, 26, 24), (0, 0, 0)),
        ("s0", {"resolution": [12, 13, 30], "offset": [24, 26, 0]}, {}, (30, 13, 12), (0, 26, 24)),
        (
            "s0",
            {"resolution": [12, 13, 30], "units": ["nm"] * 3, "translate": [24, 26, 0]},
            {},
            (30, 13, 12),
            (0, 26, 24),
        ),
        ("s0", {"transform": COSEM}, {}, (30, 13, 12), (0, 26, 24)),
        ("s0", {"pixelResolution": NM, "transform": COSEM}, {}, (30, 13, 12), (0, 26, 24)),
        ("s0", {}, {"": {"pixelResolution": NM}}, (30, 13, 12), (0, 0, 0)),
        ("s1", {}, {"": {"pixelResolution": NM, "scales": HALVES}}, (30, 26, 24), (0, 0, 0)),
        ("s1", {"downsamplingFactors": [2, 2, 1]}, {"": {"pixelResolution": NM}}, (30, 26, 24), (0, 0, 0)),
        ("s0", {}, {"": {"resolution": [12, 13, 30], "offset": [24, 26, 0]}}, (30, 13, 12), (0, 26, 24)),
        (
            f"{BDV}/s0",
            {"downsamplingFactors": [1, 1, 1]},
            {"setup0": {"resolution": [12, 13, 30]}},
            (30, 13, 12),
            (0, 0, 0),
        ),
        (
            f"{BDV}/s1",
            {},
            {"setup0": {"resolution": [12, 13, 30], "downsamplingFactors": HALVES}},
            (30, 26, 24),
            (0, 0, 0),
        ),
        (f"{BDV}/s1", {"downsamplingFactors": [2, 2, 1]}, {BDV: {"resolution": [12, 13, 30]}}, (30, 26, 24), (0, 0, 0)),
        (
            f"{BDV}/s1",
            {},
            {BDV: {"resolution": [12, 13, 30]}, "setup0": {"downsamplingFactors": HALVES}},
            (30, 26, 24),
            (0, 0, 0),
        ),
        (
            "s0",
            {
                "axes": ["z", "y", "x"],
                "dimensions": SHAPE,
                "pixelResolution": {"unit": "nm", "dimensions": [30, 13, 12]},
            },
            {},
            (30, 13, 12),
            (0, 0, 0),
        ),
    ],
)
def test_every_dialect_of_n5_tells_where_its_volume_lies(
    level: str,
    attributes: dict[str, Any],
    groups: dict[str, dict[str, Any]],
    resolution_nm: tuple[float, ...],
    offset_nm: tuple[float, ...],
    tmp_path: Path,
) -> None:
    if "axes" in attributes:  # written as zyx
        metadata = {"blockSize": [4, 6, 8], "dataType": "uint8", "compression": {"type": "raw"}} | attributes
        spec = {"driver": "n5", "kvstore": as_url(tmp_path / "v.n5" / level), "metadata": metadata}
        ts.open(spec, create=True).result()[...] = IMAGE
        path = tmp_path / "v.n5" / level
    else:
        path = n5(tmp_path / "v.n5" / level, attributes, groups)
    volume = Volume.open(path)
    assert where(volume) == (resolution_nm, offset_nm)
    np.testing.assert_array_equal(volume.read(volume.box), IMAGE)


def test_the_levels_of_cosem_cover_the_same_space_whoever_tells_of_them(tmp_path: Path) -> None:
    coarse = COSEM | {"scale": [60, 26, 24], "translate": [15, 32.5, 30]}
    n5(tmp_path / "a.n5" / "s0", {"transform": COSEM})
    alone = n5(tmp_path / "a.n5" / "s1", {"transform": coarse})
    datasets = [{"path": "s0", "transform": COSEM}, {"path": "s1", "transform": coarse}]
    listed = n5(tmp_path / "b.n5" / "s1", {}, {"": {"multiscales": [{"datasets": datasets}]}})
    for path in (alone, listed):
        assert where(Volume.open(path)) == ((60, 26, 24), (0, 26, 24))


def test_an_n5_resolution_too_small_for_nm_has_no_unit_that_is_known(tmp_path: Path) -> None:
    path = n5(tmp_path / "v.n5" / "s0", {"resolution": [0.012, 0.013, 0.03], "offset": [0.12, 0, 0]})
    with pytest.raises(ResolutionError, match=r"0\.03,0\.013,0\.012, without a unit"):
        Volume.open(path)
    assert where(Volume.open(path, resolution_nm=(30, 13, 12))) == ((30, 13, 12), (0, 0, 120))


def test_a_coarser_level_whose_factors_nobody_tells_takes_no_resolution_from_the_group(tmp_path: Path) -> None:
    path = n5(tmp_path / "v.n5" / "s1", {}, {"": {"pixelResolution": NM}})
    with pytest.raises(ResolutionError, match="carries no resolution"):
        Volume.open(path)


def test_units_and_sides_of_zarr_may_leave_out_a_channel(tmp_path: Path) -> None:
    spec = {"driver": "zarr", "kvstore": as_url(tmp_path / "z"), "metadata": {"shape": [1, *SHAPE], "dtype": "|u1"}}
    ts.open(spec, create=True).result()[...] = IMAGE[None]
    attributes = {"axis_names": ["c^", "z", "y", "x"], "voxel_size": [30, 13, 12], "offset": [60, 26, 24]}
    (tmp_path / "z" / ".zattrs").write_text(json.dumps(attributes | {"units": ["", "nm", "nm", "nm"]}))
    assert where(Volume.open(tmp_path / "z")) == ((30, 13, 12), (60, 26, 24))


def test_an_offset_in_a_unit_that_is_not_known_counts_by_the_given_resolution(tmp_path: Path) -> None:
    spec = {"driver": "zarr", "kvstore": as_url(tmp_path / "z"), "metadata": {"shape": SHAPE, "dtype": "|u1"}}
    ts.open(spec, create=True).result()[...] = IMAGE
    (tmp_path / "z" / ".zattrs").write_text('{"resolution": [1, 1, 1], "offset": [2, 64, 64], "units": "pixels"}')
    assert where(Volume.open(tmp_path / "z", resolution_nm=(30, 12, 12))) == ((30, 12, 12), (60, 768, 768))


def zipped(folder: Path, top: str = "") -> Path:
    """The folder's files in a zip, beside it; `top`: a folder that holds them there."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for place, _, files in os.walk(folder):
            for file in files:
                whole = Path(place) / file
                archive.write(whole, Path(top) / whole.relative_to(folder))
    return path


def test_a_group_at_the_root_of_a_zip_tells_where_its_arrays_lie(tmp_path: Path) -> None:
    ngff(tmp_path / "g.zarr", [SCALE, PLACE])
    path = zipped(tmp_path / "g.zarr")
    for url in (path / "0", f"{path}|zip:0/", f"{path}|zip:0/|zarr2:", f"file://{path}/0", f"file://{path}|zip:0/"):
        volume = Volume.open(url)
        assert where(volume) == ((30, 12, 12), (0, 768, 1536))
        np.testing.assert_array_equal(volume.read(volume.box), IMAGE)
    assert [level.grid for level in open_multiscale(path).levels] == [
        Grid(shape=SHAPE, resolution_nm=(30, 12, 12), offset_nm=(0, 768, 1536))
    ]
    with pytest.raises(VolumeFormatError, match=r"group of volumes.*open one of 0"):
        Volume.open(path)


def plain(folder: Path) -> Path:
    volume = Volume.create(folder, shape=SHAPE, dtype=np.uint8, resolution_nm=(30, 12, 12), offset_nm=(60, 0, 12))
    volume.write(volume.box, IMAGE)
    return folder


def test_a_path_to_a_zip_is_a_volume_or_says_what_is_in_it(tmp_path: Path) -> None:
    plain(tmp_path / "v.zarr")
    flat = zipped(tmp_path / "v.zarr")
    for url in (flat, f"{flat}|zip:", f"{flat}|zip:|zarr3:", f"file://{flat}"):
        assert where(Volume.open(url)) == ((30, 12, 12), (60, 0, 12))
    deep = zipped(tmp_path / "v.zarr", "in/v.zarr")
    with pytest.raises(VolumeFormatError, match=r"group of volumes.*open one of in/v\.zarr"):
        Volume.open(deep)
    assert where(Volume.open(deep / "in" / "v.zarr")) == ((30, 12, 12), (60, 0, 12))
    with pytest.raises(InputError):
        Volume.open(deep / "nothing")
    (tmp_path / "broken.zip").write_bytes(deep.read_bytes()[:100])
    with pytest.raises(VolumeFormatError):
        Volume.open(tmp_path / "broken.zip")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The URL of a server of the test's folder, which lists nothing."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Keep still."""

        def list_directory(self, *_: Any) -> None:
            self.send_error(404)

    running = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_group_at_a_url_tells_the_same_as_on_disk(version: str, server: str, tmp_path: Path) -> None:
    ngff(tmp_path / "g.zarr", [SCALE, PLACE], version=version)
    zipped(tmp_path / "g.zarr")
    for url in (f"{server}/g.zarr/0", f"{server}/g.zip/0", f"{server}/g.zip|zip:0/"):
        volume = Volume.open(url)
        assert where(volume) == ((30, 12, 12), (0, 768, 1536))
        np.testing.assert_array_equal(volume.read(volume.box), IMAGE)
    for group in (f"{server}/g.zarr", f"{server}/g.zarr/"):
        assert open_multiscale(group).finest.grid.offset_nm == (0, 768, 1536)
        with pytest.raises(VolumeFormatError, match=r"group of volumes.*open one of 0"):
            Volume.open(group)


def test_n5_groups_and_consolidated_groups_at_a_url_are_known(server: str, tmp_path: Path) -> None:
    n5(tmp_path / "v.n5" / "s1", {"downsamplingFactors": [2, 2, 1]}, {"": {"pixelResolution": NM}})
    assert where(Volume.open(f"{server}/v.n5/s1")) == ((30, 26, 24), (0, 0, 0))
    n5(tmp_path / "v.n5" / "s0", {})
    with pytest.raises(VolumeFormatError, match="open one of s0, s1"):
        Volume.open(f"{server}/v.n5")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / ".zmetadata").write_text(json.dumps({"metadata": {"raw/.zarray": {}, ".zgroup": {}}}))
    with pytest.raises(VolumeFormatError, match="open one of raw"):
        Volume.open(f"{server}/c")


def test_nothing_at_a_url_is_one_line(server: str) -> None:
    with pytest.raises(VolumeNotFoundError, match="nothing there is zarr"):
        Volume.open(f"{server}/nothing")


@pytest.mark.parametrize("host", ["http://no-such-host.invalid/v", "http://127.0.0.1:9/v.zarr", "gs://b/v", "s3://b/v"])
def test_a_server_that_is_not_there_is_noticed_within_seconds(host: str) -> None:
    begin = time.monotonic()
    with pytest.raises(VolumeNotFoundError, match="isn't known, or doesn't answer"):
        refuse_missing(host)
    assert time.monotonic() - begin < 12


@pytest.mark.parametrize(
    "url",
    [
        "file:///tmp|zip:",
        "memory://x|zip:",
        "http://",
        "gs://",
        "file:///tmp|zarr3:0|n5:",
        "zarr2://file:///tmp",
        "precomputed://file:///nowhere",
        "file:///etc/hostname|gzip:|zarr3:",
        "kvstack://x",
        "file:///tmp|json:",
    ],
)
def test_whatever_tensorstore_raises_is_one_line(url: str) -> None:
    with pytest.raises(InputError) as refused:
        Volume.open(url)
    assert "\n" not in str(refused.value)
