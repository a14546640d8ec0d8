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
from pathlib import Path

import numpy as np
from paper import RESULTS, WORK, phantom_folder, table, with_interval, write_result

from connectome.formats import open_reference
from connectome.formats.annotation_table import COLUMNS
from connectome.geometry import Box, triple
from connectome.pipeline.assignment import AssignmentRequest, assign_annotated
from connectome.pipeline.build import build_volume
from connectome.pipeline.request import BuildRequest
from connectome.store.database import Database
from connectome.store.server import EmbeddedServer
from connectome.volume import Volume

SHAPE = (64, 1280, 1280)
BOUTON_SPACING_NM = 3000.0
SEED = 7001
DRAWN = 1000
Pair = tuple[int, int]
QUERY = """
SELECT s.cleft_id, s.pre_segment_id, s.post_segment_id, c.size_voxels, c.z_nm, c.y_nm, c.x_nm,
       s.pre_z_nm, s.pre_y_nm, s.pre_x_nm, s.post_z_nm, s.post_y_nm, s.post_x_nm
FROM synapse s JOIN cleft c USING (run_id, cleft_id) JOIN run r USING (run_id)
WHERE r.name = 'large' ORDER BY s.cleft_id
"""


def main() -> None:
    """Run the experiment."""
    began = time.monotonic()
    phantom = phantom_folder(SEED, SHAPE, bouton_spacing_nm=BOUTON_SPACING_NM)
    rendered = time.monotonic()
    drawn, total, folder = build_and_draw(phantom)
    built = time.monotonic()
    avan = {row["cleft_id"]: (row["pre_segment_id"], row["post_segment_id"]) for row in drawn}
    pruner = assign_drawn(phantom, folder, drawn)
    truth = true_pairs(phantom, folder, drawn)
    differing = [cleft for cleft in avan if avan[cleft] != pruner.get(cleft)]
    kinds = Counter(verdict(truth[cleft], avan[cleft], pruner.get(cleft)) for cleft in differing)
    real = [cleft for cleft in avan if truth[cleft]]
    wrong = {name: sum(chosen.get(c) not in truth[c] for c in real) for name, chosen in
             (("avan", avan), ("proximity-pruner", pruner))}  # fmt: skip
    write_disagreements(differing, truth, avan, pruner, {row["cleft_id"]: row for row in drawn})
    write_result("large_scale.md", "\n\n".join([
        "# Large scale: AVAN against the proximity pruner",
        f"A phantom of {np.prod(SHAPE) / 1e6:.0f} Mvoxel (seed {SEED}, not trained on; twice the usual density of "
        "boutons), built with the shipped mask "
        f"detector and AVAN: {total:,} synapses, of which {len(drawn):,} were drawn at random. The proximity pruner "
        "assigned the same predicted clefts; its signed proximity is made from the cleft and each pair under test.",
        table(["", "synapses", "share"], [
            ["drawn", len(drawn), ""],
            ["on a cleft of the truth", len(real), with_interval(len(real), len(drawn))],
            ["the methods differ", len(differing), with_interval(len(differing), len(drawn))],
            *([f"differ: {kind}", n, ""] for kind, n in sorted(kinds.items())),
            *([f"{name} wrong, of those on a cleft of the truth", n, with_interval(n, len(real))]
              for name, n in wrong.items()),
        ]),
        "Every disagreement: [large_scale-disagreements.csv](large_scale-disagreements.csv).",
        f"Rendering {rendered - began:.0f} s, building {built - rendered:.0f} s, the rest "
        f"{time.monotonic() - built:.0f} s.",
    ]))  # fmt: skip


def build_and_draw(phantom: Path) -> tuple[list[dict], int, Path]:
    """The drawn synapses, how many there were, and the folder of the run's volumes."""
    data_folder = WORK / "large"
    request = BuildRequest(
        image=str(phantom / "raw.zarr"), segmentation=str(phantom / "neuron_ids.zarr"), name="large",
        detector="mask", assigner="avan", data_folder=data_folder, restart=True,
    )  # fmt: skip
    try:
        folder = build_volume(request).folder
        with Database.open(None, data_folder) as database:
            found = database.columns(QUERY)
    finally:
        EmbeddedServer(data_folder / "postgres").stop()
    n = len(found["cleft_id"])
    places = np.sort(np.random.default_rng(SEED).choice(n, min(DRAWN, n), replace=False))
    return [{name: values[i].item() for name, values in found.items()} for i in places], n, folder


def assign_drawn(phantom: Path, run_folder: Path, drawn: list[dict]) -> dict[int, Pair]:
    """What the proximity pruner chooses for the drawn clefts."""
    folder = WORK / "large-drawn"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "clefts.zarr").symlink_to((run_folder / "clefts.zarr").resolve())
    with (folder / "annotations.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(drawn)
    request = AssignmentRequest(
        image=str(phantom / "raw.zarr"), segmentation=str(phantom / "neuron_ids.zarr"), reference=folder,
        assigner="proximity-pruner", polyadic=False,
    )  # fmt: skip
    return {cleft: pairs[0] for cleft, pairs in assign_annotated(request).chosen.items() if pairs}


def true_pairs(phantom: Path, run_folder: Path, drawn: list[dict]) -> dict[int, set[Pair]]:
    """The pairs of the true cleft that each drawn one overlaps most; none where it overlaps none."""
    pairs: dict[int, set[Pair]] = {}
    for synapse in open_reference(phantom).synapses():
        pairs.setdefault(synapse.cleft_id, set()).add((synapse.pre_segment_id, synapse.post_segment_id))
    predicted, annotated = Volume.open(run_folder / "clefts.zarr"), Volume.open(phantom / "clefts.zarr")
    found: dict[int, set[Pair]] = {}
    for row in drawn:
        centre = [row[f"{axis}_nm"] / nm for axis, nm in zip("zyx", predicted.grid.resolution_nm, strict=True)]
        reach = (24, 100, 100)
        box = Box.of_shape(
            triple(2 * r for r in reach), triple(int(c) - r for c, r in zip(centre, reach, strict=True))
        ).intersect(predicted.box)
        under = annotated.read(box)[predicted.read(box) == np.uint64(row["cleft_id"])]
        ids, counts = np.unique(under[under > 0], return_counts=True)
        found[row["cleft_id"]] = pairs.get(int(ids[counts.argmax()]), set()) if len(ids) else set()
    return found


def verdict(truth: set[Pair], avan: Pair, pruner: Pair | None) -> str:
    """Who is right."""
    if not truth:
        return "no cleft of the truth there"
    if avan in truth:
        return "AVAN right"
    return "proximity pruner right" if pruner in truth else "both wrong"


def write_disagreements(differing, truth, avan, pruner, rows) -> None:
    """A row a disagreement."""
    with (RESULTS / "large_scale-disagreements.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["cleft_id", "z_nm", "y_nm", "x_nm", "avan", "proximity_pruner", "truth", "verdict"])
        for cleft in differing:
            place = [round(rows[cleft][f"{axis}_nm"], 1) for axis in "zyx"]
            chosen = [" ".join(map(str, pair)) if pair else "" for pair in (avan[cleft], pruner.get(cleft))]
            true = "; ".join(" ".join(map(str, pair)) for pair in sorted(truth[cleft]))
            writer.writerow([cleft, *place, *chosen, true, verdict(truth[cleft], avan[cleft], pruner.get(cleft))])


if __name__ == "__main__":
    main()
