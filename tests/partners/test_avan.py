"""Scores of candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from connectome.networks.architecture import NetworkConfig, RSUNet, initialise
from connectome.networks.checkpoint import Checkpoint, Method, ModelCard, ModelRole, load_checkpoint, save_checkpoint
from connectome.partners.avan import AvanAssigner
from connectome.partners.scores import Patch

SHAPE = (4, 16, 16)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    config = NetworkConfig(in_channels=2, out_channels=2, widths=(4, 6))
    network = RSUNet(config)
    initialise(network, 3)
    card = ModelCard(name="a", method=Method.AVAN, network=config, resolution_nm=(30.0, 12.0, 12.0), patch_shape=SHAPE)
    save_checkpoint(tmp_path / "a", card, network)
    return load_checkpoint(tmp_path / "a", ModelRole.ASSIGNER)


def make_patch(seed: int, ids: list[int]) -> Patch:
    generator = np.random.default_rng(seed)
    return Patch(
        image=generator.integers(0, 256, SHAPE).astype(np.uint8),
        mask=generator.random(SHAPE) < 0.1,
        segmentation=generator.choice(np.array([0, *ids, 99], np.uint64), SHAPE),
        segment_id=np.array(ids, np.uint64),
        eligible=np.ones(len(ids), bool),
    )


def test_a_score_is_the_mean_output_over_the_candidates_voxels(checkpoint: Checkpoint) -> None:
    patches = [make_patch(0, [3, 8, 2**62]), make_patch(1, []), make_patch(2, [5])]
    found = AvanAssigner(checkpoint.card, checkpoint.network, torch.device("cpu")).score(patches)
    for patch, scores in zip(patches, found, strict=True):
        grey = (torch.from_numpy(patch.image).float() / 255 - 0.52) / 0.16
        inputs = torch.stack([grey, torch.from_numpy(patch.mask).float()])[None]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            output = torch.sigmoid(checkpoint.network(inputs).float())[0].numpy()
        assert scores.roles.shape == (2, len(patch.segment_id))
        assert np.allclose(scores.pairs, scores.roles[0][:, None] + scores.roles[1])
        for i, segment in enumerate(patch.segment_id):
            wanted = output[:, patch.segmentation == segment].mean(1)
            assert np.allclose(scores.roles[:, i], wanted, atol=5e-3)


def test_a_batch_scores_like_its_patches_alone(checkpoint: Checkpoint) -> None:
    assigner = AvanAssigner(checkpoint.card, checkpoint.network, torch.device("cpu"))
    patches = [make_patch(seed, [3, 8]) for seed in range(5)]
    together = assigner.score(patches)
    for patch, scores in zip(patches, together, strict=True):
        assert np.allclose(assigner.score([patch])[0].roles, scores.roles, atol=1e-3)


def test_no_patches_give_no_scores(checkpoint: Checkpoint) -> None:
    assert AvanAssigner(checkpoint.card, checkpoint.network, torch.device("cpu")).score([]) == []
