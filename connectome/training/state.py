"""The state of a training: its history, and on disk all that it needs to go on exactly."""

from __future__ import annotations

import csv
import json
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from connectome.errors import CheckpointError, ConfigError
from connectome.files import whole_file, whole_text
from connectome.networks.checkpoint import Method
from connectome.plots.training_curve import TrainingCurve
from connectome.training.recipe import Recipe

RECENT = 200
"""Steps whose mean loss is told."""
FORMAT = "connectome-training-1"
FREE = ("output", "name", "device", "save_every", "begin", "parameters", "unpaired")
"""Fields of a recipe that no loss depends on: they may differ when a training goes on."""


@dataclass(kw_only=True)
class History:
    """The history of a training so far.

    Attributes:
        losses, rates: of each step taken.
        measured: steps taken -> metrics on the validation data.
    """

    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    measured: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def recent_loss(self) -> float:
        """The mean loss of the last 200 steps."""
        recent = self.losses[-RECENT:]
        return sum(recent) / max(len(recent), 1)

    def to_values(self) -> dict[str, Any]:
        """Plain values, for a state file."""
        return asdict(self)

    def write_csv(self, path: Path) -> None:
        """One row a step: step (from 1), loss, learning_rate, and a column a metric, empty where nothing was measured.

        Raises:
            StorageError: it can't be written.
        """
        metrics = list(dict.fromkeys(name for values in self.measured.values() for name in values))
        with whole_text(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["step", "loss", "learning_rate", *metrics])
            for step, (loss, rate) in enumerate(zip(self.losses, self.rates, strict=True), 1):
                values = self.measured.get(step, {})
                writer.writerow([step, repr(loss), repr(rate), *(values.get(name, "") for name in metrics)])

    def curve(self, title: str, shown: tuple[str, ...], kept_step: int | None) -> TrainingCurve:
        """What to draw of it; `shown`: the metrics."""
        return TrainingCurve(
            title=title,
            losses=list(enumerate(self.losses, 1)),
            rates=list(enumerate(self.rates, 1)),
            metrics={
                name: [(step, values[name]) for step, values in self.measured.items() if name in values]
                for name in shown
                if any(name in values for values in self.measured.values())
            },
            kept_step=kept_step,
        )


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """The state of a training.

    Attributes:
        recipe: what the losses depend on (see `fingerprint`).
        steps: how many were taken; samples follow from the seed and the step.
        trainer: network, averaged copy, optimiser.
        generator: of torch on the CPU, uint8.
        history: see `History`.
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
        raise CheckpointError(f"{path} isn't the state of a training", about="training_state") from error
    keys = sorted(expected.keys() | state.recipe.keys())
    different = [key for key in keys if state.recipe.get(key) != expected.get(key)]
    if different:
        raise ConfigError(
            f"{path} is the state of another training (different: {', '.join(different)})", about="other_training"
        )
    return state
