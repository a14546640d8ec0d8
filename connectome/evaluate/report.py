"""Scores as JSON values and as CSV files. Ids are strings in JSON, which keeps whole numbers only up to 2^53."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from connectome.evaluate.assignment import AssignmentScore, PartnerSetError, PartnerSetScore, SetScore, WrongAssignment
from connectome.evaluate.edges import EdgeScore, JudgedSynapse
from connectome.files import whole_text

EDGE_COLUMNS = (
    "kind",
    "reason",
    "cleft_id",
    "reference_cleft_id",
    "pre_segment_id",
    "post_segment_id",
    "overlap_voxels",
    "x_nm",
    "y_nm",
    "z_nm",
)
ASSIGNMENT_COLUMNS = (
    "cleft_id",
    "pre_segment_id",
    "post_segment_id",
    "reference_pre_segment_id",
    "reference_post_segment_id",
    "swapped",
    "x_voxel",
    "y_voxel",
    "z_voxel",
)

PARTNER_SET_COLUMNS = (
    "cleft_id",
    "kind",
    "pre_segment_id",
    "post_segment_id",
    "x_voxel",
    "y_voxel",
    "z_voxel",
)


def edge_report(score: EdgeScore) -> dict[str, Any]:
    """An edge score with all its synapses as JSON values."""
    return {
        "box": None if score.box is None else str(score.box),
        "n_predicted": score.n_predicted,
        "n_reference": score.n_reference,
        "n_ignored": score.n_ignored,
        "true_positives": score.true_positives,
        "false_positives": len(score.false_positive_synapses),
        "false_negatives": len(score.false_negative_synapses),
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
        "precision_interval": list(score.precision_interval),
        "recall_interval": list(score.recall_interval),
        "true_positive_synapses": [_edge_object(s) for s in score.true_positive_synapses],
        "false_positive_synapses": [_edge_object(s) for s in score.false_positive_synapses],
        "false_negative_synapses": [_edge_object(s) for s in score.false_negative_synapses],
        "ignored_synapses": [_edge_object(s) for s in score.ignored_synapses],
    }


def assignment_report(score: AssignmentScore) -> dict[str, Any]:
    """An assignment score with its errors as JSON values."""
    return {
        "n": score.n,
        "correct": score.correct,
        "accuracy": score.accuracy,
        "accuracy_interval": list(score.accuracy_interval),
        "pre_accuracy": score.pre_accuracy,
        "post_accuracy": score.post_accuracy,
        "errors": [
            {
                "cleft_id": str(error.cleft_id),
                "pre_segment_id": _text_or_none(error.pre_segment_id),
                "post_segment_id": _text_or_none(error.post_segment_id),
                "reference_pairs": [[str(pre), str(post)] for pre, post in error.reference_pairs],
                "swapped": error.is_swapped,
                "centroid_voxel_zyx": list(error.centroid_voxel),
            }
            for error in score.errors
        ],
    }


def partner_set_report(score: PartnerSetScore) -> dict[str, Any]:
    """A score of partner sets with its errors as JSON values."""
    return {
        "n_clefts": score.n_clefts,
        "exact": score.exact,
        "exact_share": score.exact_share,
        "exact_interval": list(score.exact_interval),
        "pairs": _set_object(score.pairs),
        **{role.value: _set_object(own) for role, own in score.by_role.items()},
        "errors": [
            {
                "cleft_id": str(error.cleft_id),
                "correct": error.correct,
                "missed": [[str(pre), str(post)] for pre, post in error.missed],
                "invented": [[str(pre), str(post)] for pre, post in error.invented],
                "centroid_voxel_zyx": list(error.centroid_voxel),
            }
            for error in score.errors
        ],
    }


def write_edge_errors(score: EdgeScore, path: Path) -> None:
    """Write every judged synapse as a CSV row; `kind` says true_positive, false_positive, false_negative or ignored.

    Raises:
        StorageError: the file can't be written; what was there is kept.
    """
    _write(path, EDGE_COLUMNS, (_edge_row(synapse) for synapse in score.judged))


def write_assignment_errors(score: AssignmentScore, path: Path) -> None:
    """Write every wrongly assigned cleft as CSV, one row for each of its annotated pairs.

    Raises:
        StorageError: the file can't be written; what was there is kept.
    """
    _write(path, ASSIGNMENT_COLUMNS, (row for error in score.errors for row in _assignment_rows(error)))


def write_partner_set_errors(score: PartnerSetScore, path: Path) -> None:
    """Write every pair that is missed or invented at an annotated cleft as a CSV row; `kind` says which.

    Raises:
        StorageError: the file can't be written; what was there is kept.
    """
    _write(path, PARTNER_SET_COLUMNS, (row for error in score.errors for row in _partner_set_rows(error)))


def _edge_row(synapse: JudgedSynapse) -> Sequence[object]:
    z_nm, y_nm, x_nm = synapse.centroid_nm
    return (
        synapse.outcome,
        synapse.reason,
        synapse.cleft_id,
        synapse.reference_cleft_id,
        synapse.pre_segment_id,
        synapse.post_segment_id,
        synapse.overlap_voxels,
        round(x_nm, 3),
        round(y_nm, 3),
        round(z_nm, 3),
    )


def _edge_object(synapse: JudgedSynapse) -> dict[str, Any]:
    values = dict(zip(EDGE_COLUMNS, _edge_row(synapse), strict=True))
    return {name: _text_or_none(value) if name.endswith("_id") else value for name, value in values.items()}


def _assignment_rows(error: WrongAssignment) -> list[Sequence[object]]:
    z, y, x = error.centroid_voxel
    return [
        (error.cleft_id, error.pre_segment_id, error.post_segment_id, pre, post, error.is_swapped, x, y, z)
        for pre, post in error.reference_pairs
    ]


def _set_object(score: SetScore) -> dict[str, Any]:
    values = asdict(score)
    return values | {name: list(values[name]) for name in ("precision_interval", "recall_interval")}


def _partner_set_rows(error: PartnerSetError) -> list[Sequence[object]]:
    z, y, x = error.centroid_voxel
    kinds = (("missed", error.missed), ("invented", error.invented))
    return [(error.cleft_id, kind, pre, post, x, y, z) for kind, pairs in kinds for pre, post in pairs]


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with whole_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
