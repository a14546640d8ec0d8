"""Boxes, coordinates and the block grid."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectome.errors import BoxError
from connectome.geometry import (
    BlockGrid,
    Box,
    Grid,
    Triple,
    Vector,
    triple,
)


def triples(low: int, high: int) -> st.SearchStrategy[Triple]:
    return st.tuples(*[st.integers(low, high)] * 3)


def boxes(low: int = -20, high: int = 20, longest: int = 9) -> st.SearchStrategy[Box]:
    return st.builds(lambda start, shape: Box.of_shape(shape, start), triples(low, high), triples(1, longest))


GRIDS = st.builds(BlockGrid, boxes(), triples(1, 7))


@given(GRIDS)
def test_the_grid_covers_its_box_exactly_once(grid: BlockGrid) -> None:
    covered = np.zeros(grid.box.shape, int)
    for _, block in grid:
        assert not block.is_empty
        assert grid.box.contains(block)
        covered[block.slices(grid.box.start)] += 1
    assert (covered == 1).all()


@given(GRIDS)
def test_blocks_lie_on_a_lattice_anchored_at_the_volumes_origin(grid: BlockGrid) -> None:
    for _, block in grid:
        cells = {
            tuple(v // s for v, s in zip(corner, grid.block_shape, strict=True))
            for corner in (block.start, triple(stop - 1 for stop in block.stop))
        }
        assert len(cells) == 1


@given(GRIDS, st.data())
def test_block_id_at_names_the_block_that_holds_the_voxel(grid: BlockGrid, data: st.DataObject) -> None:
    voxel = triple(data.draw(st.integers(a, b - 1)) for a, b in zip(grid.box.start, grid.box.stop, strict=True))
    block_id = grid.block_id_at(voxel)
    assert 0 <= block_id < len(grid)
    assert grid.block(block_id).contains_point(voxel)


@given(GRIDS, boxes(-30, 30, 25))
def test_overlapping_finds_the_blocks_that_share_voxels_with_a_box(grid: BlockGrid, box: Box) -> None:
    assert grid.overlapping(box) == [block_id for block_id, block in grid if not block.intersect(box).is_empty]


@given(boxes())
def test_the_text_of_a_box_reads_back_as_the_box(box: Box) -> None:
    assert Box.parse(str(box)) == box


def test_a_box_may_be_written_with_spaces_and_negative_numbers() -> None:
    assert Box.parse(" -4:3, 0 : 2 ,1:9 ") == Box((-4, 0, 1), (3, 2, 9))


@pytest.mark.parametrize(
    "text", ["", "0:1", "0:1,0:1", "0:1,0:1,0:1,0:1", "0-1,0:1,0:1", "0:1,0:1,0:x", "0:1.5,0:1,0:1", "0:1;0:1;0:1"]
)
def test_a_malformed_box_is_refused_with_the_form_it_should_have(text: str) -> None:
    with pytest.raises(BoxError, match="z0:z1,y0:y1,x0:x1"):
        Box.parse(text)


@pytest.mark.parametrize("text", ["0:0,0:1,0:1", "0:1,5:5,0:1", "0:1,0:1,7:3"])
def test_an_empty_box_is_refused(text: str) -> None:
    with pytest.raises(BoxError, match="empty"):
        Box.parse(text)


@given(boxes(), boxes())
def test_the_intersection_holds_exactly_the_common_voxels(one: Box, other: Box) -> None:
    canvas = np.zeros((60, 60, 60), bool)
    both = canvas.copy()
    canvas[one.shift((20, 20, 20)).slices()] = True
    both[other.shift((20, 20, 20)).slices()] = True
    both &= canvas
    common = one.intersect(other)
    assert common.size_voxels == both.sum()
    assert common == other.intersect(one)


@given(boxes(), triples(0, 5), triples(0, 5))
def test_a_grown_box_contains_the_box_and_has_the_margins(box: Box, low: Triple, high: Triple) -> None:
    grown = box.grow(low, high)
    assert grown.contains(box)
    assert grown.shape == triple(n + a + b for n, a, b in zip(box.shape, low, high, strict=True))


@given(triples(-1000, 1000), st.tuples(*[st.sampled_from([4.0, 8.0, 12.0, 30.0, 9.3])] * 3))
def test_the_centre_of_a_voxel_lies_in_that_voxel(voxel: Triple, resolution_nm: tuple[float, float, float]) -> None:
    grid = Grid(shape=(1, 1, 1), resolution_nm=resolution_nm, offset_nm=(100.0, -7.5, 0.0))
    assert grid.voxel_at(grid.centre_nm(voxel)) == voxel


@given(triples(-9, 9), triples(1, 9))
def test_arithmetic_of_vectors_goes_axis_by_axis_with_triples_numbers_and_from_either_side(
    a: Triple, b: Triple
) -> None:
    one, other = np.array(a), np.array(b)
    vector = Vector(a)
    for found, right in (
        (vector + b, one + other),
        (a + Vector(b), one + other),
        (vector - b, one - other),
        (2 - vector, 2 - one),
        (vector * b, one * other),
        (3 * vector, 3 * one),
        (vector // b, one // other),
        (vector % b, one % other),
        (vector / b, one / other),
        (vector * 2.5, one * 2.5),
        (vector.ceil_div(b), -(-one // other)),
        (vector.minimum(b), np.minimum(one, other)),
        (vector.maximum(0), np.maximum(one, 0)),
        ((vector / 4).ceil(), np.ceil(one / 4)),
        ((vector / 4).nearest(), np.rint(one / 4)),
    ):
        assert isinstance(found, Vector)
        assert found == tuple(right.tolist())
    assert vector.is_at_most(b) == bool((one <= other).all())
    assert vector.product() == one.prod()


def test_a_vector_is_the_tuple_of_its_numbers() -> None:
    vector = Vector((30.0, 12.0, 12.0))
    assert vector == (30.0, 12.0, 12.0)
    assert {vector: 1}[30.0, 12.0, 12.0] == 1
    assert json.dumps(vector) == "[30.0, 12.0, 12.0]"
    assert f"{vector}" == "(30.0, 12.0, 12.0)"
    assert type(pickle.loads(pickle.dumps(vector))) is Vector
    assert np.zeros(Vector((1, 2, 3))).shape == (1, 2, 3)
    assert isinstance(vector - np.ones(3), np.ndarray)
    assert Vector((1, 9, 9)) < Vector((2, 0, 0))


@pytest.mark.parametrize("values", [(1, 2), (1, 2, 3, 4)])
def test_a_vector_has_three_numbers(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="values to unpack"):
        Vector(values)
    with pytest.raises(ValueError, match="values to unpack"):
        Vector((1, 2, 3)) + values


@given(boxes(), triples(1, 5))
def test_coarser_voxels_cover_a_box(box: Box, factors: Triple) -> None:
    coarse = [
        Box.of_shape((1, 1, 1), voxel).refined(factors) for voxel in box.coarsened(factors).grow((1, 1, 1)).voxels()
    ]
    covering = box.coarsened(factors)
    assert covering.size_voxels == sum(not one.intersect(box).is_empty for one in coarse)
    assert covering.refined(factors).contains(box)
    assert box.refined(factors).coarsened(factors) == box


@given(boxes(0, 9, 5))
def test_the_voxels_of_a_box_come_in_c_order_and_margins_pad_it_out(box: Box) -> None:
    around = box.grow((1, 2, 0), (0, 1, 3))
    seen = np.zeros(around.shape, int)
    for number, voxel in enumerate(box.voxels(), 1):
        seen[triple(v - o for v, o in zip(voxel, around.start, strict=True))] = number
    whole = np.arange(1, box.size_voxels + 1).reshape(box.shape)
    assert np.array_equal(seen, np.pad(whole, around.margins(box)))


def test_a_grid_knows_where_its_voxels_lie() -> None:
    grid = Grid(shape=(10, 20, 30), resolution_nm=(30, 12, 12), offset_nm=(300, 0, 24))
    assert grid.stop_nm == (600, 240, 384)
    assert str(grid) == "zyx 300:600,0:240,24:384 nm"
    assert grid.corner_nm((1, 2, 3)) == (330, 24, 60)
    assert grid.centre_nm((1, 2, 3)) == (345, 30, 66)
    assert grid.voxel_at((345, 35.9, 66)) == (1, 2, 3)
    assert grid.position((345, 30, 66)) == (1, 2, 3)
    assert grid.part(Box((2, 0, 1), (4, 5, 6))) == Grid(
        shape=(2, 5, 5), resolution_nm=(30, 12, 12), offset_nm=(360, 0, 36)
    )


@given(boxes(0, 9), triples(0, 3))
def test_slices_come_from_a_box_and_give_it_back(box: Box, origin: Triple) -> None:
    assert Box.of_slices(box.slices(origin)).shift(origin) == box


@given(triples(-9, 9), triples(1, 7))
def test_a_box_around_a_voxel_has_it_in_its_middle(centre: Triple, shape: Triple) -> None:
    box = Box.around(centre, shape)
    assert box.shape == shape
    assert Vector(centre) - box.start == Vector(shape) // 2
