"""Inputs of a build: the working grid, finer volumes, boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from small_world import OFFSET_NM, RESOLUTION_NM, SHAPE, SmallWorld, build, make_small_world

from connectome.errors import BoxError, CheckpointError
from connectome.geometry import Box
from connectome.networks.checkpoint import ModelRole, load_checkpoint, save_checkpoint
from connectome.pipeline.inputs import Inputs, open_inputs
from connectome.pipeline.pair import open_pair, working_box
from connectome.pipeline.request import BuildRequest, InputVolumes
from connectome.pipeline.steps import mirrored
from connectome.volumes.model_grid import ModelGrid
from connectome.volumes.volume import Volume

SEEN = ModelGrid(resolution_nm=RESOLUTION_NM, pixel_nm=(6, 20), section_nm=(25, 35))


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return make_small_world(tmp_path / "world")


def opened(request: BuildRequest) -> Inputs:
    return open_inputs(request.volumes, request.models, request.execution.device)


def fine(source: Path, target: Path, factors: tuple[int, int, int]) -> tuple[Path, NDArray[np.generic]]:
    """The same volume with every voxel cut into `factors`, at the finer resolution."""
    coarse = Volume.open(source)
    array = coarse.read(coarse.box)
    for axis, factor in enumerate(factors):
        array = array.repeat(factor, axis)
    resolution = tuple(r / f for r, f in zip(RESOLUTION_NM, factors, strict=True))
    volume = Volume.create(target, shape=array.shape, dtype=array.dtype, resolution_nm=resolution, offset_nm=OFFSET_NM)  # type: ignore[arg-type]
    volume.write(volume.box, array)
    return target, array


def test_finer_volumes_give_the_same_clefts_as_the_coarse_ones(
    world: SmallWorld, tmp_path: Path, data_folder: Path
) -> None:
    _, coarse, labels = build(world.request(data_folder, name="coarse"))
    image, _ = fine(world.image, tmp_path / "image.zarr", (1, 2, 2))
    segmentation, _ = fine(world.segmentation, tmp_path / "segmentation.zarr", (2, 1, 3))
    request = world.request(data_folder, name="fine", image=str(image), segmentation=str(segmentation))
    summary, rows, fine_labels = build(request)
    assert np.array_equal(labels, fine_labels)
    for name in ("cleft.cleft_id", "cleft.x_nm", "cleft.z_nm", "synapse.pre_segment_id", "synapse.post_segment_id"):
        assert np.array_equal(coarse[name], rows[name]), name
    assert summary.voxels == np.prod(SHAPE)


def test_the_working_grid_begins_where_the_segmentation_begins(world: SmallWorld, tmp_path: Path) -> None:
    part = tmp_path / "part.zarr"
    whole = Volume.open(world.segmentation)
    offset = tuple(o + 5 * r for o, r in zip(OFFSET_NM, RESOLUTION_NM, strict=True))
    shape = tuple(n - 5 for n in SHAPE)
    cut = Volume.create(part, shape=shape, dtype=np.uint64, resolution_nm=RESOLUTION_NM, offset_nm=offset)  # type: ignore[arg-type]
    cut.write(cut.box, whole.read(Box((5, 5, 5), SHAPE)))
    inputs = opened(world.request(tmp_path, segmentation=str(part)))
    assert inputs.offset_nm == offset
    assert inputs.box == Box.of_shape(shape)  # type: ignore[arg-type]
    image = Volume.open(world.image).read(Box((5, 5, 5), (7, 8, 9)))
    assert np.array_equal(inputs.image.read(Box((0, 0, 0), (2, 3, 4))), image)


def test_a_box_is_in_voxels_of_the_segmentation(world: SmallWorld, tmp_path: Path) -> None:
    segmentation, _ = fine(world.segmentation, tmp_path / "fine.zarr", (1, 2, 2))
    pair = open_pair(InputVolumes(image=str(world.image), segmentation=str(segmentation)), SEEN)
    assert pair.box == Box.of_shape(SHAPE)
    assert working_box(Box((1, 3, 4), (2, 7, 8)), pair) == Box((1, 1, 2), (2, 4, 4))
    with pytest.raises(BoxError, match="outside the segmentation"):
        working_box(Box((0, 0, 0), (1, 201, 10)), pair)


def test_an_image_that_has_nothing_of_the_box_is_refused(world: SmallWorld, tmp_path: Path) -> None:
    part = tmp_path / "part.zarr"
    small = Volume.create(part, shape=(4, 8, 8), dtype=np.uint8, resolution_nm=RESOLUTION_NM, offset_nm=OFFSET_NM)
    small.write(small.box, np.ones((4, 8, 8), np.uint8))
    with pytest.raises(BoxError, match="has none"):
        opened(world.request(tmp_path, image=str(part), box=Box((10, 0, 0), (20, 8, 8))))


def test_models_of_different_resolutions_are_refused(world: SmallWorld, tmp_path: Path) -> None:
    from dataclasses import replace

    loaded = load_checkpoint(world.assigner, ModelRole.ASSIGNER)
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, replace(loaded.card, resolution_nm=(40.0, 8.0, 8.0)), loaded.network)
    with pytest.raises(CheckpointError, match="both must be the same"):
        opened(world.request(tmp_path, assigner=str(other)))


def test_beyond_the_border_the_network_sees_the_mirror_image(world: SmallWorld) -> None:
    view = open_pair(InputVolumes(image=str(world.image), segmentation=str(world.segmentation)), SEEN).image
    whole = np.pad(view.read(view.box), 30, mode="symmetric")
    for box in (Box((-30, -7, 5), (0, 20, 120)), Box((3, 4, 5), (10, 11, 12)), Box((-5, -5, -5), (70, 130, 120))):
        inside = box.intersect(view.box)
        found = mirrored(view, box)
        assert found.shape == box.shape
        if not inside.is_empty:
            assert np.array_equal(found, whole[box.shift((30, 30, 30)).slices()])
        else:
            assert not found.any()
