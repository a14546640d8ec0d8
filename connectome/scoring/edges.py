"""Scores the synapses of a run against an annotated connectome."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from connectome.errors import BoxError, ReferenceDataError, ResolutionError
from connectome.evaluate.edges import EdgeInput, EdgeScore, score_edge_rows
from connectome.formats.opening import open_reference
from connectome.formats.reference import Reference
from connectome.geometry import Box, Grid, NmTriple, Triple, triple, whole_factors
from connectome.records import NoProgress, Progress, ReferenceSynapse, Synapses
from connectome.scoring.comparison import Comparison, count_overlap, nm_text, whole_shift
from connectome.store.database import Database
from connectome.store.findings.reading import read_synapses
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import CLEFTS, finished_run
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

    The reference lies on the grid of the run's segmentation, or on a part of it.

    Args:
        database: where the run is.
        run_name: a finished run.
        reference_path: CREMI HDF5 file, or a folder with clefts.zarr and annotations.csv.
        box: score what lies in it, in voxels of the segmentation; None = all that the run and the reference cover.
        progress: told of the voxels that are compared.
        min_confidence: synapses of a lower confidence don't count as predicted.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, or it isn't finished.
        ResolutionError: the grids don't fit each other.
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
        ResolutionError, BoxError, ReferenceDataError, IncompleteRunError: see `score_edges`.
    """
    reference = open_reference(reference_path)
    annotations = reference.synapses()
    if not annotations:
        raise ReferenceDataError(f"{reference_path} has no annotated synapse: there is nothing to score against")
    shift = _shift_to_segmentation(prediction, reference, reference_path)
    scored = _scored_box(prediction, Box.of_shape(reference.grid.shape, shift), box)
    comparison = Comparison.of(prediction.clefts, reference, annotations, within=prediction.box)
    overlaps, ignored_centroids = count_overlap(comparison, synapses, progress)
    return EdgeInput(
        predicted=synapses,
        reference=[_shifted(annotation, shift) for annotation in annotations],
        overlaps=overlaps,
        ignored_centroids=ignored_centroids,
        resolution_nm=prediction.resolution_nm,
        offset_nm=prediction.offset_nm,
        box=scored,
    )


def _shifted(annotation: ReferenceSynapse, shift: Triple) -> ReferenceSynapse:
    z, y, x = (v + s for v, s in zip(annotation.centroid_voxel, shift, strict=True))
    return replace(annotation, centroid_voxel=(z, y, x))


def _shift_to_segmentation(prediction: Prediction, reference: Reference, path: Path) -> Triple:
    """The reference's first voxel in voxels of the prediction's segmentation."""
    given, wanted = reference.grid.resolution_nm, prediction.resolution_nm
    if any(abs(a - b) > 1e-3 * b for a, b in zip(given, wanted, strict=True)):
        raise ResolutionError(
            f"{path} has voxels of {nm_text(given)} nm, the segmentation of {prediction.name} of {nm_text(wanted)} nm: "
            "score against a reference on the segmentation's grid"
        )
    segmentation = Grid(shape=(1, 1, 1), resolution_nm=wanted, offset_nm=prediction.offset_nm)
    return whole_shift(reference.grid.offset_nm, segmentation, str(path))


def _scored_box(prediction: Prediction, annotated: Box, box: Box | None) -> Box:
    """Where to score, in voxels of the segmentation: the box asked for, or all that prediction and reference cover."""
    factors = whole_factors(prediction.clefts.grid.resolution_nm, prediction.resolution_nm)
    start = triple(a * f for a, f in zip(prediction.box.start, factors, strict=True))
    built = Box(start, triple(b * f for b, f in zip(prediction.box.stop, factors, strict=True)))
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
