"""Strict one-to-one edge scores: the rule, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tables import synapse, synapses

from connectome.evaluate.clefts import OverlapTable, PredictedOverlap
from connectome.evaluate.edges import EdgeInput, EdgeScore, Reason, score_edge_rows
from connectome.evaluate.intervals import wilson_interval
from connectome.geometry import Box
from connectome.records import ReferenceSynapse, Synapses

RESOLUTION = (30.0, 12.0, 12.0)
Point = tuple[float, float, float]


def _predicted(cleft_id: int, pre: int, post: int, voxel: Point = (5.0, 5.0, 5.0)) -> Synapses:
    z, y, x = ((v + 0.5) * r for v, r in zip(voxel, RESOLUTION, strict=True))
    return synapse(cleft_id, pre, post, centroid_nm=(z, y, x))


def _annotated(cleft_id: int, pre: int, post: int, voxel: Point = (5.0, 5.0, 5.0)) -> ReferenceSynapse:
    return ReferenceSynapse(
        cleft_id=cleft_id, pre_segment_id=pre, post_segment_id=post, centroid_voxel=voxel, size_voxels=100
    )


def _overlaps(**shared: dict[int, int]) -> OverlapTable:
    """`p7={1: 30}`: predicted cleft 7 of 100 voxels shares 30 with annotated cleft 1."""
    return {int(name[1:]): PredictedOverlap(size_voxels=100, by_reference=found) for name, found in shared.items()}


def _score(
    predicted: list[Synapses], reference: list[ReferenceSynapse], overlaps: OverlapTable, box: str | None = None
) -> EdgeScore:
    return score_edge_rows(
        EdgeInput(
            predicted=synapses(predicted),
            reference=reference,
            overlaps=overlaps,
            resolution_nm=RESOLUTION,
            box=None if box is None else Box.parse(box),
        )
    )


def _reasons(score: EdgeScore) -> list[tuple[int | None, int | None, Reason]]:
    return [(s.cleft_id, s.reference_cleft_id, s.reason) for s in score.judged]


def _counts(score: EdgeScore) -> tuple[int, int, int]:
    """True positives, false positives, false negatives."""
    return score.true_positives, len(score.false_positive_synapses), len(score.false_negative_synapses)


def test_a_hand_made_case_is_scored() -> None:
    score = _score(
        [_predicted(7, 1, 2), _predicted(8, 3, 4), _predicted(9, 5, 6)],
        [_annotated(1, 1, 2), _annotated(2, 4, 3), _annotated(3, 7, 8), _annotated(4, 7, 9)],
        _overlaps(p7={1: 10}, p8={2: 10}),
    )
    assert (score.n_predicted, score.n_reference, score.true_positives) == (3, 4, 1)
    assert (score.precision, score.recall) == (1 / 3, 1 / 4)
    assert score.f1 == pytest.approx(2 * (1 / 3) * (1 / 4) / (1 / 3 + 1 / 4))
    assert (score.precision_interval, score.recall_interval) == (wilson_interval(1, 3), wilson_interval(1, 4))
    assert _reasons(score) == [
        (7, 1, Reason.CORRECT),
        (8, 2, Reason.WRONG_PARTNERS),
        (9, None, Reason.NO_CLEFT),
        (None, 2, Reason.WRONG_PARTNERS),
        (None, 3, Reason.MISSED),
        (None, 4, Reason.MISSED),
    ]


def test_a_prediction_belongs_to_the_annotated_cleft_that_it_overlaps_most() -> None:
    score = _score([_predicted(7, 1, 2)], [_annotated(1, 1, 2), _annotated(2, 3, 4)], _overlaps(p7={1: 10, 2: 11}))
    assert _counts(score) == (0, 1, 2)
    assert score.false_positive_synapses[0].reference_cleft_id == 2


def test_of_two_correct_predictions_the_one_with_more_overlap_is_true() -> None:
    score = _score([_predicted(7, 1, 2), _predicted(8, 1, 2)], [_annotated(1, 1, 2)], _overlaps(p7={1: 10}, p8={1: 11}))
    assert _reasons(score) == [(8, 1, Reason.CORRECT), (7, 1, Reason.DUPLICATE)]


def test_of_equal_overlaps_the_smaller_cleft_id_is_true() -> None:
    score = _score([_predicted(8, 1, 2), _predicted(7, 1, 2)], [_annotated(1, 1, 2)], _overlaps(p7={1: 10}, p8={1: 10}))
    assert _reasons(score) == [(7, 1, Reason.CORRECT), (8, 1, Reason.DUPLICATE)]


def test_a_correct_prediction_is_true_though_a_wrong_one_overlaps_more() -> None:
    score = _score([_predicted(7, 1, 2), _predicted(8, 9, 9)], [_annotated(1, 1, 2)], _overlaps(p7={1: 1}, p8={1: 90}))
    assert _counts(score) == (1, 1, 0)


def test_the_direction_of_an_edge_matters() -> None:
    assert _counts(_score([_predicted(7, 2, 1)], [_annotated(1, 1, 2)], _overlaps(p7={1: 9}))) == (0, 1, 1)


def test_a_polyadic_cleft_has_one_true_positive_for_each_of_its_pairs() -> None:
    reference = [_annotated(1, 1, 2), _annotated(1, 1, 3), _annotated(1, 1, 4)]
    whole = _score([_predicted(7, 1, 2), _predicted(7, 1, 3), _predicted(7, 1, 9)], reference, _overlaps(p7={1: 9}))
    assert _counts(whole) == (2, 1, 1)
    split = _score([_predicted(7, 1, 2), _predicted(8, 1, 3)], reference, _overlaps(p7={1: 9}, p8={1: 5}))
    assert _counts(split) == (2, 0, 1)
    assert split.false_negative_synapses[0].reason is Reason.MISSED


def test_the_same_annotated_pair_twice_on_one_cleft_is_one_synapse() -> None:
    score = _score([_predicted(7, 1, 2)], [_annotated(1, 1, 2)] * 2, _overlaps(p7={1: 9}))
    assert _counts(score) == (1, 0, 0)


def test_an_annotated_cleft_without_partners_makes_nothing_right() -> None:
    score = _score([_predicted(7, 1, 2)], [_annotated(1, 1, 2)], _overlaps(p7={5: 50, 1: 10}))
    assert _reasons(score) == [(7, 5, Reason.NO_PAIR), (None, 1, Reason.MISSED)]


def test_a_prediction_mostly_in_ignored_space_counts_neither_way() -> None:
    overlaps = {
        7: PredictedOverlap(size_voxels=100, ignore_voxels=51, by_reference={1: 49}),
        8: PredictedOverlap(size_voxels=100, ignore_voxels=50, by_reference={1: 2}),
    }
    score = _score([_predicted(7, 1, 2), _predicted(8, 1, 2)], [_annotated(1, 1, 2)], overlaps)
    assert _counts(score) == (1, 0, 0)
    assert score.true_positive_synapses[0].cleft_id == 8
    assert [s.cleft_id for s in score.ignored_synapses] == [7]
    assert score.n_predicted == score.n_ignored == 1


def test_a_prediction_with_its_centroid_in_ignored_space_counts_neither_way() -> None:
    given = EdgeInput(
        predicted=_predicted(7, 1, 2),
        reference=[_annotated(1, 1, 2)],
        overlaps=_overlaps(p7={1: 9}),
        ignored_centroids={7},
        resolution_nm=RESOLUTION,
    )
    score = score_edge_rows(given)
    assert (score.n_predicted, score.n_ignored, score.n_reference, score.recall) == (0, 1, 1, 0.0)


BORDER = "0:10,0:10,0:10"


@pytest.mark.parametrize(("annotated_x", "predicted_x", "counts"), [(9.4, 10.6, (1, 0, 0)), (10.6, 9.4, (0, 0, 0))])
def test_a_pair_across_the_border_counts_where_the_annotated_cleft_lies(
    annotated_x: float, predicted_x: float, counts: tuple[int, int, int]
) -> None:
    score = _score(
        [_predicted(7, 1, 2, (5.0, 5.0, predicted_x))],
        [_annotated(1, 1, 2, (5.0, 5.0, annotated_x))],
        _overlaps(p7={1: 9}),
        BORDER,
    )
    assert _counts(score) == counts


def test_a_prediction_without_an_annotated_cleft_counts_where_it_lies() -> None:
    rows = [_predicted(7, 1, 2, (5.0, 5.0, 9.0)), _predicted(8, 1, 2, (5.0, 5.0, 10.0))]
    score = _score(rows, [], {}, BORDER)
    assert [s.cleft_id for s in score.false_positive_synapses] == [7]


def test_a_centroid_on_the_border_belongs_to_one_of_two_neighbouring_boxes() -> None:
    rows = [_predicted(i, 1, 2, (5.0, 5.0, x)) for i, x in enumerate((9.0, 9.5, 10.0, 10.5), 1)]
    left, right = (_score(rows, [], {}, box).n_predicted for box in (BORDER, "0:10,0:10,10:20"))
    assert (left, right) == (2, 2)


def test_the_box_of_a_segmentation_with_an_offset_is_in_its_own_voxels() -> None:
    row = _predicted(7, 1, 2, (5.0, 5.0, 5.0))
    moved = replace(row, centroid_nm=row.centroid_nm + 600.0)
    score = score_edge_rows(
        EdgeInput(
            predicted=moved,
            reference=[_annotated(1, 3, 4)],
            overlaps={},
            resolution_nm=RESOLUTION,
            offset_nm=(600.0, 600.0, 600.0),
            box=Box.parse("5:6,5:6,5:6"),
        )
    )
    assert _counts(score) == (0, 1, 1)
    assert score.false_negative_synapses[0].centroid_nm == pytest.approx(moved.centroid_nm[0].tolist())


def test_scores_are_zero_where_nothing_can_be_divided() -> None:
    nothing = _score([], [], {})
    assert (nothing.precision, nothing.recall, nothing.f1) == (0.0, 0.0, 0.0)
    assert nothing.precision_interval == nothing.recall_interval == (0.0, 1.0)
    missed = _score([], [_annotated(1, 1, 2)], {})
    assert (missed.precision, missed.recall, missed.f1) == (0.0, 0.0, 0.0)
