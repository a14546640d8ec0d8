"""The paper's figure 2: edge precision, recall and F1 of every detector with every assigner.

    python benchmarks/figure2.py

Each combination is tuned on validation data (AC3's validation box and half of a phantom), then scored on AC3's test box
and on a phantom that nothing was trained on or chosen by. Writes results/figure2.md and results/figure2.png.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figure2_plot import Point, draw
from paper import ASSIGNERS, DETECTORS, TEST_BOX, VALIDATION_BOX, VALIDATION_SEED, Data, Setting, table, with_interval

from connectome.geometry import Box
from connectome.pipeline.parameters import AXES
from connectome.pipeline.request import BuildRequest, InputVolumes, ModelNames
from connectome.records import NoProgress
from connectome.tuning.annotated_volume import AnnotatedVolume, AnnotatedVolumes
from connectome.tuning.grid import Cell, ParameterGrid, f1_of
from connectome.tuning.tune import open_scorers, tune

SIZES = (80, 120, 160, 200, 300)
DISTANCES_NM = (0.0, 500.0)
THRESHOLDS = {
    "mask": (0.1, 0.2, 0.4, 0.6),
    "stdt": (0.3, 0.4, 0.5, 0.6),
    "signed-proximity": (0.05, 0.1, 0.2, 0.3),
}
Counts = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Combination:
    """A detector with an assigner, tuned.

    Attributes:
        validation_f1: at the chosen parameters.
        counts: true positives, predicted, annotated synapses of each volume to score on.
    """

    detector: str
    assigner: str
    cell: Cell
    validation_f1: float
    counts: list[Counts]


def main() -> None:
    """Run the experiment."""
    began = time.monotonic()
    setting = Setting.of_command_line(__doc__ or "")
    shutil.rmtree(setting.work / "outputs", ignore_errors=True)
    phantom = setting.phantom(VALIDATION_SEED)
    half = Data(name=phantom.name, folder=phantom.folder, box=Box((0, 0, 0), (40 if setting.small else 64, 512, 256)))
    validation = [*setting.real("AC3 validation box", VALIDATION_BOX), phantom if setting.small else half]
    test = [*setting.real("AC3 test box", TEST_BOX), setting.phantom(setting.test_seeds[0])]
    combinations = []
    for detector in DETECTORS:
        for assigner in ASSIGNERS:
            combinations.append(combine(detector, assigner, validation, test, setting.work / "outputs"))
            print(f"{detector}, {assigner}: {time.monotonic() - began:.0f} s", flush=True)
    draw([point for c in combinations for point in points(c, test)], setting.results / "figure2.png")
    setting.write("figure2.md", pages(combinations, test, time.monotonic() - began))


def combine(detector: str, assigner: str, validation: list[Data], test: list[Data], outputs: Path) -> Combination:
    """Tune a combination, then score it; what the networks say of a volume is computed once."""
    direction = "avan" if assigner == "nearest" and detector != "signed-proximity" else None
    build = BuildRequest(
        volumes=InputVolumes(image="", segmentation=""),
        models=ModelNames(detector=detector, assigner=assigner, direction=direction),
    )
    grid = ParameterGrid(
        {
            **ParameterGrid.usual().tried,
            "threshold": THRESHOLDS[detector],
            "min_size_voxels": SIZES,
            "dilation_nm": (48.0,),
            "duplicate_distance_nm": DISTANCES_NM,
        }
    )
    tuning = tune(AnnotatedVolumes(volumes=volumes(validation), build=build, outputs=outputs), grid)
    only = ParameterGrid({axis: (value,) for axis, value in tuning.cell.items()})
    scorers = open_scorers(AnnotatedVolumes(volumes=volumes(test), build=build, outputs=outputs), only, NoProgress())
    return Combination(
        detector=detector,
        assigner=assigner,
        cell=tuning.cell,
        validation_f1=tuning.f1,
        counts=[scorer.counts_at(tuning.cell) for scorer in scorers],
    )


def volumes(data: list[Data]) -> tuple[AnnotatedVolume, ...]:
    """As tuning takes them."""
    return tuple(
        AnnotatedVolume(image=one.image, segmentation=one.segmentation, reference=one.folder, box=one.box)
        for one in data
    )


def points(combination: Combination, test: list[Data]) -> list[Point]:
    """A combination in the panel of each volume."""
    return [
        Point(
            panel=data.name,
            detector=combination.detector,
            assigner=combination.assigner,
            precision=true / max(predicted, 1),
            recall=true / max(annotated, 1),
        )
        for data, (true, predicted, annotated) in zip(test, combination.counts, strict=True)
    ]


def pages(combinations: list[Combination], test: list[Data], seconds: float) -> list[str]:
    """The parts of the page."""
    rows = [row(one, data.name, one.counts[place]) for place, data in enumerate(test) for one in combinations]
    return [
        "# Figure 2: edges of every detector with every assigner",
        "Shipped weights. Each combination's parameters were chosen by edge F1 on validation data (AC3's validation "
        "box, 16 synapses, and half of a phantom, the two counting alike); the scores are on data that nothing was "
        "trained on or chosen by. Intervals are Wilson's, 95 %. `nearest` takes the two segments with the largest "
        "contact, their direction from the detector's signed proximity or else from the AVAN.",
        table(
            ["data", "detector", "assigner", "precision", "recall", "F1", "validation F1", ", ".join(AXES[:5])], rows
        ),
        "![precision and recall](figure2.png)",
        f"Measured in {seconds:.0f} s.",
    ]


def row(one: Combination, name: str, counts: Counts) -> list[object]:
    """A row of the table."""
    true, predicted, annotated = counts
    return [
        name,
        one.detector,
        one.assigner,
        with_interval(true, predicted),
        with_interval(true, annotated),
        f"{f1_of(np.array(counts)):.3f}",
        f"{one.validation_f1:.3f}",
        ", ".join(f"{value:g}" for value in one.cell.values()),
    ]


if __name__ == "__main__":
    main()
