"""Strict one-to-one matching of predicted and annotated synapses.

1. A predicted cleft with more than half of its voxels, or its centroid, in ignored space counts neither way.
2. Any other predicted cleft belongs to the annotated cleft that it shares most voxels with.
3. A predicted synapse is correct if its ordered (pre, post) is one of the annotated pairs of that cleft (a polyadic
   cleft has several). Of several correct ones for the same annotated pair, the one whose cleft overlaps most is the
   true positive (of equals, the smaller cleft id); the others are false positives.
4. Every other prediction is a false positive: wrong partners, or no annotated cleft under it.
5. An annotated pair without a true positive is a false negative.

Matching is done on the whole volume, then the box chooses: what belongs to an annotated cleft counts where that
cleft's centroid lies, other predictions where their own does. So a pair of clefts at the border stays together.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectome.evaluate.clefts import OverlapTable, PredictedOverlap
from connectome.evaluate.intervals import Interval, ratio, wilson_interval
from connectome.geometry import Box, NmTriple, Vector
from connectome.records import ReferenceSynapse, Synapses

VOXEL_DECIMALS = 3  # beyond what tables of positions in nm keep
NOTHING = PredictedOverlap()
Pair = tuple[int, int]
Key = tuple[int | None, Pair]
VoxelPoint = tuple[float, float, float]


class Outcome(StrEnum):
    """The outcome that a synapse counts as."""

    TRUE_POSITIVE = "true_positive"
    FALSE_POSITIVE = "false_positive"
    FALSE_NEGATIVE = "false_negative"
    IGNORED = "ignored"


class Reason(StrEnum):
    """Why it counts so."""

    CORRECT = "correct partners"
    WRONG_PARTNERS = "wrong partners"
    DUPLICATE = "duplicate"
    NO_CLEFT = "no annotated cleft"
    NO_PAIR = "annotated cleft has no partners"
    MISSED = "missed"
    IGNORED_SPACE = "ignored space"


@dataclass(frozen=True, kw_only=True)
class JudgedSynapse:
    """A predicted or annotated synapse with its verdict.

    Attributes:
        cleft_id: the predicted cleft; None for a false negative.
        reference_cleft_id: the annotated cleft it belongs to; None where there is none.
        pre_segment_id, post_segment_id: its own partners: the predicted ones, for a false negative the annotated ones.
        overlap_voxels: voxels that the two clefts share.
        centroid_nm: centroid (z, y, x) of the predicted cleft, for a false negative of the annotated one.
    """

    outcome: Outcome
    reason: Reason
    cleft_id: int | None
    reference_cleft_id: int | None
    pre_segment_id: int
    post_segment_id: int
    overlap_voxels: int
    centroid_nm: NmTriple


@dataclass(frozen=True, kw_only=True)
class EdgeScore:
    """Strict one-to-one edge precision, recall and F1.

    Always n_predicted = true positives + false positives and n_reference = true positives + false negatives. Precision,
    recall and F1 are 0 where their denominator is 0 (nothing predicted, nothing annotated).

    Attributes:
        precision_interval, recall_interval: Wilson 95 % intervals.
        n_ignored: predictions that count neither way.
        box: where was scored, in voxels of the segmentation; None = everywhere.
    """

    n_predicted: int
    n_reference: int
    n_ignored: int
    true_positives: int
    precision: float
    recall: float
    f1: float
    precision_interval: Interval
    recall_interval: Interval
    box: Box | None
    true_positive_synapses: tuple[JudgedSynapse, ...]
    false_positive_synapses: tuple[JudgedSynapse, ...]
    false_negative_synapses: tuple[JudgedSynapse, ...]
    ignored_synapses: tuple[JudgedSynapse, ...]

    @classmethod
    def of(cls, judged: Sequence[JudgedSynapse], box: Box | None = None) -> EdgeScore:
        """The score over judged synapses."""
        by_outcome = {
            outcome: tuple(sorted((s for s in judged if s.outcome is outcome), key=_order)) for outcome in Outcome
        }
        true, false, missed, ignored = (by_outcome[outcome] for outcome in Outcome)
        n_predicted, n_reference = len(true) + len(false), len(true) + len(missed)
        return cls(
            n_predicted=n_predicted,
            n_reference=n_reference,
            n_ignored=len(ignored),
            true_positives=len(true),
            precision=ratio(len(true), n_predicted),
            recall=ratio(len(true), n_reference),
            f1=ratio(2 * len(true), n_predicted + n_reference),
            precision_interval=wilson_interval(len(true), n_predicted),
            recall_interval=wilson_interval(len(true), n_reference),
            box=box,
            true_positive_synapses=true,
            false_positive_synapses=false,
            false_negative_synapses=missed,
            ignored_synapses=ignored,
        )

    @property
    def judged(self) -> tuple[JudgedSynapse, ...]:
        """All judged synapses: true positives, false positives, false negatives, ignored."""
        return (
            self.true_positive_synapses
            + self.false_positive_synapses
            + self.false_negative_synapses
            + self.ignored_synapses
        )


def _order(synapse: JudgedSynapse) -> tuple[int, int, int, int]:
    return (
        synapse.cleft_id or 0,
        synapse.reference_cleft_id or 0,
        synapse.pre_segment_id,
        synapse.post_segment_id,
    )


@dataclass(frozen=True, kw_only=True)
class EdgeInput:
    """The inputs of `score_edge_rows`.

    Attributes:
        predicted: the run's synapses; distinct in (cleft, pre, post).
        reference: the annotated synapses; rows equal in (cleft, pre, post) are one synapse.
        overlaps: predicted cleft id -> what it covers; a cleft that isn't there covers nothing.
        ignored_centroids: predicted clefts whose centroid lies in ignored space.
        resolution_nm, offset_nm: the segmentation's grid (z, y, x), in whose voxels the box and the reference's
            centroids are given.
        box: score what lies in it; None = everywhere. A centroid is compared as mean voxel index.
    """

    predicted: Synapses
    reference: Sequence[ReferenceSynapse]
    overlaps: OverlapTable
    ignored_centroids: Collection[int] = ()
    resolution_nm: NmTriple
    offset_nm: NmTriple = (0.0, 0.0, 0.0)
    box: Box | None = None


def score_edge_rows(given: EdgeInput) -> EdgeScore:
    """Precision, recall and F1 of predicted synapses, with every synapse judged; the rule is above.

    The order of the rows doesn't matter.
    """
    reference = {(r.cleft_id, (r.pre_segment_id, r.post_segment_id)): r for r in given.reference}
    centroids = {row.cleft_id: row.centroid_voxel for row in reference.values()}
    placed = _placed(given)
    winners = _winners(placed, reference)
    judged = []
    for item in placed:
        home = _voxel(given, item.centroid_nm)
        if not item.is_ignored and item.label in centroids:
            home = centroids[item.label]
        if _is_inside(given.box, home):
            judged.append(_judge(item, _verdict(item, reference, centroids, winners)))
    confused = {b.label for b in placed if not b.is_ignored and (b.label, b.pair) not in reference}
    for key, annotation in reference.items():
        if key not in winners and _is_inside(given.box, annotation.centroid_voxel):
            reason = Reason.WRONG_PARTNERS if annotation.cleft_id in confused else Reason.MISSED
            judged.append(_missed(given, annotation, reason))
    return EdgeScore.of(judged, given.box)


@dataclass(frozen=True, kw_only=True)
class _Placed:
    """A predicted synapse and the annotated cleft that it belongs to (None: touches none)."""

    cleft_id: int
    pair: Pair
    centroid_nm: NmTriple
    label: int | None
    overlap_voxels: int
    is_ignored: bool


def _placed(given: EdgeInput) -> list[_Placed]:
    found = given.predicted
    pairs = zip(found.pre_segment_id.tolist(), found.post_segment_id.tolist(), strict=True)
    placed = []
    for cleft_id, pair, centroid in zip(found.cleft_id.tolist(), pairs, found.centroid_nm.tolist(), strict=True):
        overlap = given.overlaps.get(cleft_id, NOTHING)
        placed.append(
            _Placed(
                cleft_id=cleft_id,
                pair=pair,
                centroid_nm=tuple(centroid),
                label=overlap.best,
                overlap_voxels=0 if overlap.best is None else overlap.by_reference[overlap.best],
                is_ignored=overlap.is_mostly_ignored or cleft_id in given.ignored_centroids,
            )
        )
    return placed


def _winners(placed: Sequence[_Placed], reference: Container[Key]) -> dict[Key, _Placed]:
    """The true positive of each annotated pair that has one."""
    winners: dict[Key, _Placed] = {}
    for item in sorted(placed, key=lambda b: (-b.overlap_voxels, b.cleft_id)):
        if item.label is not None and not item.is_ignored and (item.label, item.pair) in reference:
            winners.setdefault((item.label, item.pair), item)
    return winners


def _verdict(
    item: _Placed, reference: Container[Key], partnered: Container[int], winners: Mapping[Key, _Placed]
) -> tuple[Outcome, Reason]:
    if item.is_ignored:
        return Outcome.IGNORED, Reason.IGNORED_SPACE
    if item.label is None:
        return Outcome.FALSE_POSITIVE, Reason.NO_CLEFT
    if item.label not in partnered:
        return Outcome.FALSE_POSITIVE, Reason.NO_PAIR
    key = (item.label, item.pair)
    if key not in reference:
        return Outcome.FALSE_POSITIVE, Reason.WRONG_PARTNERS
    if winners[key].cleft_id != item.cleft_id:
        return Outcome.FALSE_POSITIVE, Reason.DUPLICATE
    return Outcome.TRUE_POSITIVE, Reason.CORRECT


def _judge(item: _Placed, verdict: tuple[Outcome, Reason]) -> JudgedSynapse:
    return JudgedSynapse(
        outcome=verdict[0],
        reason=verdict[1],
        cleft_id=item.cleft_id,
        reference_cleft_id=item.label,
        pre_segment_id=item.pair[0],
        post_segment_id=item.pair[1],
        overlap_voxels=item.overlap_voxels,
        centroid_nm=item.centroid_nm,
    )


def _missed(given: EdgeInput, annotation: ReferenceSynapse, reason: Reason) -> JudgedSynapse:
    return JudgedSynapse(
        outcome=Outcome.FALSE_NEGATIVE,
        reason=reason,
        cleft_id=None,
        reference_cleft_id=annotation.cleft_id,
        pre_segment_id=annotation.pre_segment_id,
        post_segment_id=annotation.post_segment_id,
        overlap_voxels=0,
        centroid_nm=Vector(given.offset_nm) + (Vector(annotation.centroid_voxel) + 0.5) * given.resolution_nm,
    )


def _voxel(given: EdgeInput, point_nm: NmTriple) -> VoxelPoint:
    """A point as voxel index of the segmentation, whole at voxel centres like a mean of indices."""
    return (Vector(point_nm) - given.offset_nm) / given.resolution_nm - 0.5


def _is_inside(box: Box | None, voxel: VoxelPoint) -> bool:
    z, y, x = (round(v, VOXEL_DECIMALS) for v in voxel)
    return box is None or box.contains_point((z, y, x))
