"""The paper's large-scale comparison: AVAN against the proximity pruner on synapses drawn from a large build.

    python benchmarks/large_scale.py

A large phantom is built with the shipped detector and AVAN. 1,000 of its synapses are drawn at random; the proximity
pruner assigns the same predicted clefts. Where the two differ, the phantom's exact truth says who is right (the paper
had its disagreements annotated by hand). Writes results/large_scale.md and results/large_scale-disagreements.csv.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from paper import Data, Setting, table, with_interval

from connectome.formats.annotation_table import COLUMNS
from connectome.formats.opening import open_reference
from connectome.geometry import Box, triple
from connectome.pipeline.build import BuildSummary, build_volume
from connectome.pipeline.request import BuildRequest, Execution, InputVolumes, ModelNames
from connectome.scoring.assignment import assign_annotated
from connectome.store.database import Database
from connectome.store.server.embedded import EmbeddedServer
from connectome.volumes.volume import Volume

SHAPE = (64, 1344, 1344)
BOUTON_SPACING_NM = 1500.0
SEED = 7001
DRAWN = 1000
REACH = (24, 100, 100)  # voxels (z, y, x) around a cleft's centroid in which the truth is looked for
Pair = tuple[int, int]
Row = dict[str, Any]
QUERY = """
SELECT s.cleft_id, s.pre_segment_id, s.post_segment_id, c.size_voxels, c.z_nm, c.y_nm, c.x_nm,
       s.pre_z_nm, s.pre_y_nm, s.pre_x_nm, s.post_z_nm, s.post_y_nm, s.post_x_nm
FROM synapse s JOIN cleft c USING (run_id, cleft_id) JOIN run r USING (run_id)
WHERE r.name = 'large' ORDER BY s.cleft_id
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A drawn synapse: what each method chose, and the pairs of the true cleft under it (none: there is none)."""

    row: Row
    pruner: Pair | None
    truth: frozenset[Pair]

    @property
    def avan(self) -> Pair:
        """What the build chose."""
        return self.row["pre_segment_id"], self.row["post_segment_id"]

    @property
    def differ(self) -> bool:
        """Whether the methods chose different partners."""
        return self.avan != self.pruner

    @property
    def verdict(self) -> str:
        """Who is right."""
        if not self.truth:
            return "no cleft of the truth there"
        if self.avan in self.truth:
            return "AVAN right" if self.pruner not in self.truth else "both right"
        return "proximity pruner right" if self.pruner in self.truth else "both wrong"


def main() -> None:
    """Run the experiment."""
    times = [time.monotonic()]
    setting = Setting.of_command_line(__doc__ or "")
    phantom = setting.phantom(SEED, SHAPE, bouton_spacing_nm=BOUTON_SPACING_NM)
    times.append(time.monotonic())
    summary, found = build(phantom, setting.work / "large")
    times.append(time.monotonic())
    rows = draw(found)
    pruner = assign_drawn(phantom, summary.folder, setting.work / "large-drawn", rows)
    truth = true_pairs(phantom, summary.folder, rows)
    cases = [Case(row=row, pruner=pruner.get(row["cleft_id"]), truth=truth[row["cleft_id"]]) for row in rows]
    times.append(time.monotonic())
    setting.write("large_scale.md", pages(summary, cases, np.diff(times).tolist()))
    write_disagreements(cases, setting.results / "large_scale-disagreements.csv")


def build(phantom: Data, data_folder: Path) -> tuple[BuildSummary, dict[str, np.ndarray]]:
    """Build the phantom; what came of it, and all synapses as columns."""
    request = BuildRequest(
        name="large",
        volumes=InputVolumes(image=phantom.image, segmentation=phantom.segmentation),
        models=ModelNames(detector="mask", assigner="avan"),
        parameters={"polyadic": False},
        execution=Execution(data_folder=data_folder, restart=True),
    )
    server = EmbeddedServer(data_folder / "postgres")
    url = server.start()
    request = replace(request, execution=replace(request.execution, database_url=url))
    try:
        summary = build_volume(request)
        with Database.open(url, data_folder) as database:
            return summary, database.columns(QUERY)
    finally:
        server.stop()


def draw(found: dict[str, np.ndarray]) -> list[Row]:
    """At most `DRAWN` synapses at random, always the same ones."""
    n = len(found["cleft_id"])
    places = np.sort(np.random.default_rng(SEED).choice(n, min(DRAWN, n), replace=False))
    return [{name: values[i].item() for name, values in found.items()} for i in places]


def assign_drawn(phantom: Data, run_folder: Path, folder: Path, drawn: list[Row]) -> dict[int, Pair]:
    """What the proximity pruner chooses for the drawn clefts, given to it as annotated ones."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "clefts.zarr").symlink_to((run_folder / "clefts.zarr").resolve())
    with (folder / "annotations.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(drawn)
    request = BuildRequest(
        volumes=InputVolumes(image=phantom.image, segmentation=phantom.segmentation),
        models=ModelNames(assigner="proximity-pruner"),
        parameters={"polyadic": False},
    )
    return {cleft: pairs[0] for cleft, pairs in assign_annotated(request, folder).chosen.items() if pairs}


def true_pairs(phantom: Data, run_folder: Path, drawn: list[Row]) -> dict[int, frozenset[Pair]]:
    """The pairs of the true cleft that each drawn one overlaps most; none where it overlaps none."""
    pairs: dict[int, set[Pair]] = {}
    for synapse in open_reference(phantom.folder).synapses():
        pairs.setdefault(synapse.cleft_id, set()).add((synapse.pre_segment_id, synapse.post_segment_id))
    predicted, annotated = Volume.open(run_folder / "clefts.zarr"), Volume.open(phantom.folder / "clefts.zarr")
    found: dict[int, frozenset[Pair]] = {}
    for row in drawn:
        sides = zip("zyx", predicted.grid.resolution_nm, REACH, strict=True)
        first = triple(int(row[f"{axis}_nm"] / nm) - reach for axis, nm, reach in sides)
        box = Box.of_shape(triple(2 * r for r in REACH), first).intersect(predicted.box)
        under = annotated.read(box)[predicted.read(box) == np.uint64(row["cleft_id"])]
        ids, counts = np.unique(under[under > 0], return_counts=True)
        found[row["cleft_id"]] = frozenset(pairs.get(int(ids[counts.argmax()]), ())) if len(ids) else frozenset()
    return found


def pages(summary: BuildSummary, cases: list[Case], seconds: list[float]) -> Iterator[str]:
    """The parts of the page."""
    differing = [case for case in cases if case.differ]
    real = [case for case in cases if case.truth]
    wrong = {
        "AVAN": sum(case.avan not in case.truth for case in real),
        "proximity pruner": sum(case.pruner not in case.truth for case in real),
    }
    rows: list[list[object]] = [
        ["drawn", len(cases), ""],
        ["on a cleft of the truth", len(real), with_interval(len(real), len(cases))],
        ["the methods differ", len(differing), with_interval(len(differing), len(cases))],
    ]
    kinds = Counter(case.verdict for case in differing)
    rows += [[f"differ: {kind}", n, with_interval(n, len(differing))] for kind, n in sorted(kinds.items())]
    rows += [
        [f"{name} wrong, of those on a cleft of the truth", n, with_interval(n, len(real))] for name, n in wrong.items()
    ]
    yield "# Large scale: AVAN against the proximity pruner"
    yield (
        f"A phantom of {summary.voxels / 1e6:.1f} Mvoxel (seed {SEED}, not trained on; boutons {BOUTON_SPACING_NM:g} "
        "nm apart where 6000 are usual), built with the shipped mask detector and AVAN: "
        f"{summary.synapses:,} synapses, of which {len(cases):,} were drawn at random. The proximity pruner assigned "
        "the same predicted clefts; its signed proximity is made from the cleft and each pair under test. The "
        "phantom's truth decides between the two. Intervals are Wilson's, 95 %."
    )
    yield table(["", "synapses", "share"], rows)
    yield "Every disagreement: [large_scale-disagreements.csv](large_scale-disagreements.csv)."
    rendering, building, rest = seconds
    yield f"Rendering {rendering:.0f} s, building {building:.0f} s, the comparison {rest:.0f} s."


def write_disagreements(cases: list[Case], path: Path) -> None:
    """A row a disagreement."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["cleft_id", "z_nm", "y_nm", "x_nm", "avan", "proximity_pruner", "truth", "verdict"])
        for case in cases:
            if case.differ:
                place = [round(case.row[f"{axis}_nm"], 1) for axis in "zyx"]
                chosen = [" ".join(map(str, pair)) if pair else "" for pair in (case.avan, case.pruner)]
                true = "; ".join(" ".join(map(str, pair)) for pair in sorted(case.truth))
                writer.writerow([case.row["cleft_id"], *place, *chosen, true, case.verdict])


if __name__ == "__main__":
    main()
