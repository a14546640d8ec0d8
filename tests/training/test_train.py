"""Training from folders of volumes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import Result

from connectome.errors import BoxError, CheckpointError, ConfigError, TrainingDataError
from connectome.geometry import Box
from connectome.networks.checkpoint import Method, ModelRole, Normalisation, load_checkpoint
from connectome.networks.device import DeviceChoice
from connectome.training import loop
from connectome.training.augment import Augmentation
from connectome.training.batches import BatchPlan, batch_at
from connectome.training.dataset import Dataset
from connectome.training.recipe import DataSource, Recipe
from connectome.training.samples import SampleShape, assigner_sample, detector_sample
from connectome.training.train import train
from connectome.volume import Volume

SHAPE = (8, 64, 64)
PATCH = (4, 16, 16)


@pytest.fixture
def recipe(folder: Path, tmp_path: Path) -> Recipe:
    return Recipe(
        sources=(DataSource(folder=folder),),
        output=tmp_path / "model.safetensors",
        name="tiny",
        steps=30,
        patch_shape=PATCH,
        batch=2,
        widths=(8, 8),
        learning_rate=1e-2,
        device=DeviceChoice.CPU,
    )


METHODS = [Method.MASK, Method.AVAN, Method.MASK_PRUNER, Method.PROXIMITY_PRUNER]


@pytest.mark.parametrize("method", METHODS)
def test_training_lowers_the_loss_and_saves_a_checkpoint_that_loads(method: Method, recipe: Recipe) -> None:
    early = train(method, replace(recipe, steps=2))
    late = train(method, recipe)
    assert late.metrics["loss"] < 0.8 * early.metrics["loss"]
    loaded = load_checkpoint(recipe.output, method.role)
    assert loaded.card.patch_shape == PATCH
    assert loaded.card.training["sources"][0]["synapses"] == 2
    assert loaded.card.metrics["steps"] == 30


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(recipe: Recipe) -> None:
    weights = []
    for seed in (4, 4, 5):
        train(Method.AVAN, replace(recipe, steps=3, seed=seed))
        weights.append(load_checkpoint(recipe.output, ModelRole.ASSIGNER).network.last.weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_training_can_start_from_a_checkpoint_of_the_same_kind_only(recipe: Recipe, tmp_path: Path) -> None:
    train(Method.MASK, recipe)
    further = replace(recipe, steps=2, start_from=recipe.output, output=tmp_path / "further.safetensors")
    again = train(Method.MASK, further)
    assert again.metrics["loss"] < train(Method.MASK, replace(recipe, steps=2)).metrics["loss"]
    assert again.training["start_from"] == "model.safetensors"
    with pytest.raises(CheckpointError, match="where one of assigner"):
        train(Method.AVAN, further)
    with pytest.raises(CheckpointError, match="widths"):
        train(Method.MASK, replace(further, widths=(4, 8)))


def test_validation_is_measured_on_data_apart_from_the_training_data(recipe: Recipe, folder: Path) -> None:
    left, right = Box((0, 0, 0), (8, 64, 32)), Box((0, 0, 32), (8, 64, 64))
    apart = replace(
        recipe, sources=(DataSource(folder=folder, box=left),), validation=(DataSource(folder=folder, box=right),)
    )
    for method in METHODS[1:]:
        metrics = train(method, replace(apart, steps=2)).metrics
        assert metrics["clefts"] == 1
        assert 0 <= metrics["assignment_accuracy"] + metrics["wrong_direction"] <= 1
    assert 0 <= train(Method.MASK, apart).metrics["voxel_f1"] <= 1
    with pytest.raises(TrainingDataError, match="overlap"):
        train(Method.MASK, replace(recipe, validation=(DataSource(folder=folder, box=right),)))


def test_a_box_without_synapses_and_a_box_outside_are_refused(recipe: Recipe, folder: Path) -> None:
    empty = DataSource(folder=folder, box=Box((0, 0, 0), (2, 8, 8)))
    with pytest.raises(TrainingDataError, match="no annotated synapse lies in the box"):
        train(Method.MASK, replace(recipe, sources=(empty,)))
    outside = DataSource(folder=folder, box=Box((0, 0, 0), (9, 8, 8)))
    with pytest.raises(BoxError, match="outside the volume"):
        train(Method.MASK, replace(recipe, sources=(outside,)))


def test_a_patch_that_can_not_be_pooled_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ConfigError, match="multiple"):
        train(Method.MASK, replace(recipe, patch_shape=(4, 15, 16)))


def test_a_loss_that_is_no_number_stops_the_training(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop.Schedule, "rate", lambda self, step: 1e30)
    with pytest.raises(TrainingDataError, match="the loss became"):
        train(Method.MASK, recipe)


def test_nothing_beyond_the_box_is_seen(folder: Path) -> None:
    box = Box((0, 0, 0), (8, 64, 32))
    data = Dataset(DataSource(folder=folder, box=box))
    wide = Box((-2, -2, -2), (10, 66, 66))
    image = data.read(data.image, wide)
    assert image[2:10, 2:66, 2:34].any()
    image[2:10, 2:66, 2:34] = 0
    assert not image.any()
    assert data.read_mask(wide).sum() == box.size_voxels


def test_a_batch_depends_on_seed_and_step_alone(folder: Path) -> None:
    shape = SampleShape(patch_shape=PATCH, normalisation=Normalisation(), augmentation=Augmentation())
    data = [Dataset(DataSource(folder=folder))]
    plan = BatchPlan(datasets=data, make=detector_sample, shape=shape, size=2, seed=3)
    assert torch.equal(batch_at(plan, 7).inputs, batch_at(plan, 7).inputs)
    assert not torch.equal(batch_at(plan, 7).inputs, batch_at(plan, 8).inputs)


def test_an_assigner_sample_shows_one_cleft_and_its_partners(folder: Path) -> None:
    shape = SampleShape(patch_shape=PATCH, normalisation=Normalisation(), augmentation=None)
    sample = assigner_sample(Dataset(DataSource(folder=folder)), shape, np.random.default_rng(0))
    grey, mask = sample.inputs
    pre, post = sample.targets
    assert mask.any() and pre.any() and post.any()
    assert not (pre * post).any() and not (mask * (pre + post)).any()
    assert ((pre + post) == sample.weights).all()
    assert grey[mask > 0].mean() < grey[pre > 0].mean() < grey[post > 0].mean()


def test_patches_need_not_be_square_and_may_be_one_section(recipe: Recipe) -> None:
    for method, shape in ((Method.MASK, (4, 32, 16)), (Method.AVAN, (1, 16, 16))):
        assert train(method, replace(recipe, steps=4, patch_shape=shape)).metrics["steps"] == 4


@pytest.mark.parametrize(
    ("text", "weight", "box"),
    [("d", 1.0, None), ("d*0.5", 0.5, None), ("d@0:1,0:2,0:3*2", 2.0, Box((0, 0, 0), (1, 2, 3)))],
)
def test_a_data_source_is_read_from_text(text: str, weight: float, box: Box | None) -> None:
    assert DataSource.parse(text) == DataSource(folder=Path("d"), box=box, weight=weight)


@pytest.mark.parametrize("text", ["d*none", "d*0", "d*-1", "d*nan", "d*inf"])
def test_a_weight_that_is_no_number_above_zero_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="weight"):
        DataSource.parse(text)


def test_the_command_trains_and_says_what_it_measured(cli: Callable[..., Result], folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "cli.safetensors"
    flags = ["--steps", "2", "--patch-shape", "4,16,16", "--widths", "4,6", "--device", "cpu"]
    result = cli("train", "detector", "--data", folder, "--output", output, *flags)
    assert result.exit_code == 0, result.stderr
    assert "2 steps" in result.stdout
    assert load_checkpoint(output, ModelRole.DETECTOR).card.name == "cli"
    wrong = cli("train", "assigner", "--data", folder, "--output", output, *flags[:-4], "--widths", "a,b")
    assert wrong.exit_code == 3
    assert "isn't a list of whole numbers" in wrong.stderr


def test_an_image_of_another_contrast_in_sixteen_bits_gives_the_same_samples(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    narrow = Volume.open(folder / "raw.zarr")
    shutil.rmtree(other / "raw.zarr")
    wide = Volume.create(other / "raw.zarr", shape=SHAPE, dtype=np.uint16, resolution_nm=(30, 12, 12))
    wide.write(wide.box, narrow.read(narrow.box).astype(np.uint16) * 9 + 1200)
    shape = SampleShape(patch_shape=PATCH, normalisation=Normalisation(), augmentation=None)
    for make in (detector_sample, assigner_sample):
        first, second = (make(Dataset(DataSource(folder=f)), shape, np.random.default_rng(2)) for f in (folder, other))
        assert np.array_equal(first.inputs, second.inputs)
