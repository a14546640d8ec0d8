"""All partners of a cleft."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from connectome.partners.choice import choose_pair, choose_pairs
from connectome.partners.scores import Scores

share = st.floats(0, 1, width=32)
threshold = st.floats(0, 1)
some_roles = st.integers(0, 6).flatmap(lambda n: arrays(np.float32, (2, n), elements=share))
some_pairs = st.integers(0, 6).flatmap(lambda n: arrays(np.float64, (n, n), elements=st.floats(0, 1)))


def all_of(n: int) -> NDArray[np.bool_]:
    return np.ones(n, bool)


def test_one_pre_and_all_posts_over_the_threshold_are_chosen() -> None:
    roles = np.array([[0.1, 0.9, 0.2, 0.1], [0.6, 0.1, 0.8, 0.3]], np.float32)
    assert choose_pairs(Scores.of_roles(roles), all_of(4), 0.5, 0.5) == ((1, 0), (1, 2))
    assert choose_pairs(Scores.of_roles(roles), all_of(4), 0.5, 0.7) == ((1, 2),)
    assert choose_pairs(Scores.of_roles(roles), all_of(4), 0.5, 0.2) == ((1, 0), (1, 2), (1, 3))


def test_the_best_pair_is_kept_though_it_is_below_the_thresholds() -> None:
    roles = np.array([[0.1, 0.3], [0.2, 0.1]], np.float32)
    assert choose_pairs(Scores.of_roles(roles), all_of(2), 0.9, 0.9) == ((1, 0),)
    assert choose_pairs(Scores.of_pairs(np.array([[0, 0.1], [0.2, 0]])), all_of(2), 0.9, 0.9) == ((1, 0),)


def test_a_segment_over_both_thresholds_takes_the_role_that_it_scores_higher_in() -> None:
    roles = np.array([[0.9, 0.8, 0.6, 0.55], [0.1, 0.7, 0.9, 0.55]], np.float32)
    # 0 is the best pre and 2 the best post; 1 is rather pre, and 3, undecided, is post
    assert choose_pairs(Scores.of_roles(roles), all_of(4), 0.5, 0.5) == ((0, 2), (0, 3), (1, 2), (1, 3))


def test_a_judged_pair_that_contradicts_a_better_one_is_left_out() -> None:
    pairs = np.array([[0, 0.9, 0.7], [0.8, 0, 0.6], [0.2, 0.1, 0]])
    assert choose_pairs(Scores.of_pairs(pairs), all_of(3), 0.5, 0.5) == ((0, 1), (0, 2))


def test_the_stricter_threshold_counts_for_judged_pairs() -> None:
    pairs = np.array([[0, 0.9, 0.7], [0, 0, 0], [0, 0, 0]])
    assert choose_pairs(Scores.of_pairs(pairs), all_of(3), 0.5, 0.8) == ((0, 1),)


def test_fewer_than_two_eligible_candidates_have_no_pair() -> None:
    roles = np.full((2, 3), 0.9, np.float32)
    assert choose_pairs(Scores.of_roles(roles), np.array([True, False, False]), 0.5, 0.5) == ()
    assert choose_pairs(Scores.of_roles(roles[:, :0]), all_of(0), 0.5, 0.5) == ()


@given(some_roles, threshold, threshold, st.data())
def test_partners_of_judged_roles_are_those_over_the_thresholds_each_in_one_role(
    roles: NDArray[np.float32], pre_threshold: float, post_threshold: float, data: st.DataObject
) -> None:
    scores, n = Scores.of_roles(roles), roles.shape[1]
    eligible = data.draw(arrays(bool, n))
    best = choose_pair(scores.pairs, eligible)
    chosen = choose_pairs(scores, eligible, pre_threshold, post_threshold)
    if best is None:
        assert chosen == ()
        return
    pres, posts = {pre for pre, _ in chosen}, {post for _, post in chosen}
    assert best in chosen and list(chosen) == sorted(set(chosen))
    assert set(chosen) == set(itertools.product(pres, posts)) and not pres & posts
    for i in range(n):
        over = eligible[i] and (roles[0, i] >= pre_threshold or roles[1, i] >= post_threshold)
        assert (i in pres | posts) == (over or i in best)
        if i in pres and i not in best:
            assert roles[0, i] >= pre_threshold and (roles[1, i] < post_threshold or roles[0, i] > roles[1, i])
        if i in posts and i not in best:
            assert roles[1, i] >= post_threshold and (roles[0, i] < pre_threshold or roles[1, i] >= roles[0, i])


@given(some_pairs, threshold, st.data())
def test_judged_pairs_are_taken_from_the_best_on_while_roles_agree(
    pairs: NDArray[np.float64], over: float, data: st.DataObject
) -> None:
    scores = Scores.of_pairs(pairs)
    eligible = data.draw(arrays(bool, len(pairs)))
    best = choose_pair(scores.pairs, eligible)
    chosen = choose_pairs(scores, eligible, over, 0.0)
    if best is None:
        assert chosen == ()
        return
    assert best in chosen and list(chosen) == sorted(set(chosen))
    assert not {pre for pre, _ in chosen} & {post for _, post in chosen}
    assert all(eligible[i] and eligible[j] and (scores.pairs[i, j] >= over or (i, j) == best) for i, j in chosen)
    for i, j in itertools.permutations(np.flatnonzero(eligible).tolist(), 2):
        if scores.pairs[i, j] >= over and (i, j) not in chosen:  # it contradicts a chosen pair that is no worse
            against = [pair for pair in chosen if i == pair[1] or j == pair[0]]
            assert any(scores.pairs[pair] >= scores.pairs[i, j] for pair in against)
