"""The figures of a report: SVG whose text and lines take the page's colour, and pictures of synapses as PNG."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from connectome.plots.figure import COLOURS

INK = "#010203"
"""Stands for the colour of the page's text: the page is dark or light, the figure follows."""
TILE_INCHES, TILE_DPI = 1.6, 130
CLEFT, PRE, POST = "#ff2a2a", "#ffb000", "#3fa0ff"


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of bins.

    Attributes:
        edges: float64 (n + 1,), ascending. counts: int64 (n,).
        label: of the horizontal axis, with its unit.
        counted: what is counted, for the vertical axis.
        logarithmic: whether the horizontal axis is.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    label: str
    counted: str
    logarithmic: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section of a volume around a point.

    Attributes:
        image: uint8 or uint16 (y, x). labels: uint64 (y, x), on a grid of their own. clefts: the same, of the clefts.
        image_nm, labels_nm, clefts_nm: what each covers, (x start, x stop, y stop, y start) in nm.
        grey: the values that are black and white.
    """

    image: NDArray[np.generic]
    labels: NDArray[np.uint64]
    clefts: NDArray[np.uint64]
    image_nm: tuple[float, float, float, float]
    labels_nm: tuple[float, float, float, float]
    clefts_nm: tuple[float, float, float, float]
    grey: tuple[float, float]


def histogram_svg(histogram: Histogram) -> str:
    """A histogram as an SVG element."""
    figure = Figure(figsize=(4.2, 2.4), layout="constrained")
    axes = figure.add_subplot()
    axes.stairs(histogram.counts, histogram.edges, fill=True, color=COLOURS[0])
    axes.set_xlabel(histogram.label)
    axes.set_ylabel(histogram.counted)
    if histogram.logarithmic:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.spines[["top", "right"]].set_visible(False)
    return _svg(figure)


def matrix_svg(counts: NDArray[np.int64], ids: Sequence[int]) -> str:
    """Synapses among neurons, int64 (pre, post), as an SVG element; a darker square is more synapses."""
    side = max(2.5, 0.22 * len(ids) + 1.2)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    shown = np.ma.masked_equal(counts, 0)
    axes.pcolormesh(shown, cmap="viridis_r", vmin=1, vmax=max(int(counts.max(initial=1)), 2), edgecolors="none")
    places = np.arange(len(ids)) + 0.5
    axes.set_xticks(places, [str(one) for one in ids], rotation=90)
    axes.set_yticks(places, [str(one) for one in ids])
    axes.invert_yaxis()
    axes.set_xlabel("postsynaptic")
    axes.set_ylabel("presynaptic")
    axes.set_aspect("equal")
    return _svg(figure)


def section_png(section: Section, cleft_id: int | None, pre: int, post: int) -> bytes:
    """A section with a cleft, its presynaptic and its postsynaptic segment outlined: PNG."""
    figure = Figure(figsize=(TILE_INCHES, TILE_INCHES), dpi=TILE_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    low, high = section.grey
    axes.imshow(section.image, cmap="gray", vmin=low, vmax=high, extent=section.image_nm, interpolation="bilinear")
    _outline(axes, section.labels == np.uint64(pre), section.labels_nm, PRE)
    _outline(axes, section.labels == np.uint64(post), section.labels_nm, POST)
    if cleft_id is not None:
        _outline(axes, section.clefts == np.uint64(cleft_id), section.clefts_nm, CLEFT)
    left, right, bottom, top = section.image_nm
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _outline(axes: Axes, mask: NDArray[np.bool_], extent: tuple[float, float, float, float], colour: str) -> None:
    """The border of a mask (y, x); its rows begin at the top, so y runs downwards in nm."""
    if not mask.any() or mask.all():
        return
    left, right, bottom, top = extent
    height, width = mask.shape
    x = left + (np.arange(width) + 0.5) * (right - left) / width
    y = top + (np.arange(height) + 0.5) * (bottom - top) / height
    if min(mask.shape) > 1:
        axes.contour(x, y, mask.astype(np.float32), levels=[0.5], colors=[colour], linewidths=1.1)


def _svg(figure: Figure) -> str:
    settings: Any = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    )
    for axes in figure.axes:
        axes.tick_params(colors=INK, labelsize=8)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
        axes.patch.set_alpha(0)
        for spine in axes.spines.values():
            spine.set_edgecolor(INK)
    out = io.StringIO()
    with rc_context({**settings, "svg.fonttype": "none", "svg.hashsalt": "connectome"}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return re.sub(r"(?s)^.*?(?=<svg)", "", text).replace(INK, "currentColor")
