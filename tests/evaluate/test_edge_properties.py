"""Strict one-to-one edge scores: what holds for any input."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tables import synapse, synapses

from connectome.evaluate.clefts import PredictedOverlap
from connectome.evaluate.edges import EdgeInput, Outcome, score_edge_rows
from connectome.geometry import Box
from connectome.records import ReferenceSynapse

CLEFTS = st.integers(1, 6)
SEGMENTS = st.integers(1, 3)
COORDINATE = st.integers(0, 19).map(float)
POINTS = st.tuples(COORDINATE, COORDINATE, COORDINATE)
BOXES = st.sampled_from([None, Box((0, 0, 0), (20, 20, 20)), Box((0, 0, 0), (20, 20, 10)), Box((3, 3, 3), (9, 9, 9))])
KEYS = st.sets(st.tuples(CLEFTS, SEGMENTS, SEGMENTS), max_size=12)


@st.composite
def inputs(draw: st.DrawFn) -> EdgeInput:
    """Any predictions, annotations and overlaps."""
    homes = draw(st.fixed_dictionaries(dict.fromkeys(range(1, 7), POINTS)))
    predicted = [
        synapse(cleft, pre, post, centroid_nm=tuple(v + 0.5 for v in homes[7 - cleft]))
        for cleft, pre, post in sorted(draw(KEYS))
    ]
    reference = [
        ReferenceSynapse(
            cleft_id=cleft, pre_segment_id=pre, post_segment_id=post, centroid_voxel=homes[cleft], size_voxels=60
        )
        for cleft, pre, post in sorted(draw(KEYS))
    ]
    overlap = st.builds(
        lambda ignored, shared: PredictedOverlap(size_voxels=60, ignore_voxels=ignored, by_reference=shared),
        st.sampled_from([0, 30, 31]),
        st.dictionaries(CLEFTS, st.integers(1, 9), max_size=3),
    )
    return EdgeInput(
        predicted=synapses(predicted),
        reference=reference,
        overlaps=draw(st.dictionaries(CLEFTS, overlap)),
        ignored_centroids=draw(st.sets(CLEFTS, max_size=1)),
        resolution_nm=(1.0, 1.0, 1.0),
        box=draw(BOXES),
    )


@given(inputs())
def test_counts_add_up(given_input: EdgeInput) -> None:
    score = score_edge_rows(given_input)
    assert score.n_predicted == score.true_positives + len(score.false_positive_synapses)
    assert score.n_reference == score.true_positives + len(score.false_negative_synapses)
    assert score.n_predicted + score.n_ignored <= len(given_input.predicted)
    assert score.true_positives == len(score.true_positive_synapses) <= min(score.n_predicted, score.n_reference)
    if score.precision + score.recall > 0:
        f1 = 2 * score.precision * score.recall / (score.precision + score.recall)
        assert abs(score.f1 - f1) < 1e-12


@given(inputs())
def test_everywhere_each_row_is_judged_once(given_input: EdgeInput) -> None:
    score = score_edge_rows(replace(given_input, box=None))
    own = [s for s in score.judged if s.outcome is not Outcome.FALSE_NEGATIVE]
    assert len(own) == len(given_input.predicted)
    assert score.n_reference == len(given_input.reference)


@given(inputs(), st.integers(0, 2**32))
def test_the_order_of_rows_changes_nothing(given_input: EdgeInput, seed: int) -> None:
    def shuffled(rows: list) -> list:
        return Random(seed).sample(rows, len(rows))

    table = dict(shuffled(list(given_input.overlaps.items())))
    other = replace(
        given_input,
        predicted=given_input.predicted.take(np.random.default_rng(seed).permutation(len(given_input.predicted))),
        reference=shuffled(list(given_input.reference)),
        overlaps=table,
    )
    assert score_edge_rows(other) == score_edge_rows(given_input)


@given(inputs())
def test_two_halves_score_as_much_as_the_whole(given_input: EdgeInput) -> None:
    whole, low, high = (
        score_edge_rows(replace(given_input, box=box))
        for box in (None, Box((0, 0, 0), (20, 20, 10)), Box((0, 0, 10), (20, 20, 20)))
    )
    for count in ("n_predicted", "n_reference", "true_positives", "n_ignored"):
        assert getattr(low, count) + getattr(high, count) == getattr(whole, count)


@given(inputs())
def test_the_annotation_itself_scores_one(given_input: EdgeInput) -> None:
    reference = given_input.reference
    perfect = EdgeInput(
        predicted=synapses(
            synapse(
                row.cleft_id,
                row.pre_segment_id,
                row.post_segment_id,
                centroid_nm=tuple(v + 0.5 for v in row.centroid_voxel),
            )
            for row in reference
        ),
        reference=reference,
        overlaps={r.cleft_id: PredictedOverlap(size_voxels=60, by_reference={r.cleft_id: 60}) for r in reference},
        resolution_nm=(1.0, 1.0, 1.0),
        box=given_input.box,
    )
    score = score_edge_rows(perfect)
    assert score.true_positives == score.n_predicted == score.n_reference
    assert score.f1 == (1.0 if score.n_reference else 0.0)


@given(inputs())
def test_at_most_one_prediction_is_true_for_each_annotated_pair(given_input: EdgeInput) -> None:
    true = score_edge_rows(given_input).true_positive_synapses
    keys = [(s.reference_cleft_id, s.pre_segment_id, s.post_segment_id) for s in true]
    assert len(keys) == len(set(keys))
