"""One style for all figures, and writing them. No pyplot: a figure belongs to who made it, there is no global state."""

from __future__ import annotations

from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from connectome.files import whole_file

DOTS_PER_INCH = 150
DOTS_PER_INCH_INSIDE = 300  # of what is drawn as pixels inside a vector figure
UNDATED = {"png": "Software", "svg": "Date", "pdf": "CreationDate"}
"""What each kind of file would say of the day and the version that made it."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's palette (2008), which colour-blind people can tell apart."""


def panels(count: int, *, width: float = 4.5, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels side by side, each `width` by `height` inches."""
    figure = Figure(figsize=(width * count, height), layout="constrained")
    axes = [figure.add_subplot(1, count, place + 1) for place in range(count)]
    for one in axes:
        one.set_prop_cycle(color=COLOURS)
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    """Write a figure as its name says: SVG, PDF, otherwise PNG; the same figure gives the same bytes.

    Raises:
        StorageError: it can't be written.
    """
    suffix = path.suffix.lower().removeprefix(".")
    kind = suffix if suffix in UNDATED else "png"
    with whole_file(path) as file, rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none"}):
        dots = DOTS_PER_INCH if kind == "png" else DOTS_PER_INCH_INSIDE
        figure.savefig(file, format=kind, dpi=dots, metadata={UNDATED[kind]: None})
