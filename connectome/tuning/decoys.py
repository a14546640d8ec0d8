"""Finds decoys: objects that a detector takes for clefts where nobody annotated one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.evaluate.clefts import OverlapTable, PredictedOverlap
from connectome.formats.decoys import LABELS, TABLE, write_decoys
from connectome.formats.opening import open_reference
from connectome.geometry import BlockGrid
from connectome.pipeline.chosen import working_size
from connectome.pipeline.steps import Steps
from connectome.records import NoProgress, Progress, Synapses
from connectome.scoring.comparison import Comparison, count_overlap
from connectome.tuning.annotated_volume import AnnotatedVolumes, OpenVolume, open_volume
from connectome.tuning.kept_outputs import KeptOutputs
from connectome.volumes.volume import Volume


@dataclass(frozen=True, kw_only=True)
class FoundDecoys:
    """The decoys of one volume: objects found by the detector, and the number of decoys among them."""

    name: str
    objects: int
    decoys: int


def find_decoys(on: AnnotatedVolumes, min_size_voxels: int, progress: Progress | None = None) -> list[FoundDecoys]:
    """Write decoys.zarr and decoys.csv into the folder of every volume; the table comes last.

    An object is a decoy if it shares no voxel with an annotated cleft and at most half of its voxels are ignored.

    Args:
        on: where to look: folders, see `AnnotatedVolume.parse`; of the build the detector, its device and the threshold
            matter.
        min_size_voxels: smaller objects aren't worth a sample.
        progress: is told how far it is.

    Raises:
        InputError, CheckpointError, DeviceError, StorageError: a volume or the model doesn't do.
    """
    shown = progress or NoProgress()
    opened = [open_volume(volume, on.build) for volume in on.volumes]
    return [_find(one, KeptOutputs(one, on.outputs, shown), min_size_voxels, shown) for one in opened]


def _find(opened: OpenVolume, outputs: KeptOutputs, min_size_voxels: int, progress: Progress) -> FoundDecoys:
    threshold = opened.parameters.stored_threshold
    smallest = working_size(min_size_voxels, opened.parameters.voxels_a_model_voxel)
    clefts, labels = outputs.clefts(threshold, smallest), outputs.labels(threshold)
    reference = open_reference(opened.volume.reference)
    comparison = Comparison.of(labels, reference, reference.synapses(), within=opened.inputs.box)
    table, _ = count_overlap(comparison, Synapses.empty(), progress)
    decoys = np.array([_is_decoy(table, int(cleft_id)) for cleft_id in clefts.cleft_id], bool)
    _write_labels(opened, labels, clefts.cleft_id[decoys])
    write_decoys(opened.volume.reference / TABLE, clefts.take(decoys))
    return FoundDecoys(name=opened.volume.name, objects=len(decoys), decoys=int(decoys.sum()))


def _is_decoy(table: OverlapTable, cleft_id: int) -> bool:
    overlap = table.get(cleft_id, PredictedOverlap())
    return not overlap.by_reference and not overlap.is_mostly_ignored


def _write_labels(opened: OpenVolume, labels: Volume, ids: NDArray[np.int64]) -> None:
    (opened.volume.reference / TABLE).unlink(missing_ok=True)
    steps = Steps(inputs=opened.inputs, parameters=opened.parameters)
    written = steps.create_volume(opened.volume.reference / LABELS, np.uint64)
    for _, block in BlockGrid(opened.inputs.box, opened.parameters.block_shape):
        found = labels.read(block)
        found[~np.isin(found, ids.astype(np.uint64))] = 0
        if found.any():
            written.write(block, found)
