"""The detector on tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from connectome.clefts.predict import CleftPredictor
from connectome.networks.architecture import NetworkConfig, RSUNet, initialise
from connectome.networks.checkpoint import Checkpoint, Method, ModelCard, ModelRole, load_checkpoint, save_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    config = NetworkConfig(in_channels=1, out_channels=1, widths=(4, 6))
    network = RSUNet(config)
    initialise(network, 3)
    card = ModelCard(
        name="d", method=Method.MASK, network=config, resolution_nm=(30.0, 12.0, 12.0), patch_shape=(4, 16, 16)
    )
    save_checkpoint(tmp_path / "d", card, network)
    return load_checkpoint(tmp_path / "d", ModelRole.DETECTOR)


def test_predictions_are_the_networks_probabilities_in_255_steps(checkpoint: Checkpoint) -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (2, 4, 16, 16)).astype(np.uint8)
    found = CleftPredictor(checkpoint, torch.device("cpu")).predict(tiles)
    grey = (torch.from_numpy(tiles).float() / 255 - 0.52) / 0.16
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        wanted = torch.sigmoid(checkpoint.network(grey[:, None]).float())[:, 0] * 255
    assert found.dtype == np.uint8
    assert np.abs(found.astype(float) - wanted.numpy()).mean() < 0.5


def test_sixteen_bit_images_predict_like_eight_bit_ones(checkpoint: Checkpoint) -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (1, 4, 16, 16)).astype(np.uint8)
    predictor = CleftPredictor(checkpoint, torch.device("cpu"))
    narrow, wide = predictor.predict(tiles), predictor.predict(tiles.astype(np.uint16) * 257)
    assert np.abs(narrow.astype(int) - wide.astype(int)).max() <= 2
