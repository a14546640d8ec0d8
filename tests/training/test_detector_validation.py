"""Measuring a detector in training on a box."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from connectome.evaluate.clefts import CleftCounts
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import Box
from connectome.networks.architecture import NetworkConfig, RSUNet, initialise
from connectome.networks.checkpoint import Method, Normalisation
from connectome.training import validation
from connectome.training.data.dataset import Dataset
from connectome.training.data.source import DataSource
from connectome.training.loop import Schedule, Trainer
from connectome.training.losses import detector_loss
from connectome.training.recipe import Recipe
from connectome.training.samples.augment import SampleShape
from connectome.training.train import train

SHAPE = SampleShape(patch_shape=(4, 16, 16), normalisation=Normalisation(), augmentation=None)


def trainer(widths: tuple[int, ...] = (4,)) -> Trainer:
    network = RSUNet(NetworkConfig(in_channels=1, out_channels=1, widths=widths))
    initialise(network, 0)
    schedule = Schedule(steps=1, learning_rate=0, average_decay=0)
    return Trainer(network, detector_loss(1), schedule, torch.device("cpu"))


def test_a_box_in_parts_is_predicted_as_in_one_piece(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network of one level sees 7 voxels far, less than the halo."""
    data = Dataset(DataSource(folder=folder, box=Box((1, 3, 0), (8, 64, 61))))
    whole = validation._strength(Method.MASK, trainer(), data, SHAPE)
    monkeypatch.setattr(validation, "MOST_AT_ONCE", (3, 20, 17))
    assert len(list(validation._parts(data.box))) == 3 * 4 * 4
    parts = validation._strength(Method.MASK, trainer(), data, SHAPE)
    assert whole.shape == data.box.shape and np.ptp(whole) > 10
    assert np.abs(whole.astype(int) - parts).max() <= 1


def test_parts_are_whole_multiples_with_their_context(folder: Path) -> None:
    data = Dataset(DataSource(folder=folder, box=Box((0, 0, 0), (7, 50, 33))))
    strength = validation._strength(Method.MASK, trainer((4, 4, 4, 4)), data, SHAPE)
    assert strength.shape == (7, 50, 33)


def test_a_detector_that_has_learned_finds_the_clefts_of_the_box(recipe: Recipe, folder: Path) -> None:
    left, right = (DataSource(folder=folder, box=Box((0, 0, x), (8, 64, x + 32))) for x in (0, 32))
    metrics = train(
        Method.MASK, replace(recipe, sources=(left,), validation=(right,), steps=80, average_decay=0.9)
    ).metrics
    assert metrics["clefts"] == 1
    assert metrics["object_f1"] == metrics["object_precision"] == metrics["object_recall"] == 1
    assert metrics["voxel_f1"] > 0.3


def test_without_held_out_data_nothing_is_measured() -> None:
    assert validation.detector_validation(Method.MASK)(trainer(), [], SHAPE) == {}


def test_voxels_nobody_knows_are_neither_right_nor_wrong() -> None:
    labels = np.array([[[0, BACKGROUND, IGNORE, 5, 5]]], np.uint64)
    counts = validation._count_voxels(np.array([[[True, False, True, True, False]]]), labels)
    assert counts == CleftCounts(found=1, false=1, missed=1)
