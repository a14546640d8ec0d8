"""Precision over recall: colour the detector, marker the assigner, lines of equal F1."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from paper import ASSIGNERS, DETECTORS

from connectome.plots.figure import COLOURS, panels, save

MARKERS = ("o", "s", "^", "D")
LEAST = 0.3  # of both axes


@dataclass(frozen=True, kw_only=True)
class Point:
    """One combination on one volume."""

    panel: str
    detector: str
    assigner: str
    precision: float
    recall: float


def draw(points: list[Point], path: Path) -> None:
    """Write a panel a volume as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(point.panel for point in points))
    figure, axes = panels(len(names))
    for axis, name in zip(axes, names, strict=True):
        _draw_f1_lines(axis)
        for point in points:
            if point.panel == name:
                axis.plot(
                    max(point.recall, LEAST),
                    max(point.precision, LEAST),
                    MARKERS[ASSIGNERS.index(point.assigner)],
                    color=COLOURS[DETECTORS.index(point.detector)],
                    label=f"{point.detector}, {point.assigner}",
                    alpha=0.8,
                    markersize=5,
                )
        axis.set(xlim=(LEAST, 1.01), ylim=(LEAST, 1.01), xlabel="recall", ylabel="precision", title=name)
    axes[-1].legend(fontsize=5, loc="lower left")
    save(figure, path)


def _draw_f1_lines(axis: Axes) -> None:
    for f1 in (0.5, 0.6, 0.7, 0.8, 0.9):
        recall = np.linspace(f1 / (2 - f1), 1, 100)
        axis.plot(recall, f1 * recall / (2 * recall - f1), color="0.85", linewidth=0.7, zorder=0)
        axis.text(1.005, f1 / (2 - f1), f"{f1:g}", fontsize=6, color="0.6", va="center")
