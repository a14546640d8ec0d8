"""The manifest beside the weights, by which a damaged or exchanged file is noticed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w

from connectome.errors import CheckpointError
from connectome.files import whole_text

MANIFEST = "models.toml"
HEAD = """\
# What ships, and how to know that it is whole: see `connectome models verify`. Written by benchmarks/ship_weights.py.

"""
FINGERPRINT_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class ShippedModel:
    """One model of the manifest.

    Attributes:
        name: how users call it; its files are NAME.safetensors, NAME.md and, if there is one, NAME.png (its curve).
        method: a `networks.checkpoint.Method`.
        sha256: of the weights' file, hexadecimal.
        main_metric: which of the card's metrics a list shows; None: none.
        fingerprint: what the network answers to a fixed input (see `networks.inspection`).
    """

    folder: Path
    name: str
    method: str
    sha256: str
    main_metric: str | None
    fingerprint: tuple[float, ...]

    @property
    def path(self) -> Path:
        """Its weights."""
        return self.folder / f"{self.name}.safetensors"

    @property
    def card_path(self) -> Path:
        """Its model card."""
        return self.folder / f"{self.name}.md"

    def to_values(self) -> dict[str, Any]:
        """Its table in the manifest."""
        metric = {} if self.main_metric is None else {"main_metric": self.main_metric}
        numbers = [round(value, FINGERPRINT_DECIMALS) for value in self.fingerprint]
        return {"method": self.method, "sha256": self.sha256} | metric | {"fingerprint": numbers}


def weights_folder() -> Path:
    """The folder of the shipped weights."""
    return Path(str(files("connectome.weights")))


def shipped_models(folder: Path | None = None) -> dict[str, ShippedModel]:
    """The models of a manifest by name, in its order; without a folder those that ship.

    Raises:
        CheckpointError: the manifest is missing or malformed.
    """
    folder = folder or weights_folder()
    path = folder / MANIFEST
    try:
        tables = tomllib.loads(path.read_text())
        return {
            name: ShippedModel(
                folder=folder,
                name=name,
                method=str(table["method"]),
                sha256=str(table["sha256"]),
                main_metric=table.get("main_metric"),
                fingerprint=tuple(map(float, table["fingerprint"])),
            )
            for name, table in tables.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"the list of shipped models {path} can't be read: install connectome again") from error


def write_manifest(models: Iterable[ShippedModel], folder: Path) -> None:
    """Write the manifest of a folder.

    Raises:
        StorageError: it can't be written.
    """
    with whole_text(folder / MANIFEST) as file:
        file.write(HEAD + tomli_w.dumps({model.name: model.to_values() for model in models}))
