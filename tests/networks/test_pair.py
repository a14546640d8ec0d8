"""The pair classifier, and beginning with other networks' weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from connectome.errors import CheckpointError
from connectome.networks.architecture import NetworkConfig, PairClassifier, PairConfig, initialise
from connectome.networks.checkpoint import (
    Method,
    ModelCard,
    ModelRole,
    build_network,
    load_checkpoint,
    save_checkpoint,
    take_over,
)

PRUNER = ModelCard(
    name="p",
    method=Method.MASK_PRUNER,
    network=PairConfig(widths=(4, 6)),
    resolution_nm=(30.0, 12.0, 12.0),
    patch_shape=(4, 16, 16),
)
AVAN = replace(PRUNER, method=Method.AVAN, network=NetworkConfig(in_channels=2, out_channels=2, widths=(4, 6)))


def saved(path: Path, card: ModelCard) -> Path:
    network = build_network(card)
    initialise(network, 1)
    save_checkpoint(path, card, network.eval())
    return path


def test_a_pair_gets_one_logit_and_sections_are_never_pooled_across() -> None:
    config = PairConfig(widths=(4, 6, 8))
    assert config.multiple == (1, 8, 8)
    assert PairClassifier(config).eval()(torch.zeros((3, 4, 5, 24, 16))).shape == (3, 1)


def test_the_default_has_less_than_a_million_parameters() -> None:
    assert 5e5 < sum(values.numel() for values in PairClassifier(PairConfig()).parameters()) < 1e6


def test_a_checkpoint_carries_either_network(tmp_path: Path) -> None:
    for card in (PRUNER, AVAN):
        loaded = load_checkpoint(saved(tmp_path / card.method, card), ModelRole.ASSIGNER)
        assert loaded.card == card
        assert loaded.network.config == card.network


def test_the_same_weights_give_the_same_logits_after_loading(tmp_path: Path) -> None:
    loaded = load_checkpoint(saved(tmp_path / "p", PRUNER), ModelRole.ASSIGNER)
    again = load_checkpoint(tmp_path / "p", ModelRole.ASSIGNER)
    inputs = torch.randn((2, 4, 4, 16, 16))
    assert torch.equal(loaded.network(inputs), again.network(inputs))


def test_a_pair_classifier_takes_over_an_association_networks_encoder(tmp_path: Path) -> None:
    start = load_checkpoint(saved(tmp_path / "avan", AVAN), ModelRole.ASSIGNER)
    network = build_network(PRUNER)
    head = network.last.weight.detach().clone()
    take_over(network, PRUNER.method, start)
    inputs = torch.randn((1, 4, 4, 16, 16))
    assert torch.allclose(network.first(inputs), start.network.first(inputs[:, :2]), atol=1e-6)
    assert torch.equal(network.down[1].conv2.weight, start.network.down[1].conv2.weight)
    assert torch.equal(network.last.weight, head)


def test_weights_of_another_shape_or_direction_are_refused(tmp_path: Path) -> None:
    avan = load_checkpoint(saved(tmp_path / "avan", AVAN), ModelRole.ASSIGNER)
    pruner = load_checkpoint(saved(tmp_path / "pruner", PRUNER), ModelRole.ASSIGNER)
    with pytest.raises(CheckpointError, match="has widths"):
        take_over(build_network(replace(PRUNER, network=PairConfig(widths=(4, 8)))), PRUNER.method, avan)
    with pytest.raises(CheckpointError, match="don't fit"):
        take_over(build_network(AVAN), AVAN.method, pruner)
