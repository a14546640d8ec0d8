"""The models of a build: shipped by default, or a path."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from connectome.networks.checkpoint import Checkpoint, ModelRole, load_checkpoint

DEFAULTS = {ModelRole.DETECTOR: "mask.safetensors", ModelRole.ASSIGNER: "avan.safetensors"}


def model_path(role: ModelRole, path: str | None) -> Path:
    """The checkpoint file to use: the given one, else the one that ships."""
    if path is not None:
        return Path(path).expanduser()
    return Path(str(files("connectome.weights"))) / DEFAULTS[role]


def load_model(role: ModelRole, path: str | None) -> Checkpoint:
    """Load a model.

    Raises:
        CheckpointError: no such file, or no checkpoint of this role.
    """
    return load_checkpoint(model_path(role, path), role)
