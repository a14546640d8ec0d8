"""Scores the synapses of a run against an annotated connectome."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from connectome.errors import BoxError, ReferenceDataError, ResolutionError
from connectome.evaluate.edge_score import EdgeScore
from connectome.evaluate.edges import EdgeInput, score_edge_rows
from connectome.formats import Reference, open_reference
from connectome.geometry import Box, Grid, Triple, triple, whole_factors
from connectome.pipeline.comparison import Comparison, count_overlap, nm_text, whole_shift
from connectome.pipeline.finished import CLEFTS, finished_run
from connectome.records import NoProgress, Progress, ReferenceSynapse
from connectome.store.database import Database
from connectome.store.reading import synapse_rows
from connectome.store.run_records import RunRecord
from connectome.volume import Volume

_LOG = logging.getLogger(__name__)


def score_edges(
    database: Database,
    run_name: str,
    reference_path: Path,
    box: Box | None = None,
    progress: Progress | None = None,
) -> EdgeScore:
    """Strict one-to-one edge precision, recall and F1 of a run; the rule is in `evaluate.edges`.

    The reference lies on the grid of the run's segmentation, or on a part of it.

    Args:
        database: where the run is.
        run_name: a finished run.
        reference_path: CREMI HDF5 file, or a folder with clefts.zarr and annotations.csv.
        box: score what lies in it, in voxels of the segmentation; None = all that the run and the reference cover.
        progress: told of the voxels that are compared.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, or it isn't finished.
        ResolutionError: the grids don't fit each other.
        BoxError: the box isn't inside the reference.
        ReferenceDataError: nothing is annotated.
    """
    run = finished_run(database, run_name)
    predicted = Volume.open(run.folder / CLEFTS)
    reference = open_reference(reference_path)
    annotations = reference.synapses()
    if not annotations:
        raise ReferenceDataError(f"{reference_path} has no annotated synapse: there is nothing to score against")
    shift = _shift_to_segmentation(run, reference, reference_path)
    scored = _scored_box(run, predicted, Box.of_shape(reference.grid.shape, shift), box)
    rows = synapse_rows(database, run.run_id)
    overlaps, ignored_centroids = count_overlap(
        Comparison.of(predicted, reference, annotations), rows, progress or NoProgress()
    )
    return score_edge_rows(
        EdgeInput(
            predicted=rows,
            reference=[_shifted(annotation, shift) for annotation in annotations],
            overlaps=overlaps,
            ignored_centroids=ignored_centroids,
            resolution_nm=run.resolution_nm,
            offset_nm=run.offset_nm,
            box=scored,
        )
    )


def _shifted(annotation: ReferenceSynapse, shift: Triple) -> ReferenceSynapse:
    z, y, x = (v + s for v, s in zip(annotation.centroid_voxel, shift, strict=True))
    return replace(annotation, centroid_voxel=(z, y, x))


def _shift_to_segmentation(run: RunRecord, reference: Reference, path: Path) -> Triple:
    """The reference's first voxel in voxels of the run's segmentation."""
    given, wanted = reference.grid.resolution_nm, run.resolution_nm
    if any(abs(a - b) > 1e-3 * b for a, b in zip(given, wanted, strict=True)):
        raise ResolutionError(
            f"{path} has voxels of {nm_text(given)} nm, the segmentation of run '{run.name}' of {nm_text(wanted)} nm: "
            "score against a reference on the segmentation's grid"
        )
    segmentation = Grid(shape=(1, 1, 1), resolution_nm=wanted, offset_nm=run.offset_nm)
    return whole_shift(reference.grid.offset_nm, segmentation, str(path))


def _scored_box(run: RunRecord, predicted: Volume, annotated: Box, box: Box | None) -> Box:
    """Where to score, in voxels of the segmentation: the box asked for, or all that run and reference cover."""
    factors = whole_factors(predicted.grid.resolution_nm, run.resolution_nm)
    start = triple(a * f for a, f in zip(run.box.start, factors, strict=True))
    built = Box(start, triple(b * f for b, f in zip(run.box.stop, factors, strict=True)))
    if box is None:
        common = annotated.intersect(built)
        if common.is_empty:
            raise BoxError(f"run '{run.name}' covers {built}, the reference {annotated}: they don't overlap")
        return common
    if not annotated.contains(box):
        raise BoxError(f"box {box} lies outside the reference, which covers {annotated} (voxels of the segmentation)")
    if not built.contains(box):
        _LOG.warning("box %s reaches beyond run '%s' (%s): what lies there counts as missed", box, run.name, built)
    return box
