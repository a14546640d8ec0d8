"""The course of a training: the loss and the learning rate of every step, and what was measured on the way."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from connectome.files import whole_text
from connectome.plots.training_curve import TrainingCurve

RECENT = 200


@dataclass(kw_only=True)
class History:
    """What happened so far.

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
