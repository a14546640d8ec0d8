"""Builds of volumes that aren't on the models' grid: any pixel, any section, image and segmentation apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore as ts
from numpy.typing import NDArray
from small_world import SHAPE, SmallWorld, assert_same_rows, build, make_small_world

from connectome.errors import ContradictionError, ResolutionError
from connectome.geometry import Box, NmTriple
from connectome.pipeline.build import build_volume
from connectome.pipeline.inputs import Inputs, open_inputs
from connectome.pipeline.request import BuildRequest
from connectome.records import NoProgress
from connectome.volumes.volume import Volume

CUTS = [(16, 64, 64), (40, 128, 128), (7, 33, 50), (9, 100, 21)]


class Told(NoProgress):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return make_small_world(tmp_path / "world")


def placed(
    source: Path, target: Path, resolution_nm: NmTriple, offset_nm: NmTriple = (0, 0, 0), part: Box | None = None
) -> str:
    """The voxels of a volume, or of a part of it, called another resolution and another place."""
    volume = Volume.open(source)
    array = volume.read(part or volume.box)
    copied = Volume.create(
        target, shape=array.shape, dtype=array.dtype, resolution_nm=resolution_nm, offset_nm=offset_nm
    )
    copied.write(copied.box, array)
    return str(target)


def coarsened(source: Path, target: Path, factor: int, resolution_nm: NmTriple, offset_nm: NmTriple) -> str:
    """Every so manieth pixel of a volume."""
    volume = Volume.open(source)
    array = np.ascontiguousarray(volume.read(volume.box)[:, ::factor, ::factor])
    copied = Volume.create(
        target, shape=array.shape, dtype=array.dtype, resolution_nm=resolution_nm, offset_nm=offset_nm
    )
    copied.write(copied.box, array)
    return str(target)


def opened(request: BuildRequest) -> Inputs:
    return open_inputs(request.volumes, request.models, request.execution.device)


def test_a_build_of_eight_by_eight_by_forty_does_not_depend_on_the_blocks(
    world: SmallWorld, tmp_path: Path, data_folder: Path
) -> None:
    image = placed(world.image, tmp_path / "raw.zarr", (40, 8, 8))
    segmentation = placed(world.segmentation, tmp_path / "ids.zarr", (40, 8, 8))
    found = []
    for i, cut in enumerate(CUTS):
        request = world.request(
            data_folder, name=f"cut{i}", image=image, segmentation=segmentation, block_shape=cut, min_size_voxels=8
        )
        found.append(build(request))
    summary, rows, labels = found[0]
    assert summary.grid.startswith("40x12x12 nm")
    assert labels.shape == (40, 66, 60) and summary.clefts > 20 and summary.synapses > 5
    for _, other_rows, other_labels in found[1:]:
        assert np.array_equal(labels, other_labels)
        assert_same_rows(rows, other_rows)


def test_an_image_and_a_segmentation_of_other_resolution_offset_and_extent_are_built_where_both_are(
    world: SmallWorld, tmp_path: Path, data_folder: Path
) -> None:
    image = placed(world.image, tmp_path / "raw.zarr", (40, 4, 4), (1000, 500, 500))
    segmentation = coarsened(world.segmentation, tmp_path / "ids.zarr", 4, (40, 16, 16), (1000, 500, 500))
    found = []
    for i, cut in enumerate(CUTS):
        request = world.request(
            data_folder, name=f"cut{i}", image=image, segmentation=segmentation, block_shape=cut, min_size_voxels=2
        )
        found.append(build(request))
    summary, rows, labels = found[0]
    assert labels.shape == (40, 33, 30) and summary.clefts > 5
    assert "image 40x4x4, segmentation 40x16x16" in summary.grid
    assert rows["cleft.x_nm"].min() > 500 and rows["cleft.z_nm"].min() > 1000
    for _, other_rows, other_labels in found[1:]:
        assert np.array_equal(labels, other_labels)
        assert_same_rows(rows, other_rows)


def test_a_cleft_of_a_volume_is_dropped_on_every_grid_or_on_none(
    world: SmallWorld, tmp_path: Path, data_folder: Path
) -> None:
    segmentation = placed(world.segmentation, tmp_path / "ids.zarr", (40, 12, 12))
    image = placed(world.image, tmp_path / "raw.zarr", (40, 12, 12))
    request = world.request(data_folder, image=image, segmentation=segmentation, min_size_voxels=40)
    summary, rows, _ = build(request)
    assert rows["cleft.size_voxels"].min() in range(30, 34)  # 40 voxels of 12x12x30 nm are 30 of 12x12x40 nm
    assert summary.clefts > 10


@pytest.mark.parametrize(
    ("resolution_nm", "working_nm"),
    [
        ((40, 4, 4), (40, 12, 12)),
        ((33, 4, 4), (33, 12, 12)),
        ((8, 8, 8), (32, 12, 12)),
        ((16, 16, 16), (32, 12, 12)),
        ((30, 6, 6), (30, 12, 12)),
        ((47.5, 4.6, 4.6), (47.5, 12, 12)),
    ],
)
def test_volumes_of_any_voxel_open(
    world: SmallWorld, tmp_path: Path, resolution_nm: NmTriple, working_nm: NmTriple
) -> None:
    image = placed(world.image, tmp_path / "raw.zarr", resolution_nm)
    segmentation = placed(world.segmentation, tmp_path / "ids.zarr", resolution_nm)
    inputs = opened(world.request(tmp_path, image=image, segmentation=segmentation))
    assert tuple(inputs.resolution_nm) == working_nm
    assert not inputs.box.is_empty
    assert inputs.segmentation.read(inputs.box).any() and inputs.image.read(inputs.box).any()


def test_voxels_that_a_model_was_not_trained_for_are_told_and_far_ones_refused(
    world: SmallWorld, tmp_path: Path
) -> None:
    near = {
        name: placed(path, tmp_path / f"near-{name}.zarr", (40, 8, 8))
        for name, path in (("image", world.image), ("segmentation", world.segmentation))
    }
    (warning,) = opened(world.request(tmp_path, **near)).warnings
    assert "sections 40 nm apart, the model was trained for 25 to 35 nm" in warning
    far = {
        name: placed(path, tmp_path / f"far-{name}.zarr", (70, 8, 8))
        for name, path in (("image", world.image), ("segmentation", world.segmentation))
    }
    with pytest.raises(ResolutionError, match="sections 70 nm apart"):
        opened(world.request(tmp_path, **far))
    assert opened(world.request(tmp_path, **far, any_grid=True)).warnings


def test_volumes_that_overlap_in_part_are_refused_unless_asked_for(world: SmallWorld, tmp_path: Path) -> None:
    image = placed(world.image, tmp_path / "raw.zarr", (30, 12, 12), (0, 240, 0))
    segmentation = placed(world.segmentation, tmp_path / "ids.zarr", (30, 12, 12))
    request = {"image": image, "segmentation": segmentation}
    with pytest.raises(ContradictionError, match="overlap only in part") as refused:
        opened(world.request(tmp_path, **request))
    assert "240:1440" in str(refused.value) and "0:1200" in str(refused.value)
    inputs = opened(world.request(tmp_path, **request, overlap=True))
    assert inputs.box == Box((0, 20, 0), SHAPE) and inputs.warnings == ()
    assert opened(world.request(tmp_path, **request, box=Box((0, 40, 0), (10, 60, 20)))).warnings == ()


def test_a_volume_that_goes_on_alone_is_told_with_both_extents(world: SmallWorld, tmp_path: Path) -> None:
    part = Box((0, 0, 0), (SHAPE[0], 60, SHAPE[2]))
    segmentation = placed(world.segmentation, tmp_path / "ids.zarr", (30, 12, 12), part=part)
    image = placed(world.image, tmp_path / "raw.zarr", (30, 12, 12))
    (warning,) = opened(world.request(tmp_path, image=image, segmentation=segmentation)).warnings
    assert "0:1200" in warning and "0:720" in warning and "only what both have is built" in warning


def test_an_image_with_its_axes_in_another_order_is_refused_with_a_hint(world: SmallWorld, tmp_path: Path) -> None:
    volume = Volume.open(world.image)
    array = np.ascontiguousarray(volume.read(volume.box).transpose(2, 1, 0))
    turned = Volume.create(tmp_path / "raw.zarr", shape=array.shape, dtype=array.dtype, resolution_nm=(30, 12, 12))
    turned.write(turned.box, array)
    segmentation = placed(world.segmentation, tmp_path / "ids.zarr", (30, 12, 12))
    with pytest.raises(ContradictionError, match=r"90x100x40 and 40x100x90 .* check the order of axes"):
        opened(world.request(tmp_path, image=str(tmp_path / "raw.zarr"), segmentation=segmentation))


def test_swapped_volumes_are_refused_before_anything_is_computed(
    world: SmallWorld, tmp_path: Path, data_folder: Path
) -> None:
    volume = Volume.open(world.segmentation)
    array = (volume.read(volume.box) % np.uint64(65536)).astype(np.uint16)
    labels = Volume.create(tmp_path / "ids.zarr", shape=SHAPE, dtype=np.uint16, resolution_nm=(30, 12, 12))
    labels.write(labels.box, array)
    image = placed(world.image, tmp_path / "raw.zarr", (30, 12, 12))
    with pytest.raises(ContradictionError, match="swapped"):
        build_volume(world.request(data_folder, image=str(tmp_path / "ids.zarr"), segmentation=image))
    assert not (data_folder / "runs").exists()


def test_a_build_without_clefts_says_so_first(world: SmallWorld, data_folder: Path) -> None:
    told = Told()
    summary = build_volume(world.request(data_folder, min_size_voxels=10**7), told)
    assert summary.clefts == 0
    first = summary.to_text().splitlines()[0]
    assert first.startswith("warning: no cleft was found")
    assert summary.to_json()["warnings"][0].startswith("no cleft was found")


def pyramid(folder: Path, array: NDArray[np.generic], scales: list[NmTriple]) -> str:
    """An OME-NGFF 0.5 group of an array and every second, fourth and so on of its pixels, in chunks of 16x32x32."""
    datasets: list[dict[str, Any]] = []
    for k, scale in enumerate(scales):
        level = np.ascontiguousarray(array[:, :: 2**k, :: 2**k])
        metadata = {
            "shape": list(level.shape),
            "data_type": level.dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [16, 32, 32]}},
            "codecs": [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 3}}],
        }
        spec = {"driver": "zarr3", "kvstore": f"file://{folder}/{k}/", "metadata": metadata}
        ts.open(spec, create=True).result()[...] = level
        datasets.append({"path": str(k), "coordinateTransformations": [{"type": "scale", "scale": list(scale)}]})
    axes = [{"name": name, "type": "space", "unit": "nanometer"} for name in "zyx"]
    attributes = {"ome": {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}}
    (folder / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}))
    return str(folder)


def read_whole(inputs: Inputs) -> None:
    """Read all of image and segmentation in pieces, as a build does."""
    for start in np.ndindex(*(-(-n // 32) for n in inputs.box.shape)):
        piece = Box.of_shape((32, 32, 32), tuple(32 * s for s in start)).intersect(inputs.box)
        inputs.image.read(piece)
        inputs.segmentation.read(piece)


def test_of_a_pyramid_the_best_level_alone_is_read(world: SmallWorld, tmp_path: Path) -> None:
    volume = Volume.open(world.image)
    array = volume.read(volume.box).repeat(2, 1).repeat(2, 2)
    scales: list[NmTriple] = [(40, 4, 4), (40, 8, 8), (40, 16, 16)]
    image = pyramid(tmp_path / "raw", array, scales)
    ids = Volume.open(world.segmentation)
    segmentation = pyramid(tmp_path / "ids", ids.read(ids.box).repeat(2, 1).repeat(2, 2), scales)
    inputs = opened(world.request(tmp_path, image=image, segmentation=segmentation))
    assert inputs.grid_text == (
        "40x12x12 nm from image 40x8x8, level 2 of 3, segmentation 40x8x8, level 2 of 3 (z, y, x)"
    )
    read: list[tuple[str, int]] = []
    for view in (inputs.image, inputs.segmentation):
        whole = view.volume.read

        def counted(box: Box, whole: Any = whole, url: str = view.volume.url) -> NDArray[np.generic]:
            read.append((url, box.size_voxels))
            return whole(box)  # type: ignore[no-any-return]

        view.volume.read = counted  # type: ignore[method-assign]
    read_whole(inputs)
    for name, url in (("raw", image), ("ids", segmentation)):
        amount = sum(size for read_url, size in read if read_url.startswith(url))
        best = Volume.open(f"{url}/1")
        assert amount <= 1.3 * best.box.size_voxels, name
        assert all(read_url == f"{url}/1" for read_url, _ in read if read_url.startswith(url))


def test_a_pyramid_is_built_and_resumed_by_its_groups_url(world: SmallWorld, tmp_path: Path, data_folder: Path) -> None:
    volume, ids = Volume.open(world.image), Volume.open(world.segmentation)
    scales: list[NmTriple] = [(30, 6, 6), (30, 12, 12)]
    image = pyramid(tmp_path / "raw", volume.read(volume.box).repeat(2, 1).repeat(2, 2), scales)
    segmentation = pyramid(tmp_path / "ids", ids.read(ids.box).repeat(2, 1).repeat(2, 2), scales)
    _, plain, labels = build(world.request(data_folder, name="plain"))
    request = world.request(data_folder, name="pyramid", image=image, segmentation=segmentation)
    summary, rows, pyramid_labels = build(request)
    assert np.array_equal(labels, pyramid_labels)
    assert np.array_equal(plain["synapse.pre_segment_id"], rows["synapse.pre_segment_id"])
    assert "level 2 of 2" in summary.grid
    assert build_volume(request).already_finished
