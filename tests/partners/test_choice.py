"""The choice of a pair."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from connectome.partners.choice import choose_pair

scores = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(scores, scores), min_size=2, max_size=6))
def test_the_pair_is_the_best_of_all_pairs_of_different_segments(rows: list[tuple[float, float]]) -> None:
    pre, post = np.array(rows, np.float32).T
    chosen = choose_pair(pre, post)
    assert chosen is not None
    assert chosen[0] != chosen[1]
    best = max(float(pre[a]) + float(post[b]) for a, b in itertools.permutations(range(len(rows)), 2))
    assert float(pre[chosen[0]]) + float(post[chosen[1]]) == best


def test_one_segment_that_is_best_in_both_roles_takes_only_one() -> None:
    assert choose_pair(np.array([0.9, 0.2]), np.array([0.95, 0.9])) == (0, 1)


def test_fewer_than_two_candidates_make_no_pair() -> None:
    assert choose_pair(np.array([0.9]), np.array([0.9])) is None
    assert choose_pair(np.zeros(0), np.zeros(0)) is None
