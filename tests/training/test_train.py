"""Training from folders of volumes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import Result

from connectome.errors import CheckpointError, ConfigError, TrainingDataError
from connectome.geometry import Box
from connectome.networks.checkpoint import Method, ModelRole, Normalisation, load_checkpoint, read_card
from connectome.training import loop
from connectome.training.choices import Begin
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.training.recipe import Recipe
from connectome.training.samples.augment import Augmentation, SampleShape
from connectome.training.samples.batches import BatchPlan, batch_at
from connectome.training.samples.voxel_samples import assigner_sample, detector_sample
from connectome.training.train import train
from connectome.weights.manifest import shipped_models

PATCH = (4, 16, 16)
PRUNERS = [Method.MASK_PRUNER, Method.PROXIMITY_PRUNER]


@pytest.fixture
def recipe(recipe: Recipe) -> Recipe:
    """Trainings that replace what another one left at the same place."""
    return replace(recipe, begin=Begin.RESTART)


@pytest.mark.parametrize("method", [Method.MASK, Method.AVAN])
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


def test_training_can_start_from_a_shipped_model_by_its_name(recipe: Recipe) -> None:
    shipped = load_checkpoint(shipped_models()["mask"].path, ModelRole.DETECTOR)
    widths, patch = shipped.card.network.widths, PATCH
    further = replace(recipe, steps=1, start_from=Path("mask"), widths=widths, patch_shape=patch, learning_rate=0)
    assert train(Method.MASK, further).training["start_from"] == "mask"
    again = load_checkpoint(recipe.output, ModelRole.DETECTOR)
    assert torch.equal(again.network.first.weight, shipped.network.first.weight)


@pytest.mark.parametrize("method", PRUNERS)
def test_a_trained_pruner_finds_pre_and_post_of_a_cleft_it_has_not_seen(
    method: Method, recipe: Recipe, folder: Path
) -> None:
    left, right = (DataSource(folder=folder, box=Box((0, 0, x), (8, 64, x + 32))) for x in (0, 32))
    trained = replace(recipe, sources=(left,), validation=(right,), steps=60, batch=4, average_decay=0.9)
    card = train(method, replace(trained, learning_rate=3e-3))
    assert card.metrics["assignment_accuracy"] == 1
    assert load_checkpoint(recipe.output, ModelRole.ASSIGNER).card == card


def test_a_pruner_can_start_from_an_avan(recipe: Recipe, tmp_path: Path) -> None:
    train(Method.AVAN, replace(recipe, steps=2))
    further = replace(recipe, steps=2, start_from=recipe.output, output=tmp_path / "pruner.safetensors")
    assert train(Method.MASK_PRUNER, further).training["start_from"] == "model.safetensors"
    with pytest.raises(CheckpointError, match="don't fit"):
        train(Method.AVAN, replace(recipe, steps=2, start_from=further.output))


def test_validation_is_measured_on_data_apart_from_the_training_data(recipe: Recipe, folder: Path) -> None:
    left, right = Box((0, 0, 0), (8, 64, 32)), Box((0, 0, 32), (8, 64, 64))
    apart = replace(
        recipe, sources=(DataSource(folder=folder, box=left),), validation=(DataSource(folder=folder, box=right),)
    )
    for method in (Method.AVAN, *PRUNERS):
        metrics = train(method, replace(apart, steps=2)).metrics
        assert metrics["clefts"] == 1
        assert 0 <= metrics["assignment_accuracy"] + metrics["wrong_direction"] <= 1
    assert 0 <= train(Method.MASK, apart).metrics["voxel_f1"] <= 1
    with pytest.raises(TrainingDataError, match="overlap"):
        train(Method.MASK, replace(recipe, validation=(DataSource(folder=folder, box=right),)))


def test_a_patch_that_can_not_be_pooled_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ConfigError, match="multiple"):
        train(Method.MASK, replace(recipe, patch_shape=(4, 15, 16)))


def test_a_loss_that_is_no_number_stops_the_training(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop.Schedule, "rate", lambda self, step: 1e30)
    with pytest.raises(TrainingDataError, match=r"the (loss|gradient) became"):
        train(Method.MASK, recipe)


def test_training_on_a_phantom_says_so_in_the_card(recipe: Recipe) -> None:
    text = "phantom:8,128,128@seed=1"
    on_it = replace(recipe, sources=(DataSource.parse(text),), steps=2)
    card = train(Method.AVAN, on_it)
    assert card.training["sources"][0]["data"] == text
    assert card.training["sources"][0]["synapses"] > 0


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


def test_the_command_trains_and_says_what_it_measured(cli: Callable[..., Result], folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "cli.safetensors"
    flags = ["--steps", "2", "--patch-shape", "4,16,16", "--widths", "4,6", "--device", "cpu"]
    result = cli("train", "detector", "--data", folder, "--output", output, *flags)
    assert result.exit_code == 0, result.stderr
    assert "weights of step 2 of 2" in result.stdout
    assert load_checkpoint(output, ModelRole.DETECTOR).card.name == "cli"
    wrong = cli("train", "assigner", "--data", folder, "--output", output, *flags[:-4], "--widths", "a,b")
    assert wrong.exit_code == 3
    assert "isn't a list of whole numbers" in wrong.stderr


def test_the_commands_read_a_file_and_go_on_or_begin_anew(
    cli: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    config, output = tmp_path / "train.toml", tmp_path / "model.safetensors"
    config.write_text(
        f'output = "{output}"\nsteps = 2\npatch_shape = [4, 16, 16]\nwidths = [4, 8]\n[[data]]\nfolder = "{folder}"\n'
    )
    for kind, method in (("detector", "mask"), ("assigner", "avan"), ("pruner", "mask-pruner")):
        result = cli("train", kind, "--config", config, "--device", "cpu", "--json", "--restart")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["metrics"]["steps"] == 2
        assert read_card(output).method == method
    again = cli("train", "pruner", "--config", config, "--device", "cpu")
    assert again.exit_code == 3 and "holds a finished training" in again.stderr
    output.unlink()
    nothing = cli("train", "detector", "--config", config, "--resume")
    assert nothing.exit_code == 3 and "nothing to resume" in nothing.stderr
    both = cli("train", "detector", "--config", config, "--resume", "--restart")
    assert both.exit_code == 3 and "contradict" in both.stderr


def test_the_card_says_which_pixels_and_distances_of_sections_were_seen(recipe: Recipe) -> None:
    short = replace(recipe, steps=1)
    plain = train(Method.MASK, short)
    assert (plain.pixel_nm, plain.section_nm) == (None, None)
    wide = Augmentation(thinned=0.5, spacing=2, resampled=0.5, finest=0.5, coarsest=1.5)
    card = train(Method.MASK, replace(short, augmentation=wide))
    assert card.pixel_nm == (6, 18)
    assert card.section_nm == pytest.approx((25, 60))
    assert read_card(recipe.output).section_nm == pytest.approx((25, 60))


def test_sources_may_have_other_distances_of_sections_but_not_other_pixels(recipe: Recipe) -> None:
    thick, fine = (DataSource.parse(f"phantom:8,96,96@seed=1:resolution={r}") for r in ("40,12,12", "30,10,10"))
    card = train(Method.MASK, replace(recipe, steps=1, sources=(*recipe.sources, thick)))
    assert card.resolution_nm == (30, 12, 12)
    assert card.section_nm == pytest.approx((25, 40))
    with pytest.raises(TrainingDataError, match="different pixels"):
        train(Method.MASK, replace(recipe, steps=1, sources=(*recipe.sources, fine)))
