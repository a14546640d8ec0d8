"""The manifest of what ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectome.errors import CheckpointError, StorageError
from connectome.weights.manifest import MANIFEST, ShippedModel, shipped_models, weights_folder, write_manifest


def model(folder: Path, name: str, main_metric: str | None = None) -> ShippedModel:
    return ShippedModel(
        folder=folder, name=name, method="mask", sha256="ab" * 32, main_metric=main_metric, fingerprint=(0.5, -1.25)
    )


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    models = [model(tmp_path, "mask-pruner", 'F1 "edges", 95 %'), model(tmp_path, "a")]
    write_manifest(models, tmp_path)
    assert list(shipped_models(tmp_path).values()) == models


def test_every_file_of_weights_is_in_the_manifest_and_has_a_card() -> None:
    folder, models = weights_folder(), shipped_models()
    assert {"mask", "avan"} <= set(models)
    assert {path.stem for path in folder.glob("*.safetensors")} == set(models)
    assert all(shipped.card_path.read_text().startswith(f"# {name}\n") for name, shipped in models.items())


@pytest.mark.parametrize("text", [None, "[a]\nmethod = 'mask'\n", "a = 1\n", "[a\n"])
def test_a_missing_or_malformed_manifest_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(CheckpointError, match=r"models\.toml can't be read: install connectome again"):
        shipped_models(tmp_path)


def test_a_manifest_that_can_not_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="can't be written"):
        write_manifest([], tmp_path / "none")
