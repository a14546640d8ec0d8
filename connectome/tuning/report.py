"""What tuning found, as text, JSON and files."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from connectome.files import whole_text
from connectome.pipeline.request import BuildRequest
from connectome.plots.tuning import Surface, draw_precision_recall, draw_surfaces
from connectome.tuning.config_text import config_text
from connectome.tuning.grid import AXES, f1_of, precision_recall
from connectome.tuning.tune import Tuning

BEST_SHOWN = 10
HEADS = {
    "threshold": "threshold",
    "min_size_voxels": "min size",
    "dilation_nm": "dilation",
    "duplicate_distance_nm": "duplicates",
    "min_score": "min score",
    "min_contact": "min contact",
    "pre_threshold": "pre",
    "post_threshold": "post",
}


def tuning_text(tuning: Tuning) -> str:
    """The chosen parameters, their scores on each volume, and the best cells, for a person."""
    cells = int(np.prod(tuning.tuned.grid.shape))
    lines = [f"chosen of {cells:,} combinations, mean F1 {tuning.f1:.3f}"]
    lines += [f"  {HEADS[axis]:<11} {getattr(tuning.cell, axis):g}" for axis in _axes(tuning)]
    precision, recall = precision_recall(tuning.chosen_counts)
    width = max(len(name) for name in tuning.names)
    lines.append(f"{'volume':<{width}}  precision  recall     F1  (true, false, missed)")
    for i, name in enumerate(tuning.names):
        true, predicted, annotated = tuning.chosen_counts[i].tolist()
        lines.append(
            f"{name:<{width}}  {precision[i]:9.3f}  {recall[i]:6.3f}  {f1_of(tuning.chosen_counts[i]):5.3f}  "
            f"({true}, {predicted - true}, {annotated - true})"
        )
    lines.append("best cells: " + ", ".join(HEADS[axis] for axis in _axes(tuning)) + ", mean F1, F1 of each volume")
    lines += ["  " + "  ".join(row) for row in _best(tuning)]
    return "\n".join(lines)


def tuning_json(tuning: Tuning) -> dict[str, Any]:
    """The same as plain values."""
    names = ("true_positives", "predicted", "annotated")
    return {
        "chosen": asdict(tuning.cell),
        "f1": tuning.f1,
        "combinations": int(np.prod(tuning.tuned.grid.shape)),
        "volumes": [
            {
                "name": name,
                "built_box": box,
                "weight": float(weight),
                "f1": float(f1_of(counts)),
                **dict(zip(names, counts.tolist(), strict=True)),
            }
            for name, box, weight, counts in zip(
                tuning.names, tuning.built_boxes, tuning.tuned.weights, tuning.chosen_counts, strict=True
            )
        ],
    }


def write_tuning(tuning: Tuning, build: BuildRequest, config: Path) -> list[Path]:
    """Write the parameters as TOML for `connectome build volume --config`, and beside it the table and two plots.

    Returns:
        The files: FILE.toml, FILE.csv (every combination), FILE-f1.png, FILE-curves.png.

    Raises:
        StorageError: one can't be written.
    """
    table, surface, curves = (config.with_name(config.stem + end) for end in (".csv", "-f1.png", "-curves.png"))
    heading = f"Tuned on {', '.join(tuning.names)}: mean edge F1 {tuning.f1:.3f}."
    with whole_text(config) as file:
        file.write(config_text(tuning.cell, build, heading))
    with whole_text(table) as file:
        file.write(_csv(tuning))
    shown = [(0, 1), (0, 4)] if "post_threshold" not in _axes(tuning) else [(0, 1), (5, 7), (6, 7)]
    draw_surfaces([_surface(tuning, *pair) for pair in shown], surface)
    precision, recall = precision_recall(tuning.chosen_counts.sum(0))
    named = {"threshold": tuning.over_threshold, "score": tuning.over_score}
    draw_precision_recall(named, (float(recall), float(precision)), curves)
    return [config, table, surface, curves]


def _axes(tuning: Tuning) -> list[str]:
    """The parameters that were tried; what the assigner recommends isn't one."""
    return [axis for axis in AXES if getattr(tuning.cell, axis) is not None]


def _best(tuning: Tuning) -> list[list[str]]:
    f1 = tuning.tuned.f1
    order = np.argsort(-f1.ravel(), kind="stable")[:BEST_SHOWN]
    rows = []
    for flat in order:
        index = tuple(int(i) for i in np.unravel_index(flat, f1.shape))
        cell = tuning.tuned.grid.cell(index)
        values = [f"{getattr(cell, axis):>5g}" for axis in _axes(tuning)]
        own = f1_of(tuning.tuned.counts_at(index))
        rows.append([*values, f"{f1[index]:.3f}", " ".join(f"{one:.3f}" for one in own)])
    return rows


def _csv(tuning: Tuning) -> str:
    """A row a cell: parameters, mean F1, and for each volume true positives, predicted, annotated."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("true_positives", "predicted", "annotated")
    writer.writerow([*AXES, "mean_f1", *(f"{name} {kind}" for name in tuning.names for kind in kinds)])
    f1 = tuning.tuned.f1
    for index in tuning.tuned.grid:
        counts = tuning.tuned.counts_at(index).ravel().tolist()
        writer.writerow([*asdict(tuning.tuned.grid.cell(index)).values(), f"{f1[index]:.6f}", *counts])
    return text.getvalue()


def _surface(tuning: Tuning, rows: int, columns: int) -> Surface:
    """F1 over two axes through the chosen cell."""
    chosen = tuning.tuned.chosen()
    index = tuple(slice(None) if axis in (rows, columns) else i for axis, i in enumerate(chosen))
    grid = tuning.tuned.grid
    return Surface(
        rows=HEADS[AXES[rows]],
        columns=HEADS[AXES[columns]],
        row_values=getattr(grid, AXES[rows]),
        column_values=getattr(grid, AXES[columns]),
        f1=tuning.tuned.f1[index],
        chosen=(chosen[rows], chosen[columns]),
    )
