"""Scores the synapses of a run against an annotated connectome."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectome.errors import BoxError, ReferenceDataError
from connectome.evaluate.edges import EdgeInput, EdgeScore, score_edge_rows
from connectome.formats.opening import open_reference
from connectome.geometry import Box, Grid, NmTriple
from connectome.records import NoProgress, Progress, ReferenceSynapse, Synapses
from connectome.scoring.comparison import Comparison, count_overlap
from connectome.store.database import Database
from connectome.store.findings.reading import read_synapses
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import CLEFTS, finished_run
from connectome.volumes.grid_map import GridMap
from connectome.volumes.volume import Volume

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What is scored, besides its synapses.

    Attributes:
        name: for messages.
        clefts: the label volume, on the working grid.
        resolution_nm, offset_nm: of the segmentation (z, y, x).
        box: what was built, in working voxels.
    """

    name: str
    clefts: Volume
    resolution_nm: NmTriple
    offset_nm: NmTriple
    box: Box

    @classmethod
    def of_run(cls, run: RunRecord) -> Prediction:
        """A finished run's."""
        return cls(
            name=f"run '{run.name}'",
            clefts=Volume.open(run.folder / CLEFTS),
            resolution_nm=run.resolution_nm,
            offset_nm=run.offset_nm,
            box=run.box,
        )


def score_edges(
    database: Database,
    run_name: str,
    reference_path: Path,
    box: Box | None = None,
    progress: Progress | None = None,
    *,
    min_confidence: float = 0.0,
) -> EdgeScore:
    """Strict one-to-one edge precision, recall and F1 of a run; the rule is in `evaluate.edges`.

    The reference lies on a grid of its own.

    Args:
        database: where the run is.
        run_name: a finished run.
        reference_path: CREMI HDF5 file, or a folder with clefts.zarr and annotations.csv.
        box: score what lies in it, in voxels of the segmentation; None = all that the run and the reference cover.
        progress: told of the voxels that are compared.
        min_confidence: synapses of a lower confidence don't count as predicted.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, or it isn't finished.
        BoxError: the box isn't inside the reference.
        ReferenceDataError: nothing is annotated.
    """
    run = finished_run(database, run_name)
    synapses = read_synapses(database, run.run_id, min_confidence=min_confidence)
    return score_edge_rows(edge_input(Prediction.of_run(run), synapses, reference_path, box, progress or NoProgress()))


def edge_input(
    prediction: Prediction, synapses: Synapses, reference_path: Path, box: Box | None, progress: Progress
) -> EdgeInput:
    """Lay a prediction over a reference and count what its clefts share with annotated ones.

    Args:
        prediction: its clefts.
        synapses: its synapses.
        reference_path: see `score_edges`.
        box: see `score_edges`.
        progress: told of the voxels that are compared.

    Raises:
        BoxError, ReferenceDataError, IncompleteRunError: see `score_edges`.
    """
    reference = open_reference(reference_path)
    annotations = reference.synapses()
    if not annotations:
        raise ReferenceDataError(f"{reference_path} has no annotated synapse: there is nothing to score against")
    on_reference = GridMap.of(reference.grid, prediction.resolution_nm, prediction.offset_nm)
    scored = _scored_box(prediction, on_reference.covered, box)
    comparison = Comparison.of(prediction.clefts, reference, annotations, within=prediction.box)
    overlaps, ignored_centroids = count_overlap(comparison, synapses, progress)
    _warn_of_other_ids(prediction, synapses, annotations, reference_path)
    return EdgeInput(
        predicted=synapses,
        reference=[_on_segmentation(annotation, reference.grid, prediction) for annotation in annotations],
        overlaps=overlaps,
        ignored_centroids=ignored_centroids,
        resolution_nm=prediction.resolution_nm,
        offset_nm=prediction.offset_nm,
        box=scored,
    )


def _warn_of_other_ids(
    prediction: Prediction, synapses: Synapses, annotations: Sequence[ReferenceSynapse], path: Path
) -> None:
    """Tell where a reference and a prediction have no segment in common: one is of another segmentation."""
    known = {segment for one in annotations for segment in (one.pre_segment_id, one.post_segment_id)}
    # While parameters are tuned clefts have no partners yet: their ids are 0.
    found = (set(synapses.pre_segment_id.tolist()) | set(synapses.post_segment_id.tolist())) - {0}
    if found and known.isdisjoint(found):
        _LOG.warning(
            "none of the %d segments of %s is among the partners of %s: it annotates another segmentation",
            len(known),
            path,
            prediction.name,
        )


def _on_segmentation(annotation: ReferenceSynapse, grid: Grid, prediction: Prediction) -> ReferenceSynapse:
    """An annotated synapse of a grid, with its centroid in voxels of the prediction's segmentation."""
    first = Grid(shape=(1, 1, 1), resolution_nm=prediction.resolution_nm, offset_nm=prediction.offset_nm)
    on_grid = GridMap.of(grid, prediction.resolution_nm, prediction.offset_nm)
    if all(axis.factor == 1 for axis in on_grid.axes):
        z, y, x = (v + a.shift // a.step for v, a in zip(annotation.centroid_voxel, on_grid.axes, strict=True))
    else:
        z, y, x = first.position(grid.centre_nm(annotation.centroid_voxel))
    return replace(annotation, centroid_voxel=(z, y, x))


def _scored_box(prediction: Prediction, annotated: Box, box: Box | None) -> Box:
    """Where to score, in voxels of the segmentation: the box asked for, or all that prediction and reference cover."""
    own = GridMap.of(prediction.clefts.grid, prediction.resolution_nm, prediction.offset_nm)
    built = own.working(prediction.box)
    if box is None:
        common = annotated.intersect(built)
        if common.is_empty:
            raise BoxError(f"{prediction.name} covers {built}, the reference {annotated}: they don't overlap")
        return common
    if not annotated.contains(box):
        raise BoxError(f"box {box} lies outside the reference, which covers {annotated} (voxels of the segmentation)")
    if not built.contains(box):
        _LOG.warning("box %s reaches beyond %s (%s): what lies there counts as missed", box, prediction.name, built)
    return box
