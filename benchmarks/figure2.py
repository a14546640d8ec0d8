"""The paper's figure 2: edge precision, recall and F1 of every detector with every assigner.

    python benchmarks/figure2.py

Each combination is tuned on validation data (AC3's validation box and one phantom), then scored on AC3's test box and
on a phantom that nothing was trained on or chosen by. Writes results/figure2.md and results/figure2.png.
"""

from __future__ import annotations

import time

import numpy as np
from paper import (
    ASSIGNERS,
    DETECTORS,
    RESULTS,
    TEST_BOX,
    TEST_SEEDS,
    VALIDATION_BOX,
    VALIDATION_SEED,
    WORK,
    phantom_folder,
    real_folder,
    table,
    with_interval,
    write_result,
)

from connectome.evaluate.tuning import AXES, Cell, ParameterGrid, f1_of
from connectome.geometry import Box
from connectome.pipeline.request import BuildRequest
from connectome.pipeline.tuning import TuneRequest, open_scorers, tune
from connectome.pipeline.tuning_data import AnnotatedVolume
from connectome.plots.figure import COLOURS, panels, save
from connectome.records import NoProgress

MARKERS = ("o", "s", "^", "D")
GRIDS = {
    "mask": ParameterGrid(threshold=(0.4, 0.6, 0.8, 0.9), dilation_nm=(48.0,)),
    "stdt": ParameterGrid(threshold=(0.4, 0.5, 0.6, 0.7), dilation_nm=(48.0,)),
    "signed-proximity": ParameterGrid(threshold=(0.2, 0.3, 0.4, 0.5), dilation_nm=(48.0,)),
}
VALIDATION_PHANTOM_BOX = Box((0, 0, 0), (64, 512, 256))


def main() -> None:
    """Run the experiment."""
    began = time.monotonic()
    ac3 = real_folder()
    validation = [volume(phantom_folder(VALIDATION_SEED), VALIDATION_PHANTOM_BOX)]
    test = {"phantom": volume(phantom_folder(TEST_SEEDS[0]))}
    if ac3 is not None:
        validation.insert(0, volume(ac3, VALIDATION_BOX))
        test = {"AC3 test box": volume(ac3, TEST_BOX)} | test
    rows, points = [], []
    for detector in DETECTORS:
        for assigner in ASSIGNERS:
            cell, chosen_f1, counts = combination(detector, assigner, validation, list(test.values()))
            for place, (true, predicted, annotated) in zip(test, counts, strict=True):
                f1 = float(f1_of(np.array([true, predicted, annotated])))
                points.append((place, detector, assigner, true / max(predicted, 1), true / max(annotated, 1)))
                rows.append([
                    place, detector, assigner, with_interval(true, predicted), with_interval(true, annotated),
                    f"{f1:.3f}", f"{chosen_f1:.3f}", ", ".join(f"{getattr(cell, axis):g}" for axis in AXES),
                ])  # fmt: skip
            print(f"{detector}, {assigner}: {time.monotonic() - began:.0f} s", flush=True)
    draw(points, list(test))
    write_result("figure2.md", "\n\n".join([
        "# Figure 2: edges of every detector with every assigner",
        "Shipped weights. Each row's parameters were chosen by edge F1 on validation data (AC3's validation box, 16 "
        "synapses, and half of a phantom, the two counting alike); the scores are on data that nothing was trained on "
        "or chosen by. Intervals are Wilson's, 95 %. `nearest` takes the two segments with the largest contact, their "
        "direction from the detector's signed proximity or else from the AVAN.",
        table(["data", "detector", "assigner", "precision", "recall", "F1", "validation F1",
               "threshold, min. voxels, dilation nm, duplicate nm, min. score"], sorted(rows, key=lambda r: r[0])),
        "![precision and recall](figure2.png)",
        f"Measured in {time.monotonic() - began:.0f} s.",
    ]))  # fmt: skip


def volume(folder, box: Box | None = None) -> AnnotatedVolume:
    """A folder and where to score in it."""
    return AnnotatedVolume(
        image=str(folder / "raw.zarr"), segmentation=str(folder / "neuron_ids.zarr"), reference=folder, box=box
    )


def combination(
    detector: str, assigner: str, validation: list[AnnotatedVolume], test: list[AnnotatedVolume]
) -> tuple[Cell, float, list[tuple[int, int, int]]]:
    """Tune a combination, then score it: true positives, predicted, annotated of each test volume."""
    direction = "avan" if assigner == "nearest" and detector != "signed-proximity" else None
    build = BuildRequest(image="", segmentation="", detector=detector, assigner=assigner, direction=direction)
    outputs = WORK / "outputs"
    tuning = tune(TuneRequest(volumes=tuple(validation), build=build, grid=GRIDS[detector], outputs=outputs))
    only = ParameterGrid(**{axis: (getattr(tuning.cell, axis),) for axis in AXES})
    scorers = open_scorers(TuneRequest(volumes=tuple(test), build=build, grid=only, outputs=outputs), NoProgress())
    return tuning.cell, tuning.f1, [tuple(int(n) for n in scorer.counts_at(tuning.cell)) for scorer in scorers]


def draw(points: list[tuple[str, str, str, float, float]], places: list[str]) -> None:
    """A panel a data set: precision over recall, colour the detector, marker the assigner, lines of equal F1."""
    figure, axes = panels(len(places))
    for axis, place in zip(axes, places, strict=True):
        recall = np.linspace(0.01, 1, 200)
        for f1 in (0.5, 0.6, 0.7, 0.8, 0.9):
            with np.errstate(divide="ignore"):
                precision = f1 * recall / (2 * recall - f1)
            shown = (precision > 0) & (precision <= 1)
            axis.plot(recall[shown], precision[shown], color="0.85", linewidth=0.7, zorder=0)
            axis.text(1.005, f1 / (2 - f1), f"{f1:g}", fontsize=6, color="0.6", va="center")
        for name, detector, assigner, precision_here, recall_here in points:
            if name == place:
                axis.plot(
                    recall_here, precision_here, MARKERS[ASSIGNERS.index(assigner)], alpha=0.8,
                    color=COLOURS[DETECTORS.index(detector)], label=f"{detector}, {assigner}", markersize=5,
                )  # fmt: skip
        axis.set(xlim=(0.3, 1), ylim=(0.3, 1), xlabel="recall", ylabel="precision", title=place)
    axes[-1].legend(fontsize=5, loc="lower left")
    save(figure, RESULTS / "figure2.png")


if __name__ == "__main__":
    main()
