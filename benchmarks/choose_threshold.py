"""Detection F1 of a finished run's prediction over thresholds and minimum sizes, against a reference.

    python benchmarks/choose_threshold.py --run-folder connectome-data/runs/NAME --reference FILE.hdf --box z0:z1,...

Clefts alone are scored here (one to one by overlap, ignored space left out), on a box that is not the test box. The
volume is held in memory: this is for choosing the values that a checkpoint carries, not for large volumes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from connectome.formats import BACKGROUND, IGNORE, open_reference
from connectome.geometry import Box
from connectome.volume import Volume

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
SIZES = (50, 100, 150, 200, 300, 400)


def main() -> None:
    """Print a table: a row a threshold, a column a minimum size, F1 (false positives, misses)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-folder", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--box", type=Box.parse)
    arguments = parser.parse_args()
    volume = Volume.open(arguments.run_folder / "prediction.zarr")
    reference = open_reference(arguments.reference)
    prediction, labels = volume.read(volume.box), reference.read_clefts(volume.box)
    box = arguments.box or volume.box
    wanted = {s.cleft_id for s in reference.synapses() if box.contains_point(s.centroid_voxel)}
    print("threshold " + "".join(f"{f'>= {size} voxels':>22}" for size in SIZES))
    for threshold in THRESHOLDS:
        found = cc3d.connected_components(prediction >= round(threshold * 255), connectivity=26)
        cells = [score(found, labels, wanted, box, size) for size in SIZES]
        print(f"{threshold:9.2f} " + "".join(f"{f1:10.3f} ({false:3d}, {missed:3d})" for f1, false, missed in cells))


def score(
    found: NDArray[Any], labels: NDArray[np.uint64], wanted: set[int], box: Box, min_size: int
) -> tuple[float, int, int]:
    """F1, false positives and misses in a box, of components (z, y, x) of at least `min_size` voxels."""
    sizes = np.bincount(found.ravel())
    where = np.nonzero(found)
    component, label = found[where], labels[where]
    centroids = cc3d.statistics(found)["centroids"]
    hit: dict[int, int] = {}
    false = 0
    order = np.argsort(component, kind="stable")
    edges = np.searchsorted(component[order], np.arange(1, len(sizes) + 1))
    for index in np.flatnonzero(sizes[1:] >= min_size) + 1:
        own = label[order[edges[index - 1] : edges[index]]]
        real = own[(own != 0) & (own != BACKGROUND) & (own != IGNORE)]
        if len(real):
            best, count = np.unique(real, return_counts=True)
            cleft = int(best[count.argmax()])
            hit[cleft] = hit.get(cleft, 0) + 1
        elif (own == IGNORE).mean() <= 0.5 and box.contains_point(tuple(centroids[index])):
            false += 1
    true = sum(cleft in hit for cleft in wanted)
    false += sum(count - 1 for cleft, count in hit.items() if cleft in wanted)
    return 2 * true / max(len(wanted) + true + false, 1), false, len(wanted) - true


if __name__ == "__main__":
    main()
