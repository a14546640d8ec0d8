"""Graphs as figures: the matrix of adjacency, distributions, a neuron's partners, the profile of motifs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from numpy.typing import NDArray

from connectome.plots.figure import COLOURS, panels, save

LEAST_SHARE = 0.012  # of the axis, for a group to be named on it
NAMED = 22
UNCONNECTED = ("003", "012", "102")  # triads of which a neuron has no part: their z mirrors that of all others


def draw_adjacency(
    pre: NDArray[np.int64],
    post: NDArray[np.int64],
    counts: NDArray[np.int64],
    groups: Sequence[str],
    path: Path,
    *,
    title: str,
) -> None:
    """The matrix of synapses, rows presynaptic, neurons in blocks of one group each, large groups first.

    Args:
        pre: int64 (m,), places in `groups`.
        post: likewise.
        counts: int64 (m,), synapses of each edge.
        groups: the type or community of each neuron; empty: none.
        path: SVG, PDF or PNG.
        title: what it shows.

    Raises:
        StorageError: it can't be written.
    """
    names, of, sizes = np.unique(np.array(groups, str), return_inverse=True, return_counts=True)
    ranked = np.lexsort((names, -sizes, names == ""))
    rank = np.empty(len(names), np.int64)
    rank[ranked] = np.arange(len(names))
    size = len(groups)
    place = np.empty(size, np.int64)
    place[np.lexsort((np.arange(size), rank[of]))] = np.arange(size)
    figure, (axes,) = panels(1, width=9.0, height=8.2)
    figure.suptitle(title, fontsize=11)
    mark = max(0.15, 40_000 / max(size, 100) ** 1.55)
    order = np.argsort(counts, kind="stable")  # strong edges on top
    drawn = axes.scatter(
        place[post][order],
        place[pre][order],
        c=counts[order],
        s=mark,
        marker="s",
        linewidths=0,
        cmap="viridis_r",
        norm=LogNorm(1, max(int(counts.max(initial=2)), 2)),
        rasterized=True,  # hundreds of thousands of squares as vectors would open in no editor
    )
    edges = np.concatenate([[0], np.cumsum(sizes[ranked])])
    _name_groups(axes, [names[i] or "none" for i in ranked], edges, size)
    axes.set_xlim(-0.5, max(size, 1) - 0.5)
    axes.set_ylim(max(size, 1) - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.set_xlabel("postsynaptic neuron", fontsize=10)
    axes.set_ylabel("presynaptic neuron", fontsize=10)
    figure.colorbar(drawn, ax=axes, shrink=0.6, pad=0.02).set_label("synapses", fontsize=9)
    save(figure, path)


def _name_groups(axes: Axes, names: Sequence[str], edges: NDArray[np.int64], size: int) -> None:
    """Lines between groups, and the names of those that are large enough to read one."""
    for edge in edges[1:-1]:
        for line in (axes.axhline, axes.axvline):
            line(edge - 0.5, color="black", linewidth=0.3, alpha=0.5)
    middle = (edges[:-1] + edges[1:] - 1) / 2
    shown = [i for i in range(len(names)) if edges[i + 1] - edges[i] >= LEAST_SHARE * size]
    texts = [names[i] if len(names[i]) <= NAMED else f"{names[i][: NAMED - 1]}…" for i in shown]
    axes.set_xticks(middle[shown], texts, rotation=90, fontsize=7)
    axes.set_yticks(middle[shown], texts, fontsize=7)
    axes.tick_params(length=2)


def draw_distributions(values: Mapping[str, Mapping[str, NDArray[np.int64]]], path: Path, *, title: str) -> None:
    """The share of neurons or edges that have at least so many, one panel each.

    Args:
        values: axis label -> name of a line -> int64, whole numbers from 0.
        path: SVG, PDF or PNG.
        title: what it shows.

    Raises:
        StorageError: it can't be written.
    """
    figure, axes = panels(len(values), width=4.2, height=3.6)
    figure.suptitle(title, fontsize=11)
    for one, (label, lines) in zip(axes, values.items(), strict=True):
        for name, numbers in lines.items():
            known = np.sort(numbers[numbers > 0])
            levels, first = np.unique(known, return_index=True)
            one.step(levels, (len(known) - first) / max(len(numbers), 1), where="pre", linewidth=1.5, label=name)
        if any(numbers.max(initial=0) > 0 for numbers in lines.values()):
            one.set_xscale("log")
            one.set_yscale("log")
        one.set_xlabel(label, fontsize=9)
        one.set_ylabel("share with at least so many", fontsize=9)
        if len(lines) > 1:
            one.legend(fontsize=8, frameon=False)
        one.grid(True, which="major", linewidth=0.3, alpha=0.5)
    save(figure, path)


def draw_partners(sides: Mapping[str, Sequence[tuple[str, str, int]]], path: Path, *, title: str) -> None:
    """The strongest partners of a neuron as bars, coloured by their type.

    Args:
        sides: a panel each: name -> (partner, its type or empty, synapses), the strongest first.
        path: SVG, PDF or PNG.
        title: what it shows.

    Raises:
        StorageError: it can't be written.
    """
    rows = max((len(bars) for bars in sides.values()), default=1)
    figure, axes = panels(len(sides), width=5.2, height=1.1 + 0.2 * max(rows, 4))
    figure.suptitle(title, fontsize=11)
    totals: dict[str, int] = {}
    for bars in sides.values():
        for _, kind, count in bars:
            totals[kind] = totals.get(kind, 0) + count
    named = [kind for kind in sorted(totals, key=lambda kind: (-totals[kind], kind)) if kind]
    colours = dict(zip(named, COLOURS[:-1], strict=False))
    for one, (side, bars) in zip(axes, sides.items(), strict=True):
        places = range(len(bars))
        one.barh(places, [count for *_, count in bars], color=[colours.get(kind, "0.6") for _, kind, _ in bars])
        texts = [name if len(name) <= NAMED else f"{name[: NAMED - 1]}…" for name, *_ in bars]
        one.set_yticks(places, texts, fontsize=7)
        one.invert_yaxis()
        one.set_xlabel("synapses", fontsize=9)
        one.set_title(side, fontsize=10)
    used = {
        kind: colour
        for kind, colour in colours.items()
        if any(kind == k for bars in sides.values() for _, k, _ in bars)
    }
    if used:
        handles = [axes[-1].barh([0], [0], color=colour) for colour in used.values()]
        axes[-1].legend(handles, list(used), fontsize=7, frameon=False, loc="lower right")
    save(figure, path)


def draw_motifs(
    triads: Sequence[str], shapes: Sequence[str], z: Sequence[float | None], path: Path, *, title: str
) -> None:
    """The profile of motifs: z scores normalised to length 1 (Milo et al. 2004), and as they are, in figures.

    Args:
        triads: names of the triads.
        shapes: how each connects A, B and C.
        z: against rewired networks; None: not known.
        path: SVG, PDF or PNG.
        title: what it shows.

    Raises:
        StorageError: it can't be written.
    """
    rows = [row for row in zip(triads, shapes, z, strict=True) if row[0] not in UNCONNECTED]
    values = np.array([0.0 if score is None else score for *_, score in rows])
    length = float(np.linalg.norm(values))
    profile = values / length if length else values
    figure, (axes,) = panels(1, width=7.5, height=4.6)
    figure.suptitle(title, fontsize=11)
    axes.bar(range(len(rows)), profile, color=[COLOURS[0] if value >= 0 else COLOURS[1] for value in profile])
    axes.axhline(0, color="black", linewidth=0.6)
    for i, (value, (*_, score)) in enumerate(zip(profile, rows, strict=True)):
        text = "-" if score is None else f"{score:+.0f}"
        axes.annotate(
            text,
            (i, value),
            (0, 3 if value >= 0 else -3),
            textcoords="offset points",
            fontsize=7,
            ha="center",
            va="bottom" if value >= 0 else "top",
        )
    axes.set_xticks(range(len(rows)), [f"{name}  {shape}" for name, shape, _ in rows], rotation=90, fontsize=7)
    axes.margins(y=0.15)
    axes.set_ylabel("normalised z score", fontsize=9)
    save(figure, path)
