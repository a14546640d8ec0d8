"""The script that makes a checkpoint one that ships."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connectome.networks.architecture import NetworkConfig, RSUNet, initialise
from connectome.networks.checkpoint import Method, ModelCard, ModelRole, load_checkpoint, save_checkpoint
from connectome.networks.inspection import fingerprint, largest_difference, sha256_of
from connectome.weights.manifest import shipped_models

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ship_weights.py"


def ship(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--folder", str(folder), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    config = NetworkConfig(in_channels=1, out_channels=1, widths=(4, 6))
    network = RSUNet(config)
    initialise(network, 2)
    card = ModelCard(
        name="trained",
        method=Method.STDT,
        network=config,
        resolution_nm=(30.0, 12.0, 12.0),
        patch_shape=(4, 16, 16),
        parameters={"threshold": 0.5},
        metrics={"loss": 0.25, "voxel_f1": 0.5},
        training={"steps": 9, "sources": [{"data": "x", "synapses": 3}, {"data": "y", "weight": 2.0}]},
    )
    save_checkpoint(tmp_path / "trained.safetensors", card, network)
    (tmp_path / "trained.png").write_bytes(b"a picture")
    rows = "\n".join(f"{step},{1 / (step + 1):.3f}" for step in range(100))
    (tmp_path / "trained.csv").write_text(f"step,loss\n{rows}\n")
    return tmp_path / "trained.safetensors"


@pytest.mark.slow
def test_a_checkpoint_gets_its_name_its_card_and_its_row_in_the_manifest(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    done = ship(
        folder,
        trained,
        "--name",
        "stdt",
        "--parameter",
        "threshold=0.7",
        "--metric",
        "edge F1=0.875",
        "--main-metric",
        "edge F1",
        "--note",
        "What it does.",
        "--limit",
        "Where it fails.",
        "--curve",
        trained.with_suffix(".png"),
        "--history",
        trained.with_suffix(".csv"),
    )
    assert done.returncode == 0, done.stderr
    loaded = load_checkpoint(folder / "stdt.safetensors", ModelRole.DETECTOR)
    assert (loaded.card.name, loaded.card.parameters) == ("stdt", {"threshold": 0.7})
    assert loaded.card.metrics == {"loss": 0.25, "voxel_f1": 0.5, "edge F1": 0.875}
    entry = shipped_models(folder)["stdt"]
    assert (entry.method, entry.main_metric, entry.sha256) == ("stdt", "edge F1", sha256_of(entry.path))
    assert largest_difference(entry.fingerprint, fingerprint(loaded)) < 1e-5
    text = (folder / "stdt.md").read_text()
    for part in ("What it does.", "Where it fails.", "(stdt.png)", "| 99 | 0.010 |", "| edge F1 | 0.875 |", "| y |"):
        assert part in text
    assert (folder / "stdt.png").read_bytes() == b"a picture"

    before = (folder / "stdt.safetensors").read_bytes()
    assert ship(folder, folder / "stdt.safetensors", "--name", "stdt", "--note", "Another note.").returncode == 0
    assert (folder / "stdt.safetensors").read_bytes() == before
    assert "Another note." in (folder / "stdt.md").read_text()
    (folder / "models.toml").unlink()
    assert ship(folder).returncode == 0
    assert shipped_models(folder)["stdt"].sha256 == entry.sha256


@pytest.mark.slow
def test_a_main_metric_that_was_not_measured_is_refused(trained: Path, tmp_path: Path) -> None:
    done = ship(tmp_path / "weights", trained, "--name", "stdt", "--main-metric", "none")
    assert done.returncode == 1
    assert "the card has loss, voxel_f1" in done.stderr
    assert not (tmp_path / "weights").exists()
