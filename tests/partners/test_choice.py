"""The choice of a pair."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from connectome.partners.choice import choose_pair, main_contacts

values = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(values, values), min_size=2, max_size=6))
def test_the_pair_is_the_best_of_all_pairs_of_different_segments(rows: list[tuple[float, float]]) -> None:
    pre, post = np.array(rows, np.float32).T
    chosen = choose_pair(pre[:, None].astype(float) + post, np.ones(len(rows), bool))
    assert chosen is not None
    assert chosen[0] != chosen[1]
    best = max(float(pre[a]) + float(post[b]) for a, b in itertools.permutations(range(len(rows)), 2))
    assert float(pre[chosen[0]]) + float(post[chosen[1]]) == best


def test_one_segment_that_is_best_in_both_roles_takes_only_one() -> None:
    assert choose_pair(np.array([[1.85, 1.8], [1.15, 1.1]]), np.ones(2, bool)) == (0, 1)


def test_fewer_than_two_candidates_make_no_pair() -> None:
    assert choose_pair(np.array([[0.9]]), np.ones(1, bool)) is None
    assert choose_pair(np.zeros((0, 0)), np.zeros(0, bool)) is None


def test_a_candidate_that_is_not_eligible_is_never_chosen() -> None:
    scores = np.array([[0.0, 1.4, 1.8], [0.6, 0.0, 1.4], [0.2, 0.6, 0.0]])
    assert choose_pair(scores, np.array([True, True, False])) == (0, 1)
    assert choose_pair(scores, np.array([True, False, False])) is None


def test_main_contacts_are_a_share_of_the_largest_and_at_least_two() -> None:
    contacts = np.array([3, 400, 90, 100])
    assert main_contacts(contacts, 0.25).tolist() == [False, True, False, True]
    assert main_contacts(contacts, 0.0).all()
    assert main_contacts(np.array([3, 400, 9]), 0.25).tolist() == [False, True, True]
    assert len(main_contacts(np.zeros(0, np.int64), 0.25)) == 0


def test_of_more_than_the_most_those_with_the_largest_contact_are_left() -> None:
    contacts = np.array([3, 400, 90, 100, 90])
    assert main_contacts(contacts, 0.0, most=3).tolist() == [False, True, True, True, False]
    assert main_contacts(contacts, 0.25, most=3).tolist() == [False, True, False, True, False]
    assert main_contacts(contacts, 0.0, most=9).all()
