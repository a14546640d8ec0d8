"""What scores of roles and of pairs say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from connectome.partners.scores import Scores

share = st.floats(0, 1, width=32)
some_roles = st.integers(0, 6).flatmap(lambda n: arrays(np.float32, (2, n), elements=share))
some_pairs = st.integers(0, 6).flatmap(lambda n: arrays(np.float64, (n, n), elements=st.floats(0, 1)))


def test_roles_rate_a_pair_by_their_sum_and_hold_it_likely_by_their_product() -> None:
    scores = Scores.of_roles(np.array([[0.9, 0.2], [0.4, 0.5]], np.float32))
    assert scores.pairs[0, 1] == pytest.approx(1.4)
    assert scores.of_pairs_at(np.array([[0, 1], [1, 0]])) == pytest.approx(np.array([[0.9, 0.5], [0.2, 0.4]]))


def test_a_judged_pair_has_its_own_probability_in_both_roles() -> None:
    scores = Scores.of_pairs(np.array([[0.99, 0.7, 0.2], [0.1, 0.99, 0.3], [0.6, 0.8, 0.99]]))
    assert scores.roles.tolist() == pytest.approx(np.array([[0.7, 0.3, 0.8], [0.6, 0.8, 0.3]]))
    assert scores.of_pairs_at(np.array([[0, 1]])).tolist() == [[0.7, 0.7]]


@given(some_roles, st.data())
def test_fewer_candidates_keep_their_scores_in_roles(roles: NDArray[np.float32], data: st.DataObject) -> None:
    places = np.flatnonzero(data.draw(arrays(bool, roles.shape[1])))
    fewer = Scores.of_roles(roles).among(places)
    assert np.array_equal(fewer.roles, roles[:, places])
    assert np.array_equal(fewer.pairs, Scores.of_roles(roles).pairs[np.ix_(places, places)])


@given(some_pairs, st.data())
def test_fewer_candidates_score_as_if_no_others_had_been_judged(
    pairs: NDArray[np.float64], data: st.DataObject
) -> None:
    places = np.flatnonzero(data.draw(arrays(bool, len(pairs))))
    fewer = Scores.of_pairs(pairs).among(places)
    again = Scores.of_pairs(pairs[np.ix_(places, places)])
    assert np.array_equal(fewer.pairs, again.pairs) and np.array_equal(fewer.roles, again.roles)
    assert fewer.by_pair


@given(some_pairs)
def test_a_candidates_score_is_that_of_its_best_pair_with_another(pairs: NDArray[np.float64]) -> None:
    scores = Scores.of_pairs(pairs)
    for i in range(len(pairs)):
        others = [j for j in range(len(pairs)) if j != i]
        assert scores.roles[0, i] == np.float32(max((pairs[i, j] for j in others), default=0))
        assert scores.roles[1, i] == np.float32(max((pairs[j, i] for j in others), default=0))
