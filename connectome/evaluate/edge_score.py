"""What an edge evaluation finds: every judged synapse with the reason, and the score over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectome.evaluate.wilson import Interval, ratio, wilson_interval
from connectome.geometry import Box, NmTriple


class Outcome(StrEnum):
    """What a synapse counts as."""

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
