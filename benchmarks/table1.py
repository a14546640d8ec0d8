"""The paper's table 1: how often each method assigns the right partners to annotated clefts.

    python benchmarks/table1.py

Writes results/table1.md (accuracies with Wilson's intervals, McNemar's test between methods, every error on real data)
and results/table1-errors.png (a picture of each of those errors).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from paper import ASSIGNERS, TEST_BOX, Data, Setting, table, with_interval
from scipy.stats import binomtest
from table1_errors import draw_errors

from connectome.evaluate.assignment import WrongAssignment
from connectome.phantom import PhantomPreset
from connectome.pipeline.request import BuildRequest, InputVolumes, ModelNames
from connectome.scoring.assignment import AnnotatedAssignment, assign_annotated

INSECT_SEEDS = (6001, 6002)
INSECT_SHAPE = (64, 384, 384)
POLYADIC = (("avan-insect", None), ("avan", None), ("nearest", "avan-insect"))
"""Assigners of polyadic clefts, each with what tells it the direction."""
Key = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a method makes of the annotated clefts of one kind of data.

    Attributes:
        right: by name of the volume and cleft id.
        errors: the wrong ones.
    """

    right: dict[Key, bool]
    errors: list[tuple[Data, WrongAssignment]]


def main() -> None:
    """Run the experiment."""
    began = time.monotonic()
    setting = Setting.of_command_line(__doc__ or "")
    sets = {
        "AC3 test box": setting.real("AC3", TEST_BOX),
        "phantoms": [setting.phantom(seed) for seed in setting.test_seeds],
    }
    outcomes: dict[str, dict[str, Outcome]] = {}
    for title, data in sets.items():
        if data:
            outcomes[title] = {}
            for method in ASSIGNERS:
                outcomes[title][method] = outcome(data, method)
                print(f"{title}, {method}: {time.monotonic() - began:.0f} s", flush=True)
    polyadic = list(polyadic_rows(setting))
    setting.write("table1.md", pages(setting, outcomes, polyadic, time.monotonic() - began))


def run(data: Data, method: str, direction: str | None, *, polyadic: bool) -> AnnotatedAssignment:
    """Assign the annotated clefts of one folder."""
    request = BuildRequest(
        volumes=InputVolumes(image=data.image, segmentation=data.segmentation, box=data.box),
        models=ModelNames(assigner=method, direction=direction),
        parameters={"polyadic": polyadic},
    )
    return assign_annotated(request, data.folder)


def outcome(data: list[Data], method: str) -> Outcome:
    """Which clefts of some volumes a method gets right."""
    right: dict[Key, bool] = {}
    errors = []
    for one in data:
        assigned = run(one, method, "avan" if method == "nearest" else None, polyadic=False)
        wrong = {error.cleft_id: error for error in assigned.pair_score().errors}
        right |= {(one.name, synapse.cleft_id): synapse.cleft_id not in wrong for synapse in assigned.reference}
        errors += [(one, error) for error in wrong.values()]
    return Outcome(right=right, errors=errors)


def pages(
    setting: Setting, outcomes: dict[str, dict[str, Outcome]], polyadic: list[tuple[object, ...]], seconds: float
) -> Iterator[str]:
    """The parts of the page."""
    yield "# Table 1: partners of annotated clefts"
    yield (
        "Shipped weights; a cleft is right if both its partners are. `nearest` takes the two segments with the largest "
        "contact, and their direction from the AVAN. `swapped`: the right partners in each other's role. The phantoms "
        f"(seeds {setting.test_seeds[0]} to {setting.test_seeds[-1]}) were neither trained on nor chosen by. Intervals "
        "are Wilson's, 95 %."
    )
    rows = [
        [
            title,
            method,
            len(o.right),
            sum(o.right.values()),
            with_interval(sum(o.right.values()), len(o.right)),
            sum(error.is_swapped for _, error in o.errors),
        ]
        for title, by_method in outcomes.items()
        for method, o in by_method.items()
    ]
    yield table(["data", "method", "clefts", "right", "accuracy", "swapped"], rows)
    yield "McNemar's exact test between methods: clefts that only the first, only the second method gets right."
    yield table(["data", "first", "second", "only first", "only second", "p"], list(mcnemar_rows(outcomes)))
    real = [(m, *e) for m, o in outcomes.get("AC3 test box", {}).items() for e in o.errors]
    if real:
        yield "## Errors on real data"
        yield table(
            ["method", "cleft", "chosen pre, post", "annotated pre, post", "swapped", "centroid (z, y, x)"],
            [error_row(method, error) for method, _, error in real],
        )
        draw_errors(real, setting.results / "table1-errors.png")
        yield "![Each of them: cleft red, pre blue, post orange, chosen dashed](table1-errors.png)"
    yield "## Polyadic clefts"
    yield (
        "Phantoms of the insect preset (not trained on): every chosen (pre, post) pair of an annotated cleft against "
        "the true ones. `nearest`: the segments with at least half of the largest contact, direction from "
        "`avan-insect`."
    )
    yield table(["method", "clefts", "pairs", "precision", "recall", "F1"], polyadic)
    yield f"Measured in {seconds:.0f} s."


def error_row(method: str, error: WrongAssignment) -> list[object]:
    """A row of the table of errors."""
    return [
        method,
        error.cleft_id,
        f"{error.pre_segment_id}, {error.post_segment_id}",
        "; ".join(f"{pre}, {post}" for pre, post in error.reference_pairs),
        "yes" if error.is_swapped else "no",
        ", ".join(f"{v:.0f}" for v in error.centroid_voxel),
    ]


def mcnemar_rows(outcomes: dict[str, dict[str, Outcome]]) -> Iterator[tuple[object, ...]]:
    """A row a pair of methods: discordant clefts and the exact two-sided p."""
    for title, by_method in outcomes.items():
        for first, second in combinations(by_method, 2):
            a, b = by_method[first].right, by_method[second].right
            only_a = sum(a[key] and not b[key] for key in a)
            only_b = sum(b[key] and not a[key] for key in a)
            p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
            yield title, first, second, only_a, only_b, f"{p:.3g}"


def polyadic_rows(setting: Setting) -> Iterator[tuple[object, ...]]:
    """A row a method: partner-set scores over the insect phantoms."""
    volumes = [setting.phantom(seed, INSECT_SHAPE, PhantomPreset.INSECT) for seed in INSECT_SEEDS]
    for method, direction in POLYADIC:
        clefts, true, predicted, annotated = 0, 0, 0, 0
        for data in volumes:
            score = run(data, method, direction, polyadic=True).set_score()
            clefts, true = clefts + score.n_clefts, true + score.pairs.correct
            predicted, annotated = predicted + score.pairs.n_chosen, annotated + score.pairs.n_reference
        yield (
            method,
            clefts,
            annotated,
            with_interval(true, predicted),
            with_interval(true, annotated),
            f"{2 * true / max(predicted + annotated, 1):.3f}",
        )


if __name__ == "__main__":
    main()
