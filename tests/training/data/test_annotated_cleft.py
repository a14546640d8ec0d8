"""Clefts with all their partners."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connectome.records import ReferenceSynapse
from connectome.training.data.annotated_cleft import group_clefts

KEYS = st.sets(st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(1, 4)), max_size=12)


def synapse(key: tuple[int, int, int]) -> ReferenceSynapse:
    return ReferenceSynapse(
        cleft_id=key[0], pre_segment_id=key[1], post_segment_id=key[2], centroid_voxel=(key[0], 2.0, 3.0), size_voxels=9
    )


def test_a_polyadic_cleft_is_one_with_all_its_partners() -> None:
    (cleft,) = group_clefts(synapse((7, 10, post)) for post in (22, 20, 21))
    assert cleft.pairs == ((10, 20), (10, 21), (10, 22))
    assert (cleft.pre_segment_ids, cleft.post_segment_ids) == ((10,), (20, 21, 22))
    assert (cleft.cleft_id, cleft.centroid_voxel, cleft.size_voxels) == (7, (7, 2.0, 3.0), 9)


@given(KEYS, st.randoms())
def test_grouping_keeps_every_pair_once_whatever_the_order(keys: set[tuple[int, int, int]], random: Random) -> None:
    rows = [synapse(key) for key in sorted(keys)] * 2
    random.shuffle(rows)
    clefts = group_clefts(rows)
    assert [cleft.cleft_id for cleft in clefts] == sorted({key[0] for key in keys})
    assert {(cleft.cleft_id, *pair) for cleft in clefts for pair in cleft.pairs} == keys
    assert all(cleft.pairs == tuple(sorted(set(cleft.pairs))) for cleft in clefts)
