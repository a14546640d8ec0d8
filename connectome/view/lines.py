"""The synapses of a run as lines from pre to post, as many as a viewer takes, around a place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import NmTriple, Vector
from connectome.query.connectome import Connectome
from connectome.selection import Filter, NmBox
from connectome.store.findings.reading import counts
from connectome.store.runs.choice import choose_run

MOST_LINES = 20_000
"""What a browser draws without a wait; of a larger run, those around the place that is looked at."""
FIRST_HALF_NM, LARGEST_HALF_NM, GROWTH = 1_000.0, 1e8, 1.6  # of the cube's side
WHOLE = ("cleft_id", "pre_segment_id", "post_segment_id", "size_voxels")


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Synapses as lines.

    Attributes:
        cleft_id, pre_segment_id, post_segment_id, size_voxels: int64 (n,).
        confidence: float64 (n,), NaN where it isn't known.
        pre_nm, post_nm, centroid_nm: float64 (n, 3), zyx; a partner without a point has its cleft's centroid.
        total: how many synapses the run has; more than n where only those around a place are here.
    """

    cleft_id: NDArray[np.int64]
    pre_segment_id: NDArray[np.int64]
    post_segment_id: NDArray[np.int64]
    size_voxels: NDArray[np.int64]
    confidence: NDArray[np.float64]
    pre_nm: NDArray[np.float64]
    post_nm: NDArray[np.float64]
    centroid_nm: NDArray[np.float64]
    total: int


def read_lines(connectome: Connectome, run: str, *, centre_nm: NmTriple, most: int = MOST_LINES) -> Lines:
    """The synapses of a run; of more than `most`, those in a cube around a place.

    Args:
        connectome: where the run is.
        run: its name.
        centre_nm: the place (z, y, x).
        most: so many at the most.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, or it isn't finished.
    """
    total = counts(connectome.database, choose_run(connectome.database, run).run_id).synapses
    where = Filter(run=run)
    if total <= most:
        return _lines(connectome.synapses(where=where).to_pydict(), total)

    def within(half: float) -> Any:
        box = NmBox(centre - half, centre + half)
        return connectome.synapses(where=replace(where, box_nm=box))

    centre, half = Vector(centre_nm), FIRST_HALF_NM
    found = within(half)
    while half * GROWTH < LARGEST_HALF_NM:
        half *= GROWTH
        wider = within(half)
        if len(wider) > most:
            break
        found = wider
    return _lines(found.slice(0, most).to_pydict(), total)


def _lines(columns: dict[str, list[Any]], total: int) -> Lines:
    def points(prefix: str) -> NDArray[np.float64]:
        axes = [np.array(columns[f"{prefix}{axis}_nm"], np.float64) for axis in "zyx"]
        return np.stack(axes, 1).reshape(-1, 3)

    centroid, pre, post = points(""), points("pre_"), points("post_")
    known = {name: np.array([value or 0 for value in columns[name]], np.int64) for name in WHOLE}
    return Lines(
        **known,
        confidence=np.array(columns["confidence"], np.float64),
        centroid_nm=centroid,
        pre_nm=np.where(np.isnan(pre), centroid, pre),
        post_nm=np.where(np.isnan(post), centroid, post),
        total=total,
    )
