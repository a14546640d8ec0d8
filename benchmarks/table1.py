"""The paper's table 1: how often each method assigns the right partners to annotated clefts.

    python benchmarks/table1.py

Writes results/table1.md (accuracies with Wilson's intervals, McNemar's test between methods, every error on real data)
and results/table1-errors.png (a picture of each of those errors).
"""

from __future__ import annotations

import time
from itertools import combinations
from pathlib import Path

import numpy as np
from paper import (
    ASSIGNERS,
    RESULTS,
    TEST_BOX,
    TEST_SEEDS,
    Data,
    phantom_folder,
    real_folder,
    table,
    with_interval,
    write_result,
)
from scipy.stats import binomtest

from connectome.evaluate.assignment import WrongAssignment
from connectome.formats import open_reference
from connectome.geometry import Box, triple
from connectome.phantom import PhantomPreset
from connectome.pipeline.assignment import AnnotatedAssignment, AssignmentRequest, assign_annotated
from connectome.plots.figure import panels, save
from connectome.volume import Volume

INSECT_SEEDS = (6001, 6002)
VIEW = 72  # voxels on each side of a picture's middle


def main() -> None:
    """Run the experiment."""
    began = time.monotonic()
    ac3 = real_folder()
    sets: dict[str, list[Data]] = {}
    if ac3 is not None:
        sets["AC3 test box"] = [Data(name="ac3", folder=ac3, box=TEST_BOX)]
    sets["phantoms"] = [Data(name=f"phantom {seed}", folder=phantom_folder(seed)) for seed in TEST_SEEDS]
    right, errors = {}, []
    for title, data in sets.items():
        for method in ASSIGNERS:
            outcome: dict[tuple[str, int], bool] = {}
            for one in data:
                score = run(one, method).pair_score()
                wrong = {error.cleft_id: error for error in score.errors}
                ids = {s.cleft_id for s in open_reference(one.folder).synapses() if inside(one, s.centroid_voxel)}
                outcome |= {(one.name, cleft): cleft not in wrong for cleft in ids}
                errors += [(method, one, error) for error in wrong.values() if one.box is not None]
            right[title, method] = outcome
    pages = [
        "# Table 1: partners of annotated clefts",
        "Shipped weights; a cleft is right if both its partners are. `nearest` takes the two segments with the largest "
        "contact, and their direction from the AVAN. Intervals are Wilson's, 95 %.",
        table(
            ["data", "method", "clefts", "right", "accuracy"],
            [[title, m, len(o), sum(o.values()), with_interval(sum(o.values()), len(o))]
             for (title, m), o in right.items()],
        ),
        "McNemar's exact test between methods: clefts that only the first, only the second method gets right.",
        table(["data", "first", "second", "only first", "only second", "p"], list(mcnemar_rows(right, sets))),
        "## Errors on real data",
        table(
            ["method", "cleft", "chosen pre, post", "annotated pre, post", "swapped", "centroid (z, y, x)"],
            [[m, e.cleft_id, f"{e.pre_segment_id}, {e.post_segment_id}",
              "; ".join(f"{a}, {b}" for a, b in e.reference_pairs), "yes" if e.is_swapped else "no",
              ", ".join(f"{v:.0f}" for v in e.centroid_voxel)] for m, _, e in errors],
        ) if errors else "None.",
        *(["![errors](table1-errors.png)"] if errors else []),
        "## Polyadic clefts",
        "Phantoms of the insect preset: every chosen (pre, post) pair of an annotated cleft against the true ones.",
        table(["method", "clefts", "pairs", "precision", "recall", "F1"], list(polyadic_rows())),
        f"Measured in {time.monotonic() - began:.0f} s.",
    ]  # fmt: skip
    if errors:
        draw_errors(errors)
    write_result("table1.md", "\n\n".join(pages))


def run(data: Data, method: str, polyadic: bool = False) -> AnnotatedAssignment:
    """Assign the annotated clefts of one folder."""
    request = AssignmentRequest(
        image=str(data.folder / "raw.zarr"),
        segmentation=str(data.folder / "neuron_ids.zarr"),
        reference=data.folder,
        box=data.box,
        assigner=method,
        direction="avan" if method == "nearest" else None,
        polyadic=polyadic,
    )
    return assign_annotated(request)


def inside(data: Data, centroid: tuple[float, float, float]) -> bool:
    """Whether a centroid (z, y, x) lies where is scored."""
    return data.box is None or data.box.contains_point(centroid)


def mcnemar_rows(right: dict[tuple[str, str], dict[tuple[str, int], bool]], titles: dict[str, list[Data]]):
    """A row a pair of methods: discordant clefts and the exact two-sided p."""
    for title in titles:
        for first, second in combinations(ASSIGNERS, 2):
            a, b = right[title, first], right[title, second]
            only_a = sum(a[key] and not b[key] for key in a)
            only_b = sum(b[key] and not a[key] for key in a)
            p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
            yield title, first, second, only_a, only_b, f"{p:.3g}"


def polyadic_rows():
    """A row a method: partner-set scores over the insect phantoms."""
    for method in ("avan-insect", "avan", "mask-pruner"):
        clefts, true, predicted, annotated = 0, 0, 0, 0
        for seed in INSECT_SEEDS:
            data = Data(name="insect", folder=phantom_folder(seed, (64, 384, 384), PhantomPreset.INSECT))
            score = run(data, method, polyadic=True).set_score()
            clefts, true = clefts + score.n_clefts, true + score.pairs.correct
            predicted, annotated = predicted + score.pairs.n_chosen, annotated + score.pairs.n_reference
        yield (
            method, clefts, annotated, with_interval(true, predicted), with_interval(true, annotated),
            f"{2 * true / max(predicted + annotated, 1):.3f}",
        )  # fmt: skip


def draw_errors(errors: list[tuple[str, Data, WrongAssignment]]) -> None:
    """A panel an error: the section through the cleft, it and its annotated and chosen partners outlined."""
    figure, axes = panels(len(errors), width=2.6, height=3.0)
    for axis, (method, data, error) in zip(axes, errors, strict=True):
        draw_error(axis, method, data.folder, error)
    save(figure, RESULTS / "table1-errors.png")


def draw_error(axis, method: str, folder: Path, error: WrongAssignment) -> None:
    """One panel."""
    image, segmentation, clefts = (Volume.open(folder / f"{name}.zarr") for name in ("raw", "neuron_ids", "clefts"))
    z, y, x = triple(int(c) for c in error.centroid_voxel)
    box = Box((z, y - VIEW, x - VIEW), (z + 1, y + VIEW, x + VIEW)).intersect(image.box)
    section, segments = image.read(box)[0], segmentation.read(box)[0]
    axis.imshow(section, cmap="gray", vmin=0, vmax=255)
    axis.contour(clefts.read(box)[0] == np.uint64(error.cleft_id), [0.5], colors="red", linewidths=1)
    for segment, colour in (
        *((pre, "tab:blue") for pre, _ in error.reference_pairs),
        *((post, "tab:orange") for _, post in error.reference_pairs),
    ):
        axis.contour(segments == np.uint64(segment), [0.5], colors=colour, linewidths=0.8)
    for segment, colour in ((error.pre_segment_id, "tab:blue"), (error.post_segment_id, "tab:orange")):
        if segment is not None:
            axis.contour(segments == np.uint64(segment), [0.5], colors=colour, linewidths=0.8, linestyles="dashed")
    axis.set_title(f"{method}, cleft {error.cleft_id}\nblue pre, orange post,\ndashed: chosen", fontsize=7)
    axis.set_axis_off()


if __name__ == "__main__":
    main()
