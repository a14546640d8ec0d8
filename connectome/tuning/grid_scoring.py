"""Edge scores of every cell of a parameter grid on one volume, from kept outputs: no network, no database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.evaluate.edges import EdgeInput, EdgeScore, Outcome, score_edge_rows
from connectome.partners.assignment import AssignmentRules, RuleRange
from connectome.partners.duplicates import merge_duplicates
from connectome.partners.synapses import Chosen
from connectome.pipeline.chosen import Parameters, working_size
from connectome.records import NoProgress, Synapses
from connectome.scoring.edges import Prediction, edge_input
from connectome.tuning.annotated_volume import OpenVolume
from connectome.tuning.grid import Cell, ParameterGrid
from connectome.tuning.kept_outputs import KeptOutputs
from connectome.tuning.scored_clefts import ScoredClefts

Counts = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class JudgedSynapses:
    """The synapses of one volume at one cell that count.

    Attributes:
        features: float64 (n, features), see `Evidence`.
        score: float64 (n,), raw scores.
        correct: boolean (n,).
    """

    features: NDArray[np.float64]
    score: NDArray[np.float64]
    correct: NDArray[np.bool_]


class VolumeScorer:
    """Scores one volume; everything that cells share is computed once."""

    def __init__(self, opened: OpenVolume, outputs: KeptOutputs, grid: ParameterGrid) -> None:
        """Score the cells of `grid`."""
        self.opened, self.outputs, self.grid = opened, outputs, grid
        self._levels: dict[int, _Level] = {}

    def counts(self) -> NDArray[np.int64]:
        """True positives, predicted and annotated synapses of every cell: int64 (*grid.shape, 3)."""
        counts = np.zeros((*self.grid.shape, 3), np.int64)
        for index in self.grid:
            counts[index] = self.counts_at(self.grid.cell(index))
        return counts

    def score(self, cell: Cell) -> EdgeScore:
        """The edge score at one cell, every synapse judged: what a build with these parameters would get."""
        chosen = self._choice(cell)
        return chosen.edge_score(chosen.kept(self.parameters(cell)))

    def counts_at(self, cell: Cell) -> Counts:
        """True positives, predicted and annotated synapses at one cell, whose minimum score may lie off the grid."""
        return self._choice(cell).counts(self.parameters(cell))

    def judged(self, cell: Cell) -> JudgedSynapses:
        """The synapses at one cell, each judged; those in ignored space, or outside the scored box, are left out."""
        chosen = self._choice(cell)
        kept = chosen.kept(self.parameters(cell))
        verdict = {
            (s.cleft_id, s.pre_segment_id, s.post_segment_id): s.outcome is Outcome.TRUE_POSITIVE
            for s in chosen.edge_score(kept).judged
            if s.outcome in (Outcome.TRUE_POSITIVE, Outcome.FALSE_POSITIVE)
        }
        rows = chosen.synapses.take(kept)
        columns = (rows.cleft_id, rows.pre_segment_id, rows.post_segment_id)
        keys = list(zip(*(column.tolist() for column in columns), strict=True))
        counted = np.array([key in verdict for key in keys], bool)
        evidence = chosen.evidence.take(kept[counted])
        return JudgedSynapses(
            features=evidence.features(),
            score=evidence.score,
            correct=np.array([verdict[key] for key in keys if key in verdict], bool),
        )

    def scores(self, cell: Cell) -> NDArray[np.float64]:
        """The raw scores (n,) of all synapses at one cell, whatever its minimum size and score."""
        return self._choice(cell).synapses.confidence

    def _choice(self, cell: Cell) -> _Choice:
        parameters = self.parameters(cell)
        level = parameters.stored_threshold
        if level not in self._levels:
            self._levels[level] = _Level(self, level)
        return self._levels[level].choose(parameters.assignment)

    def parameters(self, cell: Cell) -> Parameters:
        """What a build with these parameters would use."""
        return replace(self.opened.parameters, **cell)

    def tried(self, name: str) -> tuple[Any, ...]:
        """The values of a parameter over the grid."""
        return self.grid.tried.get(name, (getattr(self.opened.parameters, name),))


class _Level:
    """All clefts at one threshold, laid over the reference."""

    def __init__(self, scorer: VolumeScorer, value: int) -> None:
        opened = scorer.opened
        served = RuleRange(dilations_nm=scorer.tried("dilation_nm"), min_contact=min(scorer.tried("min_contact")))
        smallest = working_size(min(scorer.tried("min_size_voxels")), opened.parameters.voxels_a_model_voxel)
        self.scored: ScoredClefts = scorer.outputs.scored(value, served, smallest)
        inputs = opened.inputs
        segmentation = inputs.given_segmentation.finest.grid
        prediction = Prediction(
            name=opened.volume.name,
            clefts=scorer.outputs.labels(value),
            resolution_nm=segmentation.resolution_nm,
            offset_nm=segmentation.offset_nm,
            box=inputs.box,
        )
        clefts = self.scored.clefts
        nobody = np.zeros(len(clefts), np.int64)
        everything = Synapses(
            cleft_id=clefts.cleft_id,
            pre_segment_id=nobody,
            post_segment_id=nobody,
            confidence=nobody.astype(float),
            size_voxels=clefts.size_voxels,
            centroid_nm=clefts.centroid_nm,
        )
        self.given: EdgeInput = edge_input(
            prediction, everything, opened.volume.reference, opened.volume.box, NoProgress()
        )
        self.counted: dict[bytes, Counts] = {}
        self._chosen: dict[AssignmentRules, _Choice] = {}

    def choose(self, rules: AssignmentRules) -> _Choice:
        if rules not in self._chosen:
            self._chosen[rules] = _Choice(self, self.scored.choose(rules))
        return self._chosen[rules]


class _Choice:
    """The synapses at one threshold by one set of rules; counts of equal sets of synapses are computed once."""

    def __init__(self, level: _Level, chosen: Chosen) -> None:
        self.level, self.synapses, self.evidence = level, chosen.synapses, chosen.evidence
        self._keys = np.column_stack([chosen.cleft, self.synapses.pre_segment_id, self.synapses.post_segment_id])
        self._kept: dict[tuple[float, bytes], NDArray[np.int64]] = {}

    def kept(self, parameters: Parameters) -> NDArray[np.int64]:
        """Places of the synapses that a build would keep: by size, by score, then without duplicates."""
        found = self.synapses
        is_kept = (found.size_voxels >= parameters.working_min_size) & (found.confidence >= parameters.min_score)
        places = np.flatnonzero(is_kept)
        key = parameters.duplicate_distance_nm, places.tobytes()
        if key not in self._kept:
            stays = merge_duplicates(found.take(places), parameters.duplicate_distance_nm).stays
            self._kept[key] = places[stays]
        return self._kept[key]

    def edge_score(self, kept: NDArray[np.int64]) -> EdgeScore:
        return score_edge_rows(replace(self.level.given, predicted=self.synapses.take(kept)))

    def counts(self, parameters: Parameters) -> Counts:
        kept, counted = self.kept(parameters), self.level.counted
        key = self._keys[kept].tobytes()
        if key not in counted:
            score = self.edge_score(kept)
            counted[key] = score.true_positives, score.n_predicted, score.n_reference
        return counted[key]
