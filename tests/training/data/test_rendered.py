"""Phantoms as training data: the same as the folder they would be written to, in bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from connectome.geometry import Box
from connectome.networks.checkpoint import Normalisation
from connectome.phantom import Phantom, PhantomConfig, PhantomPreset, write_phantom
from connectome.training.data.dataset import Dataset
from connectome.training.data.rendered import Layer, RenderedPhantom, RenderedVolume
from connectome.training.data.source import DataSource
from connectome.training.samples.augment import Augmentation, SampleShape
from connectome.training.samples.batches import BatchPlan, batch_at
from connectome.training.samples.voxel_samples import assigner_sample, detector_sample

CONFIG = PhantomConfig(
    shape=(20, 144, 160), seed=6, preset=PhantomPreset.INSECT, bouton_spacing_nm=1500.0, artefact_period_sections=20
)
PATCH = (6, 48, 48)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "p"
    write_phantom(CONFIG, folder)
    return folder


@pytest.fixture(scope="module")
def written(folder: Path) -> Dataset:
    return Dataset(DataSource(folder=folder))


@pytest.fixture(scope="module")
def rendered() -> Dataset:
    return Dataset(DataSource(phantom=CONFIG))


@pytest.mark.parametrize("make", [detector_sample, assigner_sample])
def test_a_phantoms_samples_equal_those_of_the_folder_it_would_be_written_to(
    written: Dataset, rendered: Dataset, make: object
) -> None:
    shape = SampleShape(patch_shape=PATCH, normalisation=Normalisation(), augmentation=Augmentation())
    for step in range(4):
        one, other = (
            batch_at(BatchPlan(datasets=[data], make=make, shape=shape, size=2, seed=1), step)  # type: ignore[arg-type]
            for data in (written, rendered)
        )
        assert torch.equal(one.inputs, other.inputs)
        assert torch.equal(one.targets, other.targets)
        assert torch.equal(one.weights, other.weights)


def test_a_phantom_has_the_interface_of_a_folder(written: Dataset, rendered: Dataset) -> None:
    for one, other in zip(rendered.annotated_clefts, written.annotated_clefts, strict=True):
        assert replace(one, centroid_voxel=other.centroid_voxel) == other
        assert one.centroid_voxel == pytest.approx(other.centroid_voxel, abs=1e-3)
    assert rendered.sides == written.sides
    assert rendered.grey_range == written.grey_range
    for name in ("image", "segmentation", "clefts"):
        one, other = getattr(written, name), getattr(rendered, name)
        assert (one.volume.grid, one.box, one.dtype) == (other.volume.grid, other.box, other.dtype)
    beyond = Box((-2, 100, 100), (4, 150, 170))
    assert np.array_equal(rendered.read(rendered.clefts, beyond), written.read(written.clefts, beyond))
    assert np.array_equal(rendered.read_mask(beyond), written.read_mask(beyond))
    assert "seed=6" in rendered.image.volume.url


def test_blocks_beyond_the_bound_are_given_up_and_come_back_the_same() -> None:
    config = PhantomConfig(shape=(8, 140, 270), seed=1)
    block_bytes = 8 * 128 * 128 * 9
    bounded = RenderedPhantom(config, "tissue", cache_bytes=2 * block_bytes)
    whole = Phantom(config).render(config.box)
    for _ in range(2):
        assert np.array_equal(bounded.read(Layer.SEGMENTATION, config.box), whole.segmentation)
        assert 0 < bounded.cached_bytes <= 2 * block_bytes
    box = Box.parse("1:7,100:140,120:265")
    assert np.array_equal(bounded.read(Layer.IMAGE, box), whole.image[box.slices()])
    assert np.array_equal(bounded.render(Layer.CLEFTS, box), whole.clefts[box.slices()])


def test_pieces_that_are_looked_at_once_are_not_kept() -> None:
    phantom = RenderedPhantom(PhantomConfig(shape=(6, 48, 64), seed=1), "tissue")
    image = phantom.volume(Layer.IMAGE)
    passing = RenderedVolume(phantom, Layer.IMAGE, is_kept=False)
    box = Box.parse("1:5,3:40,9:60")
    piece = passing.read(box)
    assert phantom.cached_bytes == 0
    assert np.array_equal(piece, image.read(box))
    assert (passing.grid, passing.dtype) == (image.grid, image.dtype)
    assert np.array_equal(image.read_strided(box, (2, 3, 1)), piece[::2, ::3])


def test_one_block_is_kept_even_if_memory_is_shorter() -> None:
    tight = RenderedPhantom(PhantomConfig(shape=(4, 32, 32)), "tissue", cache_bytes=1)
    tight.read(Layer.IMAGE, tight.config.box)
    assert tight.cached_bytes == 4 * 32 * 32 * 9


def test_several_threads_may_read() -> None:
    config = PhantomConfig(shape=(6, 96, 160), seed=2)
    whole = Phantom(config).render(config.box)
    shared = RenderedPhantom(config, "tissue", cache_bytes=1)
    boxes = [Box((z, 0, x), (z + 3, 96, x + 40)) for z in (0, 3) for x in (0, 60, 110)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda box: shared.read(Layer.IMAGE, box), boxes))
    for box, voxels in zip(boxes, found, strict=True):
        assert np.array_equal(voxels, whole.image[box.slices()])
