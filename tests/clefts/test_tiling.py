"""The lattice of tiles and the blending of their outputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectome.clefts.tiling import Blender, TileLattice, TileShape
from connectome.geometry import Box, Triple, triple

TILES = TileShape(tile=(6, 10, 12), halo=(1, 2, 2), overlap=(1, 2, 3))
shapes = st.tuples(*[st.integers(1, 30)] * 3).map(triple)


@st.composite
def shapes_and_boxes(draw: st.DrawFn) -> tuple[Triple, Box]:
    shape = draw(shapes)
    start = triple(draw(st.integers(0, n - 1)) for n in shape)
    stop = triple(draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True))
    return shape, Box(start, stop)


def blend(lattice: TileLattice, box: Box, outputs: dict[Triple, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    blender = Blender(lattice, box)
    for cell in lattice.cells_overlapping(box):
        whole = lattice.output_box(cell)
        part = whole.intersect(box)
        blender.add(cell, part, outputs[cell][part.slices(whole.start)])
    return blender.result()


def random_outputs(lattice: TileLattice, seed: int) -> dict[Triple, NDArray[np.uint8]]:
    generator = np.random.default_rng(seed)
    cells = lattice.cells_overlapping(Box.of_shape(lattice.shape))
    return {cell: generator.integers(0, 256, lattice.tiles.output).astype(np.uint8) for cell in cells}


@given(shapes)
def test_the_tiles_cover_the_volume(shape: Triple) -> None:
    lattice = TileLattice(shape, TILES)
    covered = np.zeros(shape, int)
    for cell in lattice.cells_overlapping(Box.of_shape(shape)):
        covered[lattice.output_box(cell).intersect(Box.of_shape(shape)).slices()] += 1
    assert covered.min() >= 1
    z, y, x = lattice.counts
    assert len(lattice.cells_overlapping(Box.of_shape(shape))) == z * y * x


@given(shapes_and_boxes())
def test_the_tiles_of_a_box_are_those_whose_output_meets_it(case: tuple[Triple, Box]) -> None:
    shape, box = case
    lattice = TileLattice(shape, TILES)
    every = lattice.cells_overlapping(Box.of_shape(shape))
    assert lattice.cells_overlapping(box) == [c for c in every if not lattice.output_box(c).intersect(box).is_empty]


@settings(deadline=None)
@given(shapes_and_boxes(), st.integers(0, 9))
def test_any_box_blends_to_the_same_voxels_as_the_whole(case: tuple[Triple, Box], seed: int) -> None:
    shape, box = case
    lattice = TileLattice(shape, TILES)
    outputs = random_outputs(lattice, seed)
    whole = blend(lattice, Box.of_shape(shape), outputs)
    assert np.array_equal(blend(lattice, box, outputs), whole[box.slices()])


@pytest.mark.parametrize("value", [0, 1, 127, 255])
def test_equal_outputs_blend_to_themselves(value: int) -> None:
    lattice = TileLattice((20, 25, 30), TILES)
    outputs = {c: np.full(TILES.output, value, np.uint8) for c in random_outputs(lattice, 0)}
    assert (blend(lattice, Box.of_shape(lattice.shape), outputs) == value).all()


def test_the_weights_move_linearly_from_one_tile_to_the_next() -> None:
    lattice = TileLattice((4, 6, 13), TileShape(tile=(6, 10, 12), halo=(1, 2, 2), overlap=(0, 0, 3)))
    outputs = {c: np.full((4, 6, 8), 200 * c[2], np.uint8) for c in random_outputs(lattice, 0)}
    row = blend(lattice, Box.of_shape(lattice.shape), outputs)[0, 0]
    assert row.tolist() == [0, 0, 0, 0, 0, 50, 100, 150, 200, 200, 200, 200, 200]


def test_stored_tiles_do_not_share_voxels() -> None:
    lattice = TileLattice((20, 25, 30), TILES)
    seen = np.zeros(lattice.store_shape, int)
    for cell in lattice.cells_overlapping(Box.of_shape(lattice.shape)):
        assert lattice.store_box(cell).shape == lattice.kept_box(cell).shape
        seen[lattice.store_box(cell).slices()] += 1
    assert seen.max() == 1


@given(shapes)
def test_the_network_sees_what_is_kept_with_its_halo_and_no_more_than_it_must(shape: Triple) -> None:
    lattice = TileLattice(shape, TILES, multiple=(1, 2, 4))
    for cell in lattice.cells_overlapping(Box.of_shape(shape)):
        seen, kept = lattice.input_box(cell), lattice.kept_box(cell)
        assert seen.contains(kept.grow(TILES.halo))
        for side, least, multiple, most in zip(seen.shape, kept.shape, lattice.multiple, TILES.tile, strict=True):
            assert side % multiple == 0
            assert side <= most
            assert side < least + multiple + 2 * max(TILES.halo)


def test_tiles_inside_of_the_volume_have_the_full_shape() -> None:
    lattice = TileLattice((40, 50, 60), TILES, multiple=(1, 2, 4))
    assert {lattice.input_box((z, y, x)).shape for z in (0, 3) for y in (0, 5) for x in (0, 4)} == {TILES.tile}
