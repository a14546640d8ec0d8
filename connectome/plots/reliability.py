"""Reliability diagrams: what confidences promise against what is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from matplotlib.axes import Axes

from connectome.plots.figure import COLOURS, panels, save


class Bin(Protocol):
    """Predictions of similar confidence: how many, their mean confidence, the share correct and its 95 % interval."""

    @property
    def n(self) -> int: ...  # noqa: D102
    @property
    def confidence(self) -> float: ...  # noqa: D102
    @property
    def accuracy(self) -> float: ...  # noqa: D102
    @property
    def interval(self) -> tuple[float, float]: ...  # noqa: D102


def draw_reliability(diagrams: Mapping[str, Sequence[Bin]], path: Path) -> None:
    """Write one diagram a panel as PNG, named by its key: the share correct over the mean confidence of each bin.

    Raises:
        StorageError: it can't be written.
    """
    figure, axes = panels(len(diagrams), width=3.8, height=3.8)
    for one, (name, points) in zip(axes, diagrams.items(), strict=True):
        _draw(one, name, points)
    save(figure, path)


def _draw(axes: Axes, name: str, points: Sequence[Bin]) -> None:
    axes.plot([0, 1], [0, 1], linewidth=0.8, linestyle=":", color="grey")
    x, y = [point.confidence for point in points], [point.accuracy for point in points]
    below = [max(point.accuracy - point.interval[0], 0.0) for point in points]
    above = [max(point.interval[1] - point.accuracy, 0.0) for point in points]
    axes.errorbar(x, y, yerr=[below, above], fmt="o-", markersize=4, linewidth=1, elinewidth=0.8, color=COLOURS[0])
    for point in points:
        axes.annotate(
            f"{point.n}",
            (point.confidence, point.accuracy),
            fontsize=6,
            color="grey",
            xytext=(4, -8),
            textcoords="offset points",
        )
    axes.set_title(name, fontsize=9)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("confidence", fontsize=9)
    axes.set_ylabel("share correct", fontsize=9)
