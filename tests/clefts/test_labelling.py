"""Labelling by blocks and stitching equals labelling the whole."""

from __future__ import annotations

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectome.clefts.labelling import Connectivity, grown, join, label_block, shared_voxel_pairs
from connectome.geometry import BlockGrid, Box, Triple, triple

sides = st.tuples(*[st.integers(1, 9)] * 3).map(triple)


def stitched(
    prediction: NDArray[np.uint8], block_shape: Triple, chunk_shape: Triple, box: Box, connectivity: Connectivity
) -> tuple[NDArray[np.uint64], dict[int, tuple[int, int, int]]]:
    """Labels of the whole volume from its blocks, and size, score sum and greatest score by cleft id."""
    grid = BlockGrid(box, block_shape)
    labels = np.zeros(prediction.shape, np.uint64)
    blocks = {}
    for block_id, block in grid:
        wide = grown(block, box)
        blocks[block_id] = label_block(prediction[wide.slices()], block, triple(prediction.shape), 128, connectivity)
    fragments, clefts = join(shared_voxel_pairs([block.border for block in blocks.values()]))
    target = dict(zip(fragments.tolist(), clefts.tolist(), strict=True))
    statistics: dict[int, tuple[int, int, int]] = {}
    for block_id, block in grid:
        found = blocks[block_id].fragments
        ids = found.fragment_id
        targets = np.array([target.get(int(i), int(i)) for i in ids], np.int64)
        painted = blocks[block_id].targets(ids, targets)
        for part in blocks[block_id].occupied(painted, BlockGrid(block, chunk_shape)):
            labels[part.slices()] = blocks[block_id].painted(painted)[part.slices(block.start)]
        for cleft, size, total, high in zip(targets, found.size_voxels, found.score_sum, found.score_max, strict=True):
            n, s, h = statistics.get(int(cleft), (0, 0, 0))
            statistics[int(cleft)] = (n + int(size), s + int(total), max(h, int(high)))
    return labels, statistics


@settings(max_examples=150, deadline=None)
@given(sides, sides, sides, st.sampled_from(Connectivity), st.floats(0.05, 0.7), st.integers(0, 10**6), st.booleans())
def test_stitched_blocks_equal_the_components_of_the_whole(
    shape: Triple,
    block: Triple,
    chunk: Triple,
    connectivity: Connectivity,
    density: float,
    seed: int,
    inner: bool,
) -> None:
    generator = np.random.default_rng(seed)
    prediction = np.where(generator.random(shape) < density, generator.integers(128, 256, shape), 3).astype(np.uint8)
    box = Box(triple(n // 3 for n in shape), shape) if inner else Box.of_shape(shape)
    labels, statistics = stitched(prediction, block, chunk, box, connectivity)

    seen = np.zeros(shape, bool)
    seen[box.slices()] = True
    foreground = (prediction >= 128) & seen
    padded = np.pad(foreground, [(0, 4)] * 3)  # cc3d 4.1 fails where a side is shorter than 4
    whole = cc3d.connected_components(padded, connectivity=int(connectivity))[tuple(slice(n) for n in shape)]
    assert np.array_equal(labels != 0, foreground)
    for component in range(1, int(whole.max()) + 1):
        where = np.flatnonzero(whole == component)
        cleft = int(where[0]) + 1
        assert (labels.ravel()[where] == cleft).all()
        scores = prediction.ravel()[where].astype(int)
        assert statistics[cleft] == (len(where), scores.sum(), scores.max())
    assert len(statistics) == whole.max()


def test_an_empty_block_has_no_fragments() -> None:
    found = label_block(np.zeros((2, 3, 4), np.uint8), Box.of_shape((2, 3, 4)), (2, 3, 4), 128, Connectivity.CORNERS)
    assert len(found.fragments.fragment_id) == len(found.border) == 0
    assert found.fragments.start.shape == found.fragments.index_sum.shape == (0, 3)
    assert not found.labels().any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (1, 7, 1), (1, 1, 9), (1, 9, 7), (3, 3, 3), (5, 5, 5)])
@pytest.mark.parametrize("connectivity", Connectivity)
def test_as_many_lone_voxels_as_fit_into_a_thin_block_are_labelled(shape: Triple, connectivity: Connectivity) -> None:
    strength = np.zeros(shape, np.uint8)
    strength[::2, ::2, ::2] = 255
    found = label_block(strength, Box.of_shape(shape), shape, 128, connectivity)
    assert (found.fragments.size_voxels == 1).all()
    assert len(found.fragments.fragment_id) == (strength > 0).sum()
    assert np.array_equal(found.labels() > 0, strength > 0)


def test_fragment_statistics_are_sums_over_the_blocks_own_voxels() -> None:
    prediction = np.zeros((3, 4, 5), np.uint8)
    prediction[1, 1:3, 2] = 200
    prediction[2, 2, 2] = 130  # on the plane beyond the block
    block = Box((0, 0, 0), (2, 4, 5))
    found = label_block(prediction, block, (3, 4, 5), 128, Connectivity.FACES).fragments
    assert found.fragment_id.tolist() == [1 + 1 * 20 + 1 * 5 + 2]
    assert found.size_voxels.tolist() == [2]
    assert found.index_sum.tolist() == [[2, 3, 4]]
    assert found.start.tolist() == [[1, 1, 2]]
    assert found.stop.tolist() == [[2, 3, 3]]
    assert found.score_sum.tolist() == [400]
    assert found.score_max.tolist() == [200]


def test_fragments_become_their_targets_and_the_rest_vanishes() -> None:
    strength = np.array([[[0, 200, 0, 200, 200, 0, 200, 0, 200]]], np.uint8)
    found = label_block(strength, Box.of_shape((1, 1, 9)), (1, 1, 9), 128, Connectivity.FACES)
    assert found.labels().tolist() == [[[0, 2, 0, 4, 4, 0, 7, 0, 9]]]
    ids = found.targets(np.array([7, 4, 2]), np.array([0, 2, 2]))
    assert found.painted(ids).tolist() == [[[0, 2, 0, 2, 2, 0, 0, 0, 0]]]
    assert not found.targets(np.zeros(0, np.int64), np.zeros(0, np.int64)).any()


def test_chunks_are_occupied_where_ids_are() -> None:
    strength = np.zeros((2, 4, 12), np.uint8)
    strength[0, 1, 2:11] = 200
    strength[1, 3, 0] = 200
    block = Box((6, 4, 12), (8, 8, 24))
    found = label_block(strength, block, (8, 8, 24), 128, Connectivity.FACES)
    chunks = BlockGrid(block, (1, 4, 4))
    ids = found.fragments.fragment_id
    everywhere = found.occupied(ids, chunks)
    assert [str(box) for box in everywhere] == ["6:7,4:8,12:16", "6:7,4:8,16:20", "6:7,4:8,20:24", "7:8,4:8,12:16"]
    assert found.occupied(np.where(ids == ids[1], 5, 0), chunks) == everywhere[3:]
    assert found.occupied(np.zeros(2, np.int64), chunks) == []
