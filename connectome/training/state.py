"""A training's state on disk, from which it goes on exactly."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from connectome.errors import CheckpointError, ConfigError
from connectome.files import whole_file
from connectome.networks.checkpoint import Method
from connectome.training.recipe import Recipe

FORMAT = "connectome-training-1"
FREE = ("output", "name", "device", "save_every", "begin", "parameters", "unpaired")
"""Fields of a recipe that no loss depends on: they may differ when a training goes on."""


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """Where a training is.

    Attributes:
        recipe: what the losses depend on (see `fingerprint`).
        steps: how many were taken; samples follow from the seed and the step.
        trainer: network, averaged copy, optimiser.
        generator: of torch on the CPU, uint8.
        history: see `history.History`.
        kept: the model card, as JSON, of the weights that were kept, and what ranked them; None: none yet.
    """

    recipe: dict[str, Any]
    steps: int
    trainer: dict[str, Any]
    generator: torch.Tensor
    history: dict[str, Any]
    kept: dict[str, Any] | None


def fingerprint(method: Method, recipe: Recipe) -> dict[str, Any]:
    """What the losses of a training depend on, as plain values."""
    values = {name: value for name, value in asdict(recipe).items() if name not in FREE}
    plain: dict[str, Any] = json.loads(json.dumps({"method": method.value} | values, default=str))
    return plain


def save_state(path: Path, state: TrainingState) -> None:
    """Write a state; the file appears whole or not at all.

    Raises:
        StorageError: it can't be written.
    """
    values = {name: getattr(state, name) for name in state.__dataclass_fields__}
    with whole_file(path) as file:
        torch.save({"format": FORMAT} | values, file)


def load_state(path: Path, expected: dict[str, Any]) -> TrainingState:
    """Read a state of the training that `expected` (see `fingerprint`) describes.

    Raises:
        CheckpointError: the file is no state. ConfigError: it is another training's.
    """
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
        if values.pop("format") != FORMAT:
            raise ValueError("another format")
        state = TrainingState(**values)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} isn't the state of a training: begin anew with --restart") from error
    keys = sorted(expected.keys() | state.recipe.keys())
    different = [key for key in keys if state.recipe.get(key) != expected.get(key)]
    if different:
        raise ConfigError(
            f"{path} is the state of another training (different: {', '.join(different)}): give the options it was "
            "begun with to go on, another --output, or --restart to forget it"
        )
    return state
