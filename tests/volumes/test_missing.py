"""Chunks that were never stored and sections that show nothing are counted, in every format."""

from __future__ import annotations

import functools
import threading
import zipfile
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore as ts

from connectome.errors import VolumeFormatError
from connectome.geometry import Box
from connectome.volumes import absent
from connectome.volumes.address import as_url
from connectome.volumes.missing import find_missing, refuse_incomplete
from connectome.volumes.volume import Volume

SHAPE = (9, 10, 14)
IMAGE = np.random.default_rng(2).integers(1, 255, SHAPE, dtype=np.uint8)
CHUNK = (4, 5, 6)
PRECOMPUTED = {"resolution": [12, 12, 30], "size": SHAPE[::-1], "encoding": "raw", "chunk_size": CHUNK[::-1]}


def zarr3(folder: Path) -> str:
    volume = Volume.create(folder, shape=SHAPE, dtype=np.uint8, resolution_nm=(30, 12, 12), chunk_shape=CHUNK)
    volume.write(volume.box, IMAGE)
    return "c/2/1/2"


def zarr2(folder: Path) -> str:
    metadata = {"shape": SHAPE, "dtype": "|u1", "chunks": CHUNK}
    ts.open({"driver": "zarr", "kvstore": as_url(folder), "metadata": metadata}, create=True).result()[...] = IMAGE
    (folder / ".zattrs").write_text('{"resolution": [30, 12, 12]}')
    return "2.1.2"


def n5(folder: Path) -> str:
    metadata = {
        "dimensions": SHAPE[::-1],
        "blockSize": CHUNK[::-1],
        "dataType": "uint8",
        "compression": {"type": "raw"},
        "resolution": [12, 12, 30],
    }
    ts.open({"driver": "n5", "kvstore": as_url(folder), "metadata": metadata}, create=True).result()[...] = IMAGE.T
    return "2/1/2"


def precomputed(folder: Path) -> str:
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": as_url(folder),
        "multiscale_metadata": {"data_type": "uint8", "num_channels": 1, "type": "image"},
        "scale_metadata": PRECOMPUTED | {"voxel_offset": [3, -2, 7]},
    }
    ts.open(spec, create=True).result()[...] = IMAGE.T[..., None]
    return "12_12_30/15-17_3-8_15-16"


@pytest.mark.parametrize("write", [zarr3, zarr2, n5, precomputed])
def test_a_chunk_that_never_arrived_is_counted_with_its_place(write: Callable[[Path], str], tmp_path: Path) -> None:
    key = write(tmp_path / "v")
    whole = find_missing(Volume.open(tmp_path / "v"), sections=True)
    assert not whole
    assert (whole.chunks, whole.absent, whole.blank) == (18, 0, ())
    (tmp_path / "v" / key).unlink()
    volume = Volume.open(tmp_path / "v")
    found = find_missing(volume)
    assert (found.chunks, found.absent) == (18, 1)
    assert found.places == (Box((8, 5, 12), (9, 10, 14)),)
    assert not volume.read(found.places[0]).any()
    assert find_missing(volume, Box((8, 5, 11), (9, 6, 13))).absent == 1
    assert find_missing(volume, Box((0, 0, 0), (8, 10, 14))).absent == 0
    with pytest.raises(VolumeFormatError, match=r"1 of 18 chunks not stored \(at 8:9,5:10,12:14\)"):
        refuse_incomplete("v", found)


def test_many_absent_chunks_are_counted_and_the_first_ones_named(tmp_path: Path) -> None:
    volume = Volume.create(tmp_path / "v", shape=SHAPE, dtype=np.uint8, resolution_nm=(30, 12, 12), chunk_shape=CHUNK)
    box = Box((0, 0, 0), (4, 5, 6))
    volume.write(box, IMAGE[box.slices()])
    found = find_missing(volume)
    assert (found.absent, len(found.places)) == (17, 4)
    assert str(found).endswith("and others)")


def test_a_zip_and_a_server_can_be_asked_too(tmp_path: Path) -> None:
    key = zarr3(tmp_path / "v")
    (tmp_path / "v" / key).unlink()
    with zipfile.ZipFile(tmp_path / "v.zip", "w") as archive:
        for file in (tmp_path / "v").rglob("*"):
            archive.write(file, file.relative_to(tmp_path / "v"))
    assert find_missing(Volume.open(tmp_path / "v.zip")).absent == 1


class Quiet(SimpleHTTPRequestHandler):
    """A server that keeps still."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_of_a_server_that_cannot_list_each_chunk_is_asked_for_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = zarr3(tmp_path / "v")
    (tmp_path / "v" / key).unlink()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    volume = Volume.open(f"http://127.0.0.1:{server.server_port}/v")
    assert find_missing(volume).absent == 1
    monkeypatch.setattr(absent, "MOST_REQUESTS", 10)
    assert find_missing(volume).absent is None
    assert not find_missing(volume)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("value", [0, 255])
def test_blank_sections_are_told(value: int, tmp_path: Path) -> None:
    image = np.random.default_rng(2).integers(1, 255, (9, 40, 60), dtype=np.uint8)
    image[[3, 7]] = value
    image[5, :, :50] = value  # shows something at one end: not blank
    volume = Volume.create(
        tmp_path / "v", shape=image.shape, dtype=np.uint8, resolution_nm=(30, 12, 12), chunk_shape=CHUNK
    )
    volume.write(volume.box, image)
    found = find_missing(volume, sections=True)
    assert found.blank == (3, 7)
    assert "blank sections: 2 (z 3, 7)" in str(found)
    assert find_missing(volume, Box((4, 0, 0), (9, 40, 60)), sections=True).blank == (7,)
    assert find_missing(volume).blank == ()
