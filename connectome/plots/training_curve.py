"""The course of a training: loss and learning rate over steps, and what was measured on held-out data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from connectome.plots.figure import COLOURS, panels, save

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True, kw_only=True)
class TrainingCurve:
    """The curves to draw.

    Attributes:
        title: the model's name and what it is.
        losses, rates: the loss and the learning rate of steps, as (step, value).
        metrics: what was measured at steps on the validation data, by name; all in [0, 1].
        kept_step: the step whose weights were kept.
    """

    title: str
    losses: Points
    rates: Points
    metrics: Mapping[str, Points]
    kept_step: int | None = None


def draw_training_curve(curve: TrainingCurve, path: Path) -> None:
    """Write the curve as PNG: the losses and their running mean, the rate, and the metrics beside them.

    Raises:
        StorageError: it can't be written.
    """
    figure, axes = panels(2 if curve.metrics else 1)
    figure.suptitle(curve.title, fontsize=10)
    _draw_losses(axes[0], curve)
    if curve.metrics:
        _draw_metrics(axes[1], curve)
    save(figure, path)


def running_mean(values: Sequence[float], width: int) -> list[float]:
    """The mean of each value and up to `width - 1` before it."""
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, np.float64))])
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - width, 0)
    return [float(mean) for mean in (sums[stop] - sums[start]) / (stop - start)]


def _draw_losses(axes: Axes, curve: TrainingCurve) -> None:
    steps, losses = [step for step, _ in curve.losses], [loss for _, loss in curve.losses]
    axes.plot(steps, losses, linewidth=0.4, alpha=0.4, color=COLOURS[0])
    axes.plot(steps, running_mean(losses, max(len(losses) // 50, 1)), linewidth=1.5, color=COLOURS[0], label="loss")
    axes.set_xlabel("step", fontsize=9)
    axes.set_ylabel("loss", fontsize=9, color=COLOURS[0])
    axes.set_ylim(bottom=0)
    right = axes.twinx()
    right.spines["top"].set_visible(False)
    right.plot([step for step, _ in curve.rates], [rate for _, rate in curve.rates], linewidth=1, color=COLOURS[4])
    right.set_ylabel("learning rate", fontsize=9, color=COLOURS[4])
    right.tick_params(labelsize=8)
    right.set_ylim(bottom=0)


def _draw_metrics(axes: Axes, curve: TrainingCurve) -> None:
    for name, points in curve.metrics.items():
        axes.plot(
            [step for step, _ in points],
            [value for _, value in points],
            marker="o",
            markersize=3,
            label=name.replace("_", " "),
        )
    if curve.kept_step is not None:
        axes.axvline(curve.kept_step, color="grey", linewidth=0.8, linestyle=":", label="kept")
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("step", fontsize=9)
    axes.set_ylabel("on validation data", fontsize=9)
    axes.legend(fontsize=8, frameon=False)
