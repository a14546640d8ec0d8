"""The place where a viewer opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from connectome.errors import InputError
from connectome.geometry import NmTriple
from connectome.query.connectome import Connectome
from connectome.selection import Filter
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import CLEFTS
from connectome.volumes.volume import Volume


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the viewer opens at: a point (z, y, x) in nm, and a segment that is selected, or none."""

    centre_nm: NmTriple
    segment_id: int | None = None


def find_place(connectome: Connectome, run: RunRecord, *, cleft_id: int | None, segment_id: int | None) -> Place:
    """Where to open a run: at a synapse, at one of a segment's, or in the middle of what was built.

    Raises:
        InputError: the run has no such cleft with a synapse, or the segment has no synapse.
    """
    where = Filter(run=run.name)
    found: list[dict[str, Any]] = []
    if cleft_id is not None:
        found = connectome.ready("synapses", where, cleft=cleft_id).to_pylist()
    elif segment_id is not None:
        sides = ({"pre": segment_id}, {"post": segment_id})
        found = [row for side in sides for row in connectome.synapses(where=where, **side).slice(0, 1).to_pylist()]
    if found:
        return Place(centre_nm=(found[0]["z_nm"], found[0]["y_nm"], found[0]["x_nm"]), segment_id=segment_id)
    if cleft_id is not None or segment_id is not None:
        what = f"of cleft {cleft_id}" if cleft_id is not None else f"of segment {segment_id}"
        raise InputError(f"run '{run.name}' has no synapse {what}")
    if run.inputs is None:
        raise InputError(f"run '{run.name}' was imported: say where to look")
    clefts = Volume.open(run.folder / CLEFTS).grid
    middle = (np.add(run.box.start, run.box.stop) / 2 * clefts.resolution_nm) + clefts.offset_nm
    return Place(centre_nm=tuple(middle.tolist()))
