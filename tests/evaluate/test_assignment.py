"""Accuracy of partner assignment."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectome.evaluate.assignment import WrongAssignment, score_assignment_pairs
from connectome.evaluate.intervals import wilson_interval
from connectome.records import ReferenceSynapse


def _annotated(cleft_id: int, pre: int, post: int) -> ReferenceSynapse:
    return ReferenceSynapse(
        cleft_id=cleft_id, pre_segment_id=pre, post_segment_id=post, centroid_voxel=(1.0, 2.0, 3.0), size_voxels=9
    )


REFERENCE = [_annotated(1, 10, 20), _annotated(2, 11, 21), _annotated(3, 12, 22), _annotated(4, 13, 23)]


def test_each_side_is_counted_on_its_own() -> None:
    score = score_assignment_pairs(REFERENCE, {1: (10, 20), 2: (11, 99), 3: (99, 22), 4: None})
    assert (score.n, score.correct, score.accuracy) == (4, 1, 0.25)
    assert (score.pre_accuracy, score.post_accuracy) == (0.5, 0.5)
    assert score.accuracy_interval == wilson_interval(1, 4)
    assert [error.cleft_id for error in score.errors] == [2, 3, 4]


def test_a_cleft_without_a_choice_is_wrong_on_both_sides() -> None:
    absent = score_assignment_pairs(REFERENCE[:1], {})
    assert absent == score_assignment_pairs(REFERENCE[:1], {1: None})
    assert (absent.n, absent.correct, absent.pre_accuracy, absent.post_accuracy) == (1, 0, 0.0, 0.0)


def test_swapped_partners_are_an_error_that_says_so() -> None:
    score = score_assignment_pairs(REFERENCE[:1], {1: (20, 10)})
    assert score.correct == 0
    assert score.errors == (
        WrongAssignment(
            cleft_id=1,
            pre_segment_id=20,
            post_segment_id=10,
            reference_pairs=((10, 20),),
            centroid_voxel=(1.0, 2.0, 3.0),
        ),
    )
    assert score.errors[0].is_swapped


@pytest.mark.parametrize(("pair", "correct"), [((10, 20), 1), ((10, 21), 1), ((11, 20), 0)])
def test_a_polyadic_cleft_counts_once_and_takes_any_of_its_pairs(pair: tuple[int, int], correct: int) -> None:
    score = score_assignment_pairs([_annotated(1, 10, 20), _annotated(1, 10, 21)], {1: pair})
    assert (score.n, score.correct) == (1, correct)


def test_no_cleft_gives_zeros() -> None:
    score = score_assignment_pairs([], {})
    assert (score.n, score.accuracy, score.pre_accuracy, score.post_accuracy) == (0, 0.0, 0.0, 0.0)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=4), st.randoms())
def test_correct_and_errors_add_up_whatever_the_order(picks: list[tuple[int, int]], random: Random) -> None:
    reference = [_annotated(i, 1, 2) for i in range(len(picks))]
    chosen = dict(enumerate(picks))
    score = score_assignment_pairs(reference, chosen)
    assert score.correct + len(score.errors) == score.n == len(picks)
    assert score.accuracy <= min(score.pre_accuracy, score.post_accuracy)
    random.shuffle(reference)
    assert score_assignment_pairs(reference, chosen) == score
