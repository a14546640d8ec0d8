"""Checkpoints on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from connectome.errors import CheckpointError, StorageError
from connectome.networks.architecture import NetworkConfig, RSUNet, initialise
from connectome.networks.checkpoint import Method, ModelCard, ModelRole, load_checkpoint, read_card, save_checkpoint

CARD = ModelCard(
    name="small",
    method=Method.MASK,
    network=NetworkConfig(in_channels=1, out_channels=1, widths=(4, 6)),
    resolution_nm=(30.0, 12.0, 12.0),
    patch_shape=(4, 16, 16),
    parameters={"threshold": 0.4},
    training={"steps": 3},
    metrics={"f1": 0.5},
)


@pytest.fixture
def network() -> RSUNet:
    network = RSUNet(CARD.network)
    initialise(network, 0)
    return network.eval()


def test_a_saved_checkpoint_comes_back_with_its_card_and_its_weights(tmp_path: Path, network: RSUNet) -> None:
    path = tmp_path / "deep" / "model.safetensors"
    save_checkpoint(path, CARD, network)
    loaded = load_checkpoint(path, ModelRole.DETECTOR)
    image = torch.randn((1, 1, 4, 16, 16))
    assert loaded.card == CARD
    assert torch.allclose(loaded.network(image), network(image), atol=1e-6)
    assert len(loaded.sha256) == 64
    assert [file.name for file in path.parent.iterdir()] == ["model.safetensors"]


def test_a_checkpoint_of_the_other_role_is_refused(tmp_path: Path, network: RSUNet) -> None:
    save_checkpoint(tmp_path / "model", CARD, network)
    with pytest.raises(CheckpointError, match="is a checkpoint of detector 'small', where one of assigner"):
        load_checkpoint(tmp_path / "model", ModelRole.ASSIGNER)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a model")
    save_file({"a": torch.zeros(2)}, tmp_path / "bare")
    for name in ("text", "bare"):
        with pytest.raises(CheckpointError, match="is not a checkpoint"):
            read_card(tmp_path / name)
    with pytest.raises(CheckpointError, match="doesn't exist"):
        read_card(tmp_path / "none")


def test_weights_that_do_not_fit_the_card_are_refused(tmp_path: Path, network: RSUNet) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "other", metadata={"connectome": CARD.to_json()})
    with pytest.raises(CheckpointError, match="don't fit"):
        load_checkpoint(tmp_path / "other", ModelRole.DETECTOR)


def test_a_checkpoint_that_can_not_be_written_is_a_storage_error(tmp_path: Path, network: RSUNet) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be written"):
        save_checkpoint(tmp_path / "file" / "model", CARD, network)
