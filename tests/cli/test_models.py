"""`connectome models`: listing, showing, verifying."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from typer.testing import Result

from connectome.models import lookup as models
from connectome.models import registry
from connectome.models.lookup import find_model
from connectome.networks.checkpoint import read_card
from connectome.weights.manifest import MANIFEST, shipped_models, weights_folder

Cli = Callable[..., Result]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what ships, which the commands take for it."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in (MANIFEST, *(f"{model}.{suffix}" for model in shipped_models() for suffix in ("safetensors", "md"))):
        shutil.copy(weights_folder() / name, folder)
    for module in (models, registry):
        monkeypatch.setattr(module, "shipped_models", lambda: shipped_models(folder))
    return folder


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 5
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    for word in words:
        assert word in result.stderr


def test_the_list_has_every_shipped_model_with_what_it_is(cli: Cli) -> None:
    rows = json.loads(cli("models", "list", "--json").stdout)
    assert [row["name"] for row in rows] == list(shipped_models())
    mask = next(row for row in rows if row["name"] == "mask")
    card = read_card(find_model("mask"))
    assert (mask["role"], mask["method"], mask["shipped"]) == ("detector", "mask", True)
    assert mask["resolution_nm"] == list(card.resolution_nm)
    assert mask["value"] == card.metrics[mask["metric"]]
    assert mask["size_bytes"] < 5e6 and mask["parameters"] > 1e5
    text = cli("models", "list").stdout
    assert mask["sha256"][:12] in text and f"{mask['parameters']:,}" in text and mask["metric"] in text


def test_the_list_takes_checkpoints_and_folders_of_them(cli: Cli, tmp_path: Path) -> None:
    for name in ("b.safetensors", "a.safetensors"):
        shutil.copy(find_model("avan"), tmp_path / name)
    rows = json.loads(cli("models", "list", tmp_path, tmp_path / "b.safetensors", "--json").stdout)
    own = [Path(row["path"]).name for row in rows if not row["shipped"]]
    assert own == ["a.safetensors", "b.safetensors", "b.safetensors"]
    assert str(tmp_path / "a.safetensors") in cli("models", "list", tmp_path).stdout


def test_show_prints_the_card_and_as_json_all_that_the_checkpoint_says(cli: Cli) -> None:
    text = cli("models", "show", "mask").stdout
    for part in ("# mask", "## Data", "## Recipe", "## Metrics", "## Limits", "## Parameters", "SHA-256"):
        assert part in text
    found, card = json.loads(cli("models", "show", "mask", "--json").stdout), read_card(find_model("mask"))
    assert found["parameters_used"] == card.parameters
    assert found["metrics"] == card.metrics and found["training"] == card.training
    assert found["card"] in text


def test_a_checkpoint_without_a_card_beside_it_shows_what_it_carries(cli: Cli, tmp_path: Path) -> None:
    shutil.copy(find_model("avan"), tmp_path / "mine.safetensors")
    text = cli("models", "show", tmp_path / "mine.safetensors").stdout
    metrics = read_card(find_model("avan")).metrics
    assert "| method | avan |" in text and "## Data" in text
    assert metrics and all(f"| {name} |" in text for name in metrics)


def test_all_that_ships_verifies(cli: Cli) -> None:
    result = cli("models", "verify")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == len(shipped_models())
    found = json.loads(cli("models", "verify", "mask", "--json").stdout)
    assert found[0]["verified"] and found[0]["difference"] < 1e-4


def test_a_checkpoint_that_does_not_ship_must_load_and_answer(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "mine.safetensors"
    shutil.copy(find_model("mask"), mine)
    assert "it doesn't ship: nothing to compare" in cli("models", "verify", mine).stdout
    weights = load_file(mine)
    card = read_card(mine).to_json()
    save_file(weights | {"last.bias": weights["last.bias"] * float("nan")}, mine, metadata={"connectome": card})
    refused(cli("models", "verify", mine), "weights are NaN or infinite")
    del weights["last.bias"]
    save_file(weights, mine, metadata={"connectome": card})
    refused(cli("models", "verify", mine), "the weights don't fit")
    refused(cli("models", "verify", "mine"), "no model is named 'mine'")


def test_one_changed_byte_of_a_shipped_file_is_noticed(cli: Cli, shipped: Path) -> None:
    data = bytearray((shipped / "mask.safetensors").read_bytes())
    data[-3] ^= 1
    (shipped / "mask.safetensors").write_bytes(data)
    refused(cli("models", "verify"), "model 'mask'", "SHA-256", "as recorded: install connectome again")
    assert cli("models", "verify", "avan").exit_code == 0


def test_a_missing_card_and_missing_weights_are_noticed(cli: Cli, shipped: Path) -> None:
    (shipped / "avan.md").unlink()
    refused(cli("models", "verify", "avan"), "avan.md is missing")
    (shipped / "mask.safetensors").unlink()
    refused(cli("models", "verify", "mask"), "mask.safetensors is missing")


def test_another_answer_and_another_method_than_recorded_are_noticed(cli: Cli, shipped: Path) -> None:
    manifest = (shipped / MANIFEST).read_text()
    (shipped / MANIFEST).write_text(manifest.replace("fingerprint = [-", "fingerprint = [1"))
    refused(cli("models", "verify", "mask"), "doesn't answer the fixed input as recorded")
    (shipped / MANIFEST).write_text(manifest.replace('method = "mask"', 'method = "stdt"'))
    refused(cli("models", "verify", "mask"), "recorded is ('mask', 'stdt')")


def test_weights_that_are_too_large_to_ship_are_noticed(
    cli: Cli, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "LARGEST_BYTES", 1_000_000)
    refused(cli("models", "verify", "mask"), "less than 1,000,000 ship")
