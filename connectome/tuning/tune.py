"""`connectome tune`: the parameters that give the best edges on annotated volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ConfigError
from connectome.models.assigners import choose_assigner
from connectome.pipeline.parameters import ASSIGNER, AXES, PARAMETERS, chosen_values
from connectome.pipeline.request import BuildRequest
from connectome.records import NoProgress, Progress
from connectome.tuning.annotated_volume import AnnotatedVolumes, OpenVolume, open_volume
from connectome.tuning.grid import Cell, Index, ParameterGrid, TunedGrid, precision_recall
from connectome.tuning.grid_scoring import VolumeScorer
from connectome.tuning.kept_outputs import KeptOutputs

OUTPUTS = "tuning"
SCORE_CUTS = 60  # points of a curve over the score


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Precision and recall over one parameter, the others as chosen: float64 (n,) each, over all volumes together."""

    values: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The result of tuning.

    Attributes:
        names: of the volumes.
        built_boxes: what to build of each volume to get its score, in voxels of the segmentation.
        tuned: every cell's counts.
        cell: the chosen parameters.
        over_threshold, over_score: curves through the chosen cell.
    """

    names: tuple[str, ...]
    built_boxes: tuple[str, ...]
    tuned: TunedGrid
    cell: Cell
    over_threshold: Curve
    over_score: Curve

    @property
    def f1(self) -> float:
        """The mean F1 at the chosen cell."""
        return float(self.tuned.f1[self.tuned.chosen()])

    @property
    def chosen_counts(self) -> NDArray[np.int64]:
        """True positives, predicted, annotated at the chosen cell: int64 (volumes, 3)."""
        return self.tuned.counts_at(self.tuned.chosen())


def tune(on: AnnotatedVolumes, grid: ParameterGrid, progress: Progress | None = None) -> Tuning:
    """Score every cell of a grid on every volume and choose one (see `tuning.grid.choose`).

    The first call runs the networks; their outputs are kept, so that later ones take seconds.

    Raises:
        InputError, CheckpointError, DeviceError, StorageError: a volume or a model doesn't do.
    """
    scorers = open_scorers(on, grid, progress or NoProgress())
    counts = np.stack([scorer.counts() for scorer in scorers])
    weights = np.array([volume.weight for volume in on.volumes])
    tuned = TunedGrid(grid=grid, counts=counts, weights=weights)
    index = tuned.chosen()
    cell = grid.cell(index)
    return Tuning(
        names=tuple(volume.name for volume in on.volumes),
        built_boxes=tuple(str(scorer.opened.built_box) for scorer in scorers),
        tuned=tuned,
        cell=cell,
        over_threshold=_threshold_curve(tuned, index),
        over_score=_score_curve(scorers, cell),
    )


def grid_for(build: BuildRequest, asked: Mapping[str, Any]) -> ParameterGrid:
    """The usual grid of a build's mode, with other values, by the name of the axis, where they are asked for.

    Raises:
        ConfigError: a value that no build takes, or thresholds of further partners, which only the polyadic mode has.
        CheckpointError: no such model.
    """
    recommended = choose_assigner(build.models.assigner, build.models.direction).parameters
    polyadic = chosen_values(build.parameters, {ASSIGNER: recommended})["polyadic"]
    for name in asked:
        if PARAMETERS[name].polyadic_only and not polyadic:
            raise ConfigError(f"{PARAMETERS[name].words}s are of use in the polyadic mode alone", about="polyadic")
    return ParameterGrid({**ParameterGrid.usual(polyadic=polyadic).tried, **asked})


def open_scorers(on: AnnotatedVolumes, grid: ParameterGrid, progress: Progress) -> list[VolumeScorer]:
    """The volumes with their outputs, all opened and checked before anything is computed."""
    opened: list[OpenVolume] = [open_volume(volume, on.build) for volume in on.volumes]
    return [VolumeScorer(one, KeptOutputs(one, on.outputs, progress), grid) for one in opened]


def _threshold_curve(tuned: TunedGrid, index: Index) -> Curve:
    values, axis = tuned.grid.tried["threshold"], AXES.index("threshold")
    places = [(*index[:axis], place, *index[axis + 1 :]) for place in range(len(values))]
    counts = [tuned.counts_at(place).sum(0) for place in places]
    return _curve(np.array(values), np.array(counts))


def _score_curve(scorers: Sequence[VolumeScorer], cell: Cell) -> Curve:
    scores = np.concatenate([scorer.scores(cell) for scorer in scorers])
    cuts = (
        np.unique(np.concatenate([[0.0], np.quantile(scores, np.linspace(0, 1, SCORE_CUTS))])) if len(scores) else [0]
    )
    counts = [sum(np.array(s.counts_at({**cell, "min_score": float(cut)})) for s in scorers) for cut in cuts]
    return _curve(np.array(cuts), np.array(counts))


def _curve(values: NDArray[np.float64], counts: NDArray[np.int64]) -> Curve:
    precision, recall = precision_recall(counts)
    return Curve(values=values, precision=precision, recall=recall)
