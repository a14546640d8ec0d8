"""Scores of whole partner sets on annotated clefts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectome.evaluate.assignment import score_assignment_pairs, score_partner_sets
from connectome.evaluate.intervals import wilson_interval
from connectome.evaluate.report import partner_set_report, write_partner_set_errors
from connectome.records import ReferenceSynapse, Role

Pair = tuple[int, int]
SEGMENTS = st.integers(1, 4)
PAIRS = st.sets(st.tuples(SEGMENTS, SEGMENTS), max_size=6)
ANNOTATED = st.dictionaries(st.integers(1, 8), PAIRS.filter(bool), max_size=5)


def rows(pairs: dict[int, set[Pair]]) -> list[ReferenceSynapse]:
    return [
        ReferenceSynapse(
            cleft_id=cleft_id, pre_segment_id=pre, post_segment_id=post, centroid_voxel=(1.0, 2.0, 3.0), size_voxels=9
        )
        for cleft_id, own in pairs.items()
        for pre, post in own
    ]


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[int, set[Pair]], dict[int, set[Pair]]]:
    """Any annotation, and any choice on its clefts."""
    annotated = draw(ANNOTATED)
    chosen = {cleft_id: draw(PAIRS) for cleft_id in annotated if draw(st.booleans())}
    return annotated, chosen


ANNOTATION = {1: {(10, 20), (10, 21), (10, 22)}, 2: {(11, 23), (11, 24)}}


def test_a_known_case_is_counted_by_hand() -> None:
    score = score_partner_sets(rows(ANNOTATION), {1: [(10, 20), (10, 21), (10, 99)], 2: [(11, 23), (11, 24)]})
    assert (score.pairs.n_chosen, score.pairs.n_reference, score.pairs.correct) == (5, 5, 4)
    assert (score.pairs.precision, score.pairs.recall, score.pairs.f1) == (0.8, 0.8, 0.8)
    assert score.pairs.precision_interval == wilson_interval(4, 5)
    assert (score.n_clefts, score.exact, score.exact_share) == (2, 1, 0.5)
    assert score.by_role[Role.PRE].f1 == 1.0
    assert (score.by_role[Role.POST].correct, score.by_role[Role.POST].n_reference) == (4, 5)
    (error,) = score.errors
    assert (error.cleft_id, error.missed, error.invented, error.correct) == (1, ((10, 22),), ((10, 99),), 2)


def test_a_cleft_without_a_choice_misses_all_its_pairs() -> None:
    score = score_partner_sets(rows(ANNOTATION), {1: ANNOTATION[1]})
    assert (score.pairs.precision, score.pairs.recall) == (1.0, 0.6)
    assert score.errors[0].missed == ((11, 23), (11, 24))


def test_a_wrong_bouton_spoils_all_pairs_but_no_post() -> None:
    score = score_partner_sets(rows(ANNOTATION), {1: [(9, post) for _, post in ANNOTATION[1]], 2: ANNOTATION[2]})
    assert (score.pairs.correct, score.by_role[Role.PRE].correct, score.by_role[Role.POST].correct) == (2, 1, 5)


def test_a_pair_chosen_twice_is_one() -> None:
    assert score_partner_sets(rows({1: {(1, 2)}}), {1: [(1, 2), (1, 2)]}).pairs.n_chosen == 1


def test_a_choice_for_a_cleft_that_is_not_annotated_is_refused() -> None:
    with pytest.raises(ValueError, match="2 clefts that aren't annotated, first 7"):
        score_partner_sets(rows(ANNOTATION), {7: [(1, 2)], 8: []})


def test_nothing_annotated_gives_zeros() -> None:
    score = score_partner_sets([], {})
    assert (score.n_clefts, score.exact_share, score.pairs.f1, score.by_role[Role.PRE].f1) == (0, 0.0, 0.0, 0.0)


@given(cases())
def test_errors_account_for_every_item(case: tuple[dict[int, set[Pair]], dict[int, set[Pair]]]) -> None:
    annotated, chosen = case
    score = score_partner_sets(rows(annotated), chosen)
    assert score.exact + len(score.errors) == score.n_clefts == len(annotated)
    assert score.pairs.n_reference - score.pairs.correct == sum(len(error.missed) for error in score.errors)
    assert score.pairs.n_chosen - score.pairs.correct == sum(len(error.invented) for error in score.errors)
    low, high = sorted((score.pairs.precision, score.pairs.recall))
    assert low - 1e-12 <= score.pairs.f1 <= high + 1e-12


@given(cases(), st.randoms())
def test_order_and_repetition_change_nothing(
    case: tuple[dict[int, set[Pair]], dict[int, set[Pair]]], random: Random
) -> None:
    annotated, chosen = case
    shuffled = rows(annotated) * 2
    random.shuffle(shuffled)
    twice = {cleft_id: sorted(pairs, reverse=True) * 2 for cleft_id, pairs in reversed(chosen.items())}
    assert score_partner_sets(shuffled, twice) == score_partner_sets(rows(annotated), chosen)


@given(ANNOTATED)
def test_the_annotation_itself_scores_one(annotated: dict[int, set[Pair]]) -> None:
    score = score_partner_sets(rows(annotated), annotated)
    assert score.errors == ()
    assert {score.pairs.f1, *(role.f1 for role in score.by_role.values())} == {1.0 if annotated else 0.0}


@given(cases(), st.integers(1, 8))
def test_one_more_right_pair_never_lowers_recall_and_one_more_wrong_pair_never_raises_precision(
    case: tuple[dict[int, set[Pair]], dict[int, set[Pair]]], cleft_id: int
) -> None:
    annotated, chosen = case
    before = score_partner_sets(rows(annotated), chosen).pairs
    if cleft_id not in annotated:
        return
    better = chosen | {cleft_id: chosen.get(cleft_id, set()) | {min(annotated[cleft_id])}}
    worse = chosen | {cleft_id: chosen.get(cleft_id, set()) | {(99, 98)}}
    assert score_partner_sets(rows(annotated), better).pairs.recall >= before.recall
    assert score_partner_sets(rows(annotated), worse).pairs.precision <= before.precision


@given(st.dictionaries(st.integers(1, 8), st.tuples(SEGMENTS, SEGMENTS)), st.data())
def test_with_one_pair_a_cleft_recall_is_the_accuracy_of_assignment(
    annotated: dict[int, Pair], data: st.DataObject
) -> None:
    chosen = {cleft_id: data.draw(st.tuples(SEGMENTS, SEGMENTS)) for cleft_id in annotated}
    reference = rows({cleft_id: {pair} for cleft_id, pair in annotated.items()})
    sets = score_partner_sets(reference, {cleft_id: [pair] for cleft_id, pair in chosen.items()})
    single = score_assignment_pairs(reference, chosen)
    assert sets.pairs.recall == sets.pairs.precision == single.accuracy
    assert sets.by_role[Role.PRE].recall == single.pre_accuracy
    assert sets.by_role[Role.POST].recall == single.post_accuracy


def test_the_report_is_json_with_ids_as_strings() -> None:
    score = score_partner_sets(rows({2**62: {(10, 20), (10, 21)}}), {2**62: [(10, 20), (10, 9)]})
    report = json.loads(json.dumps(partner_set_report(score)))
    assert report["pairs"]["f1"] == 0.5
    assert report["post"]["n_reference"] == 2
    assert report["errors"] == [
        {
            "cleft_id": str(2**62),
            "correct": 1,
            "missed": [["10", "21"]],
            "invented": [["10", "9"]],
            "centroid_voxel_zyx": [1.0, 2.0, 3.0],
        }
    ]


def test_the_errors_file_has_a_row_for_each_wrong_pair(tmp_path: Path) -> None:
    score = score_partner_sets(rows(ANNOTATION), {1: [(10, 20), (10, 21), (10, 99)]})
    write_partner_set_errors(score, tmp_path / "errors.csv")
    with (tmp_path / "errors.csv").open() as file:
        found = [(row["cleft_id"], row["kind"], row["post_segment_id"]) for row in csv.DictReader(file)]
    assert found == [("1", "missed", "22"), ("1", "invented", "99"), ("2", "missed", "23"), ("2", "missed", "24")]
