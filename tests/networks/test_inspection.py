"""What can be told of a checkpoint without using it."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import pytest
import torch

from connectome.networks.architecture import (
    NetworkConfig,
    PairClassifier,
    PairConfig,
    RSUNet,
    initialise,
)
from connectome.networks.checkpoint import Checkpoint, Method, ModelCard, ModelRole, load_checkpoint, save_checkpoint
from connectome.networks.inspection import fingerprint, fixed_input, largest_difference, sha256_of, trained_values

CONFIG = NetworkConfig(in_channels=2, out_channels=2, widths=(4, 6))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    network = RSUNet(CONFIG)
    initialise(network, 1)
    card = ModelCard(
        name="a", method=Method.AVAN, network=CONFIG, resolution_nm=(30.0, 12.0, 12.0), patch_shape=(4, 16, 16)
    )
    save_checkpoint(tmp_path / "a", card, network.eval())
    return load_checkpoint(tmp_path / "a", ModelRole.ASSIGNER)


def test_trained_values_are_the_networks_parameters_without_the_norms_statistics(checkpoint: Checkpoint) -> None:
    assert trained_values(checkpoint.path) == sum(values.numel() for values in checkpoint.network.parameters())


def test_the_checksum_is_the_files(checkpoint: Checkpoint) -> None:
    assert sha256_of(checkpoint.path) == checkpoint.sha256 == hashlib.sha256(checkpoint.path.read_bytes()).hexdigest()


def test_the_fixed_input_never_changes() -> None:
    image = fixed_input(2, (1, 2, 2))
    assert image.shape == (1, 2, 4, 32, 32)
    assert image.min() >= -2 and image.max() < 2 and len(image.unique()) > 8000
    assert image.ravel()[:4].tolist() == pytest.approx([-2.0, 0.47213595, -1.0557281, 1.41640786])
    assert fixed_input(1, (3, 24, 5)).shape == (1, 1, 6, 48, 35)


def test_a_fingerprint_is_four_numbers_a_channel_and_notices_a_changed_weight(checkpoint: Checkpoint) -> None:
    before = fingerprint(checkpoint)
    assert len(before) == 8
    assert largest_difference(before, fingerprint(checkpoint)) < 1e-6
    with torch.no_grad():
        checkpoint.network.last.weight[0, 0] += 0.5
    assert largest_difference(before, fingerprint(checkpoint)) > 1e-3


def test_a_classifier_of_pairs_has_a_fingerprint_too(tmp_path: Path) -> None:
    config = PairConfig(widths=(4, 6))
    network = PairClassifier(config)
    initialise(network, 1)
    card = ModelCard(
        name="p", method=Method.MASK_PRUNER, network=config, resolution_nm=(30.0, 12.0, 12.0), patch_shape=(4, 16, 16)
    )
    save_checkpoint(tmp_path / "p", card, network)
    mean, deviation, low, high = fingerprint(load_checkpoint(tmp_path / "p", ModelRole.ASSIGNER))
    assert mean == low == high and deviation == 0
    assert trained_values(tmp_path / "p") == sum(values.numel() for values in network.parameters())


def test_fingerprints_of_other_lengths_or_without_numbers_are_infinitely_far() -> None:
    assert largest_difference((1.0,), (1.0, 2.0)) == math.inf
    assert largest_difference((math.nan,), (1.0,)) == math.inf
    assert largest_difference((100.0,), (101.0,)) == pytest.approx(1 / 101)


def test_a_network_whose_weights_are_no_numbers_has_no_finite_fingerprint(checkpoint: Checkpoint) -> None:
    with torch.no_grad():
        checkpoint.network.first.weight.fill_(math.nan)
    assert not all(map(math.isfinite, fingerprint(checkpoint)))
