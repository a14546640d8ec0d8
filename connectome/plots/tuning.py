"""Plots of the score over parameters: F1 over two of them, and precision against recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from connectome.plots.figure import COLOURS, panels, save


@dataclass(frozen=True, kw_only=True)
class Surface:
    """F1 over two parameters, the others as chosen.

    Attributes:
        rows, columns: names of the parameters. row_values, column_values: what was tried.
        f1: float (rows, columns). chosen: place of the chosen values.
    """

    rows: str
    columns: str
    row_values: Sequence[float]
    column_values: Sequence[float]
    f1: NDArray[np.float64]
    chosen: tuple[int, int]


class Curve(Protocol):
    """Precision and recall (n,) over the values (n,) of one parameter."""

    @property
    def values(self) -> NDArray[np.float64]: ...  # noqa: D102
    @property
    def precision(self) -> NDArray[np.float64]: ...  # noqa: D102
    @property
    def recall(self) -> NDArray[np.float64]: ...  # noqa: D102


def draw_surfaces(surfaces: Sequence[Surface], path: Path) -> None:
    """Write F1 surfaces side by side as PNG: the value in each cell, the chosen one framed.

    Raises:
        StorageError: it can't be written.
    """
    figure, axes = panels(len(surfaces), width=4.6, height=3.6)
    low = min(float(surface.f1.min()) for surface in surfaces)
    for one, surface in zip(axes, surfaces, strict=True):
        _draw_surface(one, surface, low)
    save(figure, path)


def draw_precision_recall(curves: Mapping[str, Curve], chosen: tuple[float, float], path: Path) -> None:
    """Write precision against recall as PNG.

    Args:
        curves: by the name of the parameter that varies along them.
        chosen: recall and precision of the chosen parameters.
        path: the file.

    Raises:
        StorageError: it can't be written.
    """
    figure, (axes,) = panels(1, width=4.6, height=3.8)
    _draw_f1_lines(axes)
    for name, curve in curves.items():
        axes.plot(curve.recall, curve.precision, marker="o", markersize=3, linewidth=1.2, label=f"over {name}")
        if len(curve.values) <= 10:
            for value, x, y in zip(curve.values, curve.recall, curve.precision, strict=True):
                axes.annotate(f"{value:g}", (x, y), fontsize=6, xytext=(3, 3), textcoords="offset points")
    axes.plot(*chosen, marker="*", markersize=13, color=COLOURS[6], linestyle="none", label="chosen")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("recall", fontsize=9)
    axes.set_ylabel("precision", fontsize=9)
    axes.legend(fontsize=8, frameon=False, loc="lower left")
    save(figure, path)


def _draw_surface(axes: Axes, surface: Surface, low: float) -> None:
    axes.imshow(surface.f1, cmap="viridis", vmin=low, vmax=1.0, aspect="auto", origin="lower")
    middle = (low + 1.0) / 2
    for (row, column), value in np.ndenumerate(surface.f1):
        colour = "white" if value < middle else "black"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=colour)
    row, column = surface.chosen
    axes.plot(column, row, marker="s", markersize=24, markerfacecolor="none", color=COLOURS[1], markeredgewidth=2)
    axes.set_xticks(range(len(surface.column_values)), [f"{value:g}" for value in surface.column_values])
    axes.set_yticks(range(len(surface.row_values)), [f"{value:g}" for value in surface.row_values])
    axes.set_xlabel(surface.columns, fontsize=9)
    axes.set_ylabel(surface.rows, fontsize=9)


def _draw_f1_lines(axes: Axes) -> None:
    """Thin lines of equal F1."""
    for f1 in (0.6, 0.7, 0.8, 0.9):
        recall = np.linspace(f1 / (2 - f1), 1, 100)
        axes.plot(recall, f1 * recall / (2 * recall - f1), linewidth=0.5, color="lightgrey", zorder=0)
        axes.annotate(f"F1 {f1:g}", (1.0, f1 / (2 - f1)), fontsize=6, color="grey", ha="right", va="bottom")
