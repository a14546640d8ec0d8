"""Which cleft belongs to which pair."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectome.formats.cleft_matching import match_clefts


def test_the_nearest_pair_takes_a_cleft_and_the_other_pair_the_next() -> None:
    assert match_clefts([{0: 20.0, 1: 30.0}, {0: 10.0, 1: 90.0}]) == [1, 0]


def test_a_pair_that_is_left_over_shares_its_nearest_cleft() -> None:
    assert match_clefts([{0: 20.0}, {0: 10.0}, {}]) == [0, 0, None]


@given(st.lists(st.dictionaries(st.integers(0, 6), st.floats(0, 500)), max_size=8))
def test_a_cleft_has_one_pair_of_its_own_and_else_only_pairs_that_found_no_free_one(
    distances: list[dict[int, float]],
) -> None:
    found = match_clefts(distances)
    used = {cleft for cleft in found if cleft is not None}
    owned = [cleft for cleft, reach in zip(found, distances, strict=True) if not _left_over(cleft, reach, used)]
    assert len(owned) == len(set(owned))
    for cleft, reach in zip(found, distances, strict=True):
        assert (cleft is None) == (not reach)
        assert cleft is None or cleft in reach


def _left_over(cleft: int | None, reach: dict[int, float], used: set[int]) -> bool:
    """Whether a pair may share: nothing in its reach is free, and it has the nearest."""
    return cleft is None or (set(reach) <= used and reach[cleft] == min(reach.values()))


def test_matching_does_not_depend_on_how_many_pairs_tie() -> None:
    assert match_clefts([{0: 5.0, 1: 5.0}, {0: 5.0, 1: 5.0}]) == [0, 1]
