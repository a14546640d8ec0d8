"""Assigned partners on annotated clefts: the accuracy of one pair each, and how well whole sets are found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from connectome.evaluate.intervals import Interval, ratio, wilson_interval
from connectome.records import ReferenceSynapse, Role

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
        """True if the partners are right but in each other's role."""
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


@dataclass(frozen=True, kw_only=True)
class SetScore:
    """Precision, recall and F1 of chosen items against annotated ones; each is 0 where its denominator is 0.

    Attributes:
        n_chosen, n_reference: how many items were chosen, how many are annotated.
        correct: those that are both.
        precision_interval, recall_interval: Wilson 95 % intervals. Items of one cleft aren't independent of each other,
            so the true intervals are wider.
    """

    n_chosen: int
    n_reference: int
    correct: int
    precision: float
    recall: float
    f1: float
    precision_interval: Interval
    recall_interval: Interval

    @classmethod
    def of(cls, chosen: Collection[tuple[int, ...]], reference: Collection[tuple[int, ...]]) -> SetScore:
        """The score of two collections of items; an item that is given twice is one."""
        picked, true = set(chosen), set(reference)
        correct = len(picked & true)
        return cls(
            n_chosen=len(picked),
            n_reference=len(true),
            correct=correct,
            precision=ratio(correct, len(picked)),
            recall=ratio(correct, len(true)),
            f1=ratio(2 * correct, len(picked) + len(true)),
            precision_interval=wilson_interval(correct, len(picked)),
            recall_interval=wilson_interval(correct, len(true)),
        )


@dataclass(frozen=True, kw_only=True)
class PartnerSetError:
    """The errors at one annotated cleft: chosen and not annotated, and the reverse.

    Attributes:
        missed, invented: the annotated pairs (pre, post) that weren't chosen, and the chosen ones that aren't
            annotated; ascending.
        correct: how many pairs are both.
        centroid_voxel: of the annotated cleft (z, y, x), voxels of the segmentation.
    """

    cleft_id: int
    missed: tuple[Pair, ...]
    invented: tuple[Pair, ...]
    correct: int
    centroid_voxel: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class PartnerSetScore:
    """Scores over annotated clefts.

    Attributes:
        n_clefts: annotated clefts. exact: those whose chosen pairs are exactly the annotated ones.
        exact_interval: Wilson 95 % interval of the share of exact clefts.
        pairs: items are (cleft, pre, post). by_role: items are (cleft, segment) in one role.
        errors: the clefts that aren't exact, ascending.
    """

    n_clefts: int
    exact: int
    exact_share: float
    exact_interval: Interval
    pairs: SetScore
    by_role: dict[Role, SetScore]
    errors: tuple[PartnerSetError, ...]


def score_partner_sets(
    reference: Sequence[ReferenceSynapse], chosen: Mapping[int, Collection[Pair]]
) -> PartnerSetScore:
    """Compare the chosen pairs of each annotated cleft with the annotated ones.

    The clefts are the annotated ones, so items are matched one to one by cleft and partners; a pair counts once.

    Args:
        reference: annotated synapses, one for each pair of a cleft; each of their clefts is scored.
        chosen: annotated cleft id -> chosen (pre, post) pairs; a cleft that is absent has none.

    Raises:
        ValueError: something is chosen for a cleft that isn't annotated.
    """
    pairs: dict[int, set[Pair]] = {}
    for row in reference:
        pairs.setdefault(row.cleft_id, set()).add((row.pre_segment_id, row.post_segment_id))
    centroids = {row.cleft_id: row.centroid_voxel for row in reference}
    strangers = sorted(set(chosen) - set(pairs))
    if strangers:
        raise ValueError(
            f"partners were chosen for {len(strangers)} clefts that aren't annotated, first {strangers[0]}"
        )
    picks = {cleft_id: set(chosen.get(cleft_id, ())) for cleft_id in sorted(pairs)}
    errors = tuple(
        PartnerSetError(
            cleft_id=cleft_id,
            missed=tuple(sorted(pairs[cleft_id] - pick)),
            invented=tuple(sorted(pick - pairs[cleft_id])),
            correct=len(pick & pairs[cleft_id]),
            centroid_voxel=centroids[cleft_id],
        )
        for cleft_id, pick in picks.items()
        if pick != pairs[cleft_id]
    )
    n, exact = len(pairs), len(pairs) - len(errors)
    return PartnerSetScore(
        n_clefts=n,
        exact=exact,
        exact_share=ratio(exact, n),
        exact_interval=wilson_interval(exact, n),
        pairs=SetScore.of(_items(picks), _items(pairs)),
        by_role={role: SetScore.of(_in_role(picks, role), _in_role(pairs, role)) for role in Role},
        errors=errors,
    )


def _items(pairs: Mapping[int, Collection[Pair]]) -> set[tuple[int, ...]]:
    return {(cleft_id, pre, post) for cleft_id, own in pairs.items() for pre, post in own}


def _in_role(pairs: Mapping[int, Collection[Pair]], role: Role) -> set[tuple[int, ...]]:
    place = 0 if role is Role.PRE else 1
    return {(cleft_id, pair[place]) for cleft_id, own in pairs.items() for pair in own}
