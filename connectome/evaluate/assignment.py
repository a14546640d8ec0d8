"""Accuracy of partner assignment on annotated clefts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectome.evaluate.wilson import Interval, ratio, wilson_interval
from connectome.records import ReferenceSynapse

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class WrongAssignment:
    """An annotated cleft that got other partners than the annotated ones.

    Attributes:
        pre_segment_id, post_segment_id: what was chosen; None where no pair could be chosen.
        reference_pairs: the annotated (pre, post), ascending; several for a polyadic cleft.
        centroid_voxel: of the annotated cleft (z, y, x), voxels of the segmentation.
    """

    cleft_id: int
    pre_segment_id: int | None
    post_segment_id: int | None
    reference_pairs: tuple[Pair, ...]
    centroid_voxel: tuple[float, float, float]

    @property
    def is_swapped(self) -> bool:
        """Whether the partners are right but in each other's role."""
        return (self.post_segment_id, self.pre_segment_id) in self.reference_pairs


@dataclass(frozen=True, kw_only=True)
class AssignmentScore:
    """Accuracy over annotated clefts; each is 0 where there is no cleft.

    Attributes:
        n: annotated clefts.
        correct: those with both partners right.
        accuracy_interval: Wilson 95 % interval of `accuracy`.
        pre_accuracy, post_accuracy: share with the presynaptic, the postsynaptic partner right.
    """

    n: int
    correct: int
    accuracy: float
    accuracy_interval: Interval
    pre_accuracy: float
    post_accuracy: float
    errors: tuple[WrongAssignment, ...]


def score_assignment_pairs(reference: Sequence[ReferenceSynapse], chosen: Mapping[int, Pair | None]) -> AssignmentScore:
    """Compare the chosen pair of each annotated cleft with the annotated one.

    A polyadic cleft counts once and is right if the chosen pair is one of its pairs.

    Args:
        reference: annotated synapses; each of their clefts is scored.
        chosen: annotated cleft id -> chosen (pre, post); a cleft that is absent or None is wrong on both sides.
    """
    pairs: dict[int, set[Pair]] = {}
    for row in reference:
        pairs.setdefault(row.cleft_id, set()).add((row.pre_segment_id, row.post_segment_id))
    centroids = {row.cleft_id: row.centroid_voxel for row in reference}
    picks = {cleft_id: chosen.get(cleft_id) or (None, None) for cleft_id in sorted(pairs)}
    errors = tuple(
        WrongAssignment(
            cleft_id=cleft_id,
            pre_segment_id=pick[0],
            post_segment_id=pick[1],
            reference_pairs=tuple(sorted(pairs[cleft_id])),
            centroid_voxel=centroids[cleft_id],
        )
        for cleft_id, pick in picks.items()
        if pick not in pairs[cleft_id]
    )
    n, correct = len(pairs), len(pairs) - len(errors)
    return AssignmentScore(
        n=n,
        correct=correct,
        accuracy=ratio(correct, n),
        accuracy_interval=wilson_interval(correct, n),
        pre_accuracy=ratio(sum(pick[0] in {pre for pre, _ in pairs[c]} for c, pick in picks.items()), n),
        post_accuracy=ratio(sum(pick[1] in {post for _, post in pairs[c]} for c, pick in picks.items()), n),
        errors=errors,
    )
