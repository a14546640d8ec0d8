"""Results of tuning as text, JSON and files, one of them the parameters as TOML that a build takes."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from connectome.files import whole_text
from connectome.pipeline.parameters import AXES, PARAMETERS
from connectome.pipeline.request import OPTIONS, BuildRequest
from connectome.plots.tuning import Surface, draw_precision_recall, draw_surfaces
from connectome.tuning.grid import Cell, f1_of, precision_recall
from connectome.tuning.tune import Tuning

BEST_SHOWN = 10
TUNED_MODELS = ("detector", "assigner", "direction")


def tuning_text(tuning: Tuning) -> str:
    """The chosen parameters, their scores on each volume, and the best cells, for a person."""
    cells = int(np.prod(tuning.tuned.grid.shape))
    lines = [f"chosen of {cells:,} combinations, mean F1 {tuning.f1:.3f}"]
    lines += [f"  {PARAMETERS[axis].words:<18} {tuning.cell[axis]:g}" for axis in _axes(tuning)]
    precision, recall = precision_recall(tuning.chosen_counts)
    width = max(len(name) for name in tuning.names)
    lines.append(f"{'volume':<{width}}  precision  recall     F1  (true, false, missed)")
    for i, name in enumerate(tuning.names):
        true, predicted, annotated = tuning.chosen_counts[i].tolist()
        lines.append(
            f"{name:<{width}}  {precision[i]:9.3f}  {recall[i]:6.3f}  {f1_of(tuning.chosen_counts[i]):5.3f}  "
            f"({true}, {predicted - true}, {annotated - true})"
        )
    heads = ", ".join(PARAMETERS[axis].words for axis in _axes(tuning))
    lines.append(f"best cells: {heads}, mean F1, F1 of each volume")
    lines += ["  " + "  ".join(row) for row in _best(tuning)]
    return "\n".join(lines)


def tuning_json(tuning: Tuning) -> dict[str, Any]:
    """The same as plain values."""
    names = ("true_positives", "predicted", "annotated")
    return {
        "chosen": {axis: tuning.cell.get(axis) for axis in AXES},
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
    """Write the parameters as TOML that a build reads as its configuration, and beside it the table and two plots.

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
    draw_surfaces([_surface(tuning, *pair) for pair in _plotted(tuning)], surface)
    precision, recall = precision_recall(tuning.chosen_counts.sum(0))
    named = {"threshold": tuning.over_threshold, "score": tuning.over_score}
    draw_precision_recall(named, (float(recall), float(precision)), curves)
    return [config, table, surface, curves]


def _axes(tuning: Tuning) -> list[str]:
    """The parameters that were tried; what the assigner recommends isn't one."""
    return [axis for axis in AXES if axis in tuning.cell]


def _best(tuning: Tuning) -> list[list[str]]:
    f1 = tuning.tuned.f1
    order = np.argsort(-f1.ravel(), kind="stable")[:BEST_SHOWN]
    rows = []
    for flat in order:
        index = tuple(int(i) for i in np.unravel_index(flat, f1.shape))
        cell = tuning.tuned.grid.cell(index)
        values = [f"{cell[axis]:>5g}" for axis in _axes(tuning)]
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
        cell = tuning.tuned.grid.cell(index)
        writer.writerow([*(cell.get(axis) for axis in AXES), f"{f1[index]:.6f}", *counts])
    return text.getvalue()


def _plotted(tuning: Tuning) -> list[tuple[str, str]]:
    """The pairs of parameters that F1 is drawn over: those of the table that were both tried with several values."""
    tried = tuning.tuned.grid.tried
    pairs = [(axis, other) for axis in _axes(tuning) for other in PARAMETERS[axis].plotted_with if other in tried]
    return [pair for pair in pairs if all(len(tried[axis]) > 1 for axis in pair)] or pairs[:1]


def _surface(tuning: Tuning, rows: str, columns: str) -> Surface:
    """F1 over two parameters through the chosen cell."""
    chosen = dict(zip(AXES, tuning.tuned.chosen(), strict=True))
    index = tuple(slice(None) if axis in (rows, columns) else i for axis, i in chosen.items())
    f1, tried = tuning.tuned.f1[index], tuning.tuned.grid.tried
    return Surface(
        rows=PARAMETERS[rows].words,
        columns=PARAMETERS[columns].words,
        row_values=tried[rows],
        column_values=tried[columns],
        f1=f1 if AXES.index(rows) < AXES.index(columns) else f1.T,
        chosen=(chosen[rows], chosen[columns]),
    )


def config_text(cell: Cell, build: BuildRequest, heading: str = "") -> str:
    """The chosen parameters, with what else a build needs to be the one that was tuned, as TOML.

    Args:
        cell: the chosen parameters.
        build: what was tuned: its models, and the parameters that it asked for.
        heading: comment lines to begin with.
    """
    models = {name: _found(model) for name in TUNED_MODELS if (model := getattr(build.models, name)) is not None}
    named = models | dict(build.parameters) | dict(cell)
    comments = "".join(f"# {line}\n" for line in heading.splitlines())
    return comments + tomli_w.dumps({OPTIONS[name].key: value for name, value in named.items()})


def _found(model: str) -> str:
    """A model's name; a path as a whole one, so that it is found from anywhere."""
    path = Path(model).expanduser()
    is_path = ("/" in model or path.suffix != "") and path.is_file()
    return str(path.absolute()) if is_path else model
