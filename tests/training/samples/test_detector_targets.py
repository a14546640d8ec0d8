"""Samples, losses and training of the detectors that answer with distances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import Result

from connectome.distances import signed_proximity, signed_tanh_distance
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import Box
from connectome.networks.checkpoint import Method, ModelRole, Normalisation, load_checkpoint
from connectome.networks.device import DeviceChoice
from connectome.networks.inference import detector_output
from connectome.training.choices import Unpaired
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.training.losses import signed_proximity_loss, stdt_loss
from connectome.training.recipe import Recipe
from connectome.training.samples.augment import MARGIN, Augmentation, SampleShape
from connectome.training.samples.batches import Batch
from connectome.training.samples.detector_targets import signed_proximity_sample, stdt_sample
from connectome.training.samples.places import detector_box
from connectome.training.samples.voxel_samples import detector_sample
from connectome.training.train import train
from connectome.volumes.volume import Volume

SHAPE = (12, 64, 64)
PATCH = (4, 16, 16)
RESOLUTION = (30.0, 12.0, 12.0)
SECTION_VALUES = SampleShape(patch_shape=PATCH, normalisation=Normalisation(), augmentation=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three segments one over the other; cleft 1 has two post partners, 2 the other direction, 3 none annotated."""
    folder = tmp_path_factory.mktemp("data")
    segmentation = np.zeros(SHAPE, np.uint64)
    segmentation[:, :30], segmentation[:, 33:] = 11, 22
    segmentation[:, 33:, 16:32] = 23
    clefts = np.full(SHAPE, BACKGROUND, np.uint64)
    clefts[2:6, 30:33, 8:24], clefts[2:6, 30:33, 40:56], clefts[9:11, 30:33, 8:12] = 1, 2, 3
    clefts[:, 60:, 60:] = IGNORE
    image = np.random.default_rng(0).integers(100, 200, SHAPE).astype(np.uint8)
    for name, array in (("raw", image), ("neuron_ids", segmentation), ("clefts", clefts)):
        volume = Volume.create(folder / f"{name}.zarr", shape=SHAPE, dtype=array.dtype, resolution_nm=RESOLUTION)
        volume.write(volume.box, array)
    rows = [
        "cleft_id,pre_segment_id,post_segment_id,size_voxels,"
        + ",".join(f"{s}{a}_nm" for s in ("", "pre_", "post_") for a in "zyx")
    ]
    for cleft, pre, post, x in ((1, 11, 22, 12), (1, 11, 23, 20), (2, 22, 11, 48)):
        y = (28, 35) if pre == 11 else (35, 28)
        points = [value for line in (31, *y) for value in (120, (line + 0.5) * 12, x * 12)]
        rows.append(",".join(map(str, [cleft, pre, post, 192, *points])))
    (folder / "annotations.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> Dataset:
    return Dataset(DataSource(folder=folder))


def own_box(data: Dataset, seed: int) -> Box:
    """The patch that a sample of this seed shows."""
    return detector_box(data, SECTION_VALUES, np.random.default_rng(seed)).grow((0, -MARGIN, -MARGIN))


@pytest.mark.parametrize("seed", range(6))
def test_an_stdt_patch_is_a_part_of_the_whole_volumes_transform(data: Dataset, seed: int) -> None:
    labels = data.read(data.clefts, data.box)
    whole = signed_tanh_distance(labels < 4, RESOLUTION)
    sample = stdt_sample(data, SECTION_VALUES, np.random.default_rng(seed))
    box = own_box(data, seed)
    np.testing.assert_allclose(sample.targets[0], whole[box.slices()], atol=0.006)
    assert (sample.weights == (labels != IGNORE)[box.slices()]).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_signed_proximity_patch_takes_the_nearest_cleft_and_the_union_of_its_partners(
    data: Dataset, seed: int
) -> None:
    labels, segments = data.read(data.clefts, data.box), data.read(data.segmentation, data.box)
    first = signed_proximity(labels == 1, segments == 11, np.isin(segments, (22, 23)), RESOLUTION)
    second = signed_proximity(labels == 2, segments == 22, segments == 11, RESOLUTION)
    whole = np.where(abs(first) >= abs(second), first, second)
    sample = signed_proximity_sample(data, SECTION_VALUES, np.random.default_rng(seed))
    box = own_box(data, seed)
    np.testing.assert_allclose(sample.targets[0], whole[box.slices()], atol=0.012)


def test_near_a_cleft_without_partners_the_proximity_is_unknown(data: Dataset) -> None:
    labels = data.read(data.clefts, data.box)
    below = 0
    for seed in range(150):
        weights = signed_proximity_sample(data, SECTION_VALUES, np.random.default_rng(seed)).weights
        own = labels[own_box(data, seed).slices()]
        assert not weights[own == 3].any()
        assert not weights[own == IGNORE].any()
        assert weights[own == 2].all()
        below += int((own == 3).sum())
    assert below > 0


def test_the_target_moves_with_the_image(data: Dataset) -> None:
    """An image made of the STDT itself shows it: turned and misaligned, both are still the same."""
    twin = Dataset(data.source)
    labels = data.read(data.clefts, data.box)
    shown = np.round((signed_tanh_distance(labels < 4, RESOLUTION) + 1) * 127).astype(np.uint8)
    twin.image = Volume.create("memory://stdt/", shape=SHAPE, dtype=np.uint8, resolution_nm=RESOLUTION)
    twin.image.write(twin.image.box, shown)
    how = Augmentation(brightness=0, contrast=0, noise=0, misaligned=1, missing=0, blurred=0, defocused=0, warped=0)
    shape = replace(SECTION_VALUES, augmentation=how)
    for seed in range(20):
        sample = stdt_sample(twin, shape, np.random.default_rng(seed))
        seen = sample.weights > 0
        grey, target = sample.inputs[0][seen], sample.targets[0][seen]
        order = np.argsort(target)
        assert (np.diff(grey[order]) > -0.05).all()


def test_all_representations_are_shown_the_same_places(data: Dataset) -> None:
    for seed in range(5):
        inputs = [
            make(data, SECTION_VALUES, np.random.default_rng(seed)).inputs
            for make in (detector_sample, stdt_sample, signed_proximity_sample)
        ]
        assert (inputs[0] == inputs[1]).all() and (inputs[0] == inputs[2]).all()


def batch_of(targets: list[float], weights: list[float] | None = None) -> Batch:
    shaped = torch.tensor(targets).reshape(1, 1, 1, 1, -1)
    return Batch(
        inputs=shaped, targets=shaped, weights=torch.tensor(weights or [1.0] * len(targets)).reshape_as(shaped)
    )


def test_the_stdt_loss_lets_inside_and_outside_weigh_the_same() -> None:
    targets = [0.5] + [-0.5] * 9
    logits = torch.zeros(1, 1, 1, 1, 10)
    assert stdt_loss(logits, batch_of(targets)).item() == pytest.approx(0.25)
    inside = logits.clone()
    inside[..., 0] = 2 * np.arctanh(0.5)
    assert stdt_loss(inside, batch_of(targets)).item() == pytest.approx(0.125, rel=1e-5)


def test_a_lone_voxel_counts_no_more_than_twenty_times() -> None:
    assert stdt_loss(torch.zeros(1, 1, 1, 1, 100), batch_of([1.0] + [0.0] * 99)).item() == pytest.approx(0.1)


def test_the_proximity_loss_balances_near_and_far_and_skips_what_is_unknown() -> None:
    targets, weights = [0.8, -0.8] + [0.0] * 6 + [1.0, 1.0], [1.0] * 8 + [0.0] * 2
    loss = signed_proximity_loss(torch.zeros(1, 1, 1, 1, 10), batch_of(targets, weights))
    assert loss.item() == pytest.approx(0.64 / 2)


@pytest.mark.parametrize("method", [Method.STDT, Method.SIGNED_PROXIMITY])
def test_a_perfect_answer_costs_nothing(method: Method) -> None:
    loss = stdt_loss if method is Method.STDT else signed_proximity_loss
    logits = torch.linspace(-3, 3, 20).reshape(1, 1, 1, 1, -1)
    targets = detector_output(method, logits).flatten().tolist()
    assert loss(logits, batch_of(targets)).item() == pytest.approx(0, abs=1e-10)


@pytest.fixture
def recipe(folder: Path, tmp_path: Path) -> Recipe:
    return Recipe(
        sources=(DataSource(folder=folder, box=Box((0, 0, 0), (12, 64, 32))),),
        validation=(DataSource(folder=folder, box=Box((0, 0, 32), (12, 64, 64))),),
        output=tmp_path / "model.safetensors",
        name="tiny",
        steps=3,
        patch_shape=PATCH,
        widths=(4, 4),
        device=DeviceChoice.CPU,
        unpaired=Unpaired.ALLOW,
    )


@pytest.mark.parametrize("method", [Method.STDT, Method.SIGNED_PROXIMITY])
def test_training_starts_from_a_mask_and_measures_voxels_like_it(
    method: Method, recipe: Recipe, tmp_path: Path
) -> None:
    mask = train(Method.MASK, recipe)
    card = train(method, replace(recipe, start_from=recipe.output, output=tmp_path / "other.safetensors"))
    assert card.method is method
    assert set(card.metrics) == set(mask.metrics)
    assert 0 <= card.metrics["voxel_f1"] <= 1


def test_another_answer_begins_with_nothing_and_the_same_one_where_it_was(recipe: Recipe, tmp_path: Path) -> None:
    train(Method.MASK, recipe)
    still = replace(recipe, start_from=recipe.output, learning_rate=0.0)
    before = load_checkpoint(recipe.output, ModelRole.DETECTOR).network
    for method in (Method.MASK, Method.STDT):
        output = tmp_path / f"{method}.safetensors"
        train(method, replace(still, output=output))
        after = load_checkpoint(output, ModelRole.DETECTOR).network
        assert torch.equal(before.first.weight, after.first.weight)
        assert torch.equal(before.last.weight, after.last.weight) == (method is Method.MASK)
        assert after.last.weight.any().item() == (method is Method.MASK)


def test_the_command_trains_each_representation(cli: Callable[..., Result], folder: Path, tmp_path: Path) -> None:
    for name in ("mask", "stdt", "signed-proximity"):
        output = tmp_path / f"{name}.safetensors"
        flags = [
            "--steps",
            "1",
            "--patch-shape",
            "4,16,16",
            "--widths",
            "4,6",
            "--device",
            "cpu",
            "--unpaired",
            "allow",
        ]
        result = cli("train", "detector", "--representation", name, "--data", folder, "--output", output, *flags)
        assert result.exit_code == 0, result.stderr
        assert load_checkpoint(output, ModelRole.DETECTOR).card.method == name
    refused = cli("train", "detector", "--representation", "avan", "--data", folder, "--output", output)
    assert refused.exit_code == 2
