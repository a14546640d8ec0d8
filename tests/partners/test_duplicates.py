from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from connectome.partners.duplicates import merge_duplicates
from connectome.records import Synapses

Row = tuple[int, int, int, int, tuple[float, float, float]]


def placed(rows: list[Row]) -> Synapses:
    """Synapses from (cleft, pre, post, size, centroid)."""
    numbers = np.array([row[:4] for row in rows], np.int64).reshape(-1, 4)
    return Synapses(
        cleft_id=numbers[:, 0],
        pre_segment_id=numbers[:, 1],
        post_segment_id=numbers[:, 2],
        confidence=np.ones(len(rows)),
        size_voxels=numbers[:, 3],
        centroid_nm=np.array([row[4] for row in rows], float).reshape(-1, 3),
    )


def merged(rows: list[Row], distance_nm: float) -> dict[tuple[int, int, int], int]:
    """(cleft, pre, post) -> the cleft that stands for it."""
    found = merge_duplicates(placed(rows), distance_nm)
    return {row[:3]: rows[kept][0] for row, kept in zip(rows, found.kept, strict=True)}


def test_near_synapses_of_one_pair_become_the_one_with_the_larger_cleft() -> None:
    rows: list[Row] = [(5, 1, 2, 100, (0, 0, 0)), (9, 1, 2, 300, (0, 300, 400)), (11, 1, 2, 50, (0, 0, 5000))]
    found = merge_duplicates(placed(rows), 500)
    assert found.kept.tolist() == [1, 1, 2]
    assert found.distance_nm.tolist() == [500, 0, 0]
    assert found.stays.tolist() == [False, True, True]
    assert merge_duplicates(placed(rows), 499.9).stays.all()


def test_of_equal_clefts_the_smaller_id_stays() -> None:
    assert merged([(9, 1, 2, 70, (0, 0, 0)), (4, 1, 2, 70, (0, 0, 9))], 10) == {(9, 1, 2): 4, (4, 1, 2): 4}


def test_other_partners_and_the_other_direction_are_never_merged() -> None:
    rows: list[Row] = [
        (1, 1, 2, 9, (0, 0, 0)),
        (2, 2, 1, 9, (0, 0, 0)),
        (3, 1, 3, 9, (0, 0, 0)),
        (3, 1, 2, 9, (0, 0, 0)),
    ]
    assert merged(rows, 100) == {(1, 1, 2): 1, (2, 2, 1): 2, (3, 1, 3): 3, (3, 1, 2): 1}


def test_chains_are_one_synapse_even_if_their_ends_are_far_apart() -> None:
    rows: list[Row] = [(i, 1, 2, 10 + i, (0, 0, 90.0 * i)) for i in range(1, 6)]
    found = merge_duplicates(placed(rows), 100)
    assert set(found.kept.tolist()) == {4}
    assert found.distance_nm.max() == 360


def test_a_distance_of_0_and_no_synapse_merge_nothing() -> None:
    assert merge_duplicates(placed([(1, 1, 2, 9, (0, 0, 0)), (2, 1, 2, 9, (0, 0, 0))]), 0).stays.all()
    assert len(merge_duplicates(placed([]), 500).kept) == 0


points = st.tuples(*[st.integers(0, 6).map(float)] * 3)
rows_of_runs = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 2), st.integers(3, 4), st.integers(1, 3), points),
    max_size=25,
    unique_by=lambda row: row[:3],
)


@given(rows_of_runs, st.randoms(use_true_random=False))
def test_the_order_of_the_synapses_changes_nothing(rows: list[Row], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merged(rows, 2.0) == merged(shuffled, 2.0)


@given(rows_of_runs)
def test_groups_are_what_linking_one_by_one_gives(rows: list[Row]) -> None:
    groups: list[list[Row]] = []
    for row in rows:
        linked = [
            group
            for group in groups
            if any(o[1:3] == row[1:3] and np.linalg.norm(np.subtract(o[4], row[4])) <= 2.0 for o in group)
        ]
        groups = [group for group in groups if group not in linked] + [[row, *(o for group in linked for o in group)]]
    expected = {row[:3]: min(group, key=lambda o: (-o[3], o[0]))[0] for group in groups for row in group}
    assert merged(rows, 2.0) == expected
