"""What the viewer shows, asked of its own server as a browser does."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterator
from urllib.request import urlopen

import neuroglancer
import numpy as np
import pytest

from connectome.errors import InputError
from connectome.geometry import Box
from connectome.query.connectome import Connectome
from connectome.store.runs.runs import get_run
from connectome.view.lines import Lines, read_lines
from connectome.view.place import Place, find_place
from connectome.view.viewer import link, open_viewer
from connectome.volumes.volume import Volume


@pytest.fixture
def lines(connectome: Connectome) -> Lines:
    return read_lines(connectome, "small", centre_nm=(0.0, 0.0, 0.0))


@pytest.fixture
def viewer(connectome: Connectome, lines: Lines) -> Iterator[neuroglancer.Viewer]:
    run = get_run(connectome.database, "small")
    yield open_viewer(run, lines, find_place(connectome, run, cleft_id=None, segment_id=None))
    neuroglancer.stop()


def test_lines_are_all_synapses_from_pre_to_post(connectome: Connectome, lines: Lines) -> None:
    rows = connectome.synapses().to_pylist()
    assert lines.total == len(lines.cleft_id) == len(rows) > 0
    assert lines.pre_nm.tolist() == [[row["pre_z_nm"], row["pre_y_nm"], row["pre_x_nm"]] for row in rows]
    assert lines.post_nm.tolist() == [[row["post_z_nm"], row["post_y_nm"], row["post_x_nm"]] for row in rows]


def test_of_too_many_synapses_those_around_the_place_are_shown(connectome: Connectome, lines: Lines) -> None:
    centre = lines.centroid_nm[0]
    few = read_lines(connectome, "small", centre_nm=tuple(centre.tolist()), most=3)
    assert few.total == lines.total
    assert 0 < len(few.cleft_id) <= 3


def test_the_viewer_listens_on_the_loopback_address_alone(viewer: neuroglancer.Viewer) -> None:
    assert viewer.get_viewer_url().startswith("http://127.0.0.1:")


def test_the_lines_lie_on_their_clefts(viewer: neuroglancer.Viewer, connectome: Connectome, lines: Lines) -> None:
    layer = viewer.state.to_json()["layers"][-1]
    assert layer["name"] == "synapses"
    clefts = Volume.open(get_run(connectome.database, "small").folder / "clefts.zarr")
    for drawn, cleft_id in zip(layer["annotations"], lines.cleft_id, strict=True):
        ends = np.array([drawn["pointA"], drawn["pointB"]])
        voxels = np.floor((ends - clefts.grid.offset_nm) / clefts.grid.resolution_nm).astype(int)
        low, high = voxels.min(0) - np.array((2, 8, 8)), voxels.max(0) + np.array((3, 9, 9))
        near = clefts.read(Box(tuple(low.tolist()), tuple(high.tolist())))
        assert np.uint64(cleft_id) in near


def test_the_served_voxels_are_those_of_the_volume_in_their_place(
    viewer: neuroglancer.Viewer, connectome: Connectome
) -> None:
    image = Volume.open(get_run(connectome.database, "small").image_url)
    source = viewer.state.to_json()["layers"][0]["source"][0]
    address = source["url"].removeprefix("python://")
    server = viewer.get_viewer_url().split("/v/")[0]
    info = json.load(urlopen(f"{server}/neuroglancer/info/{address.rpartition('/')[2]}"))
    offset = np.array(info["voxelOffset"], np.float64) + np.array(source["transform"]["matrix"])[:, 3]
    assert (offset * image.grid.resolution_nm).tolist() == pytest.approx(list(image.grid.offset_nm))
    token = address.rpartition("/")[2]
    data = urlopen(f"{server}/neuroglancer/npz/{token}/1,1,1/0,0,0/4,20,30").read()
    served = np.load(io.BytesIO(zlib.decompress(data)))
    assert np.array_equal(served, image.read(Box((0, 0, 0), (4, 20, 30))))


def test_a_synapse_and_a_segment_say_where_to_open(connectome: Connectome, lines: Lines) -> None:
    run = get_run(connectome.database, "small")
    place = find_place(connectome, run, cleft_id=int(lines.cleft_id[1]), segment_id=None)
    assert place.centre_nm == tuple(lines.centroid_nm[1].tolist())
    segment = int(lines.post_segment_id[0])
    assert find_place(connectome, run, cleft_id=None, segment_id=segment).segment_id == segment
    with pytest.raises(InputError, match="999"):
        find_place(connectome, run, cleft_id=999_999_999, segment_id=None)


def test_local_volumes_have_no_public_address(connectome: Connectome, lines: Lines) -> None:
    with pytest.raises(InputError, match="URLs"):
        link(get_run(connectome.database, "small"), lines, Place(centre_nm=(0.0, 0.0, 0.0)))
