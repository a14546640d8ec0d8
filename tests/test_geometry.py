"""Boxes, coordinates and the block grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectome.errors import BoxError, ResolutionError
from connectome.geometry import BlockGrid, Box, Triple, triple, voxel_at_nm, voxel_centre_nm, whole_factors


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
    offset_nm = (100.0, -7.5, 0.0)
    assert voxel_at_nm(voxel_centre_nm(voxel, resolution_nm, offset_nm), resolution_nm, offset_nm) == voxel


def test_whole_factors_are_the_ratios_of_resolutions() -> None:
    assert whole_factors((30, 12, 12), (30, 6, 4)) == (1, 2, 3)


@pytest.mark.parametrize("fine_nm", [(30, 8, 12), (40, 12, 12), (30, 12, 24)])
def test_a_resolution_that_does_not_divide_is_refused(fine_nm: tuple[float, float, float]) -> None:
    with pytest.raises(ResolutionError, match="whole factor"):
        whole_factors((30, 12, 12), fine_nm)
