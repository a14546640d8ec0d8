"""The global lattice of network tiles, and the exact blending of their outputs.

Tiles lie on one lattice anchored at voxel 0 of the working grid, whatever the blocks, so a voxel's prediction doesn't
depend on how the volume was cut. A tile's input is its output plus a halo that is discarded; the outputs of neighbours
share `overlap` voxels, where they are blended with linear weights in integer arithmetic. The last tiles along an axis
are no larger than the volume and its halo ask for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Triple, Vector, triple


@dataclass(frozen=True, kw_only=True)
class TileShape:
    """Shapes (z, y, x) in voxels: what the network sees, what is discarded on each side, what neighbours share."""

    tile: Triple = (40, 224, 224)
    halo: Triple = (3, 12, 12)
    overlap: Triple = (2, 8, 8)

    @property
    def output(self) -> Vector[int]:
        """The part of a tile that is kept."""
        return Vector(self.tile) - Vector(self.halo) * 2

    @property
    def stride(self) -> Vector[int]:
        """From one tile to the next."""
        return self.output - self.overlap


@dataclass(frozen=True)
class TileLattice:
    """The tiles that cover a volume of `shape` voxels (z, y, x); what the network sees has sides of `multiple`."""

    shape: Triple
    tiles: TileShape
    multiple: Triple = (1, 1, 1)

    @property
    def counts(self) -> Vector[int]:
        """The number of tiles along z, y, x."""
        return (Vector(self.shape) - self.tiles.overlap).ceil_div(self.tiles.stride).maximum(1)

    @property
    def store_shape(self) -> Triple:
        """The shape of an array that holds every tile's output side by side, without sharing."""
        return self.counts * self.tiles.output

    def cell(self, tile_id: int) -> Triple:
        """The place (z, y, x) of a tile in the lattice."""
        _, ny, nx = self.counts
        return tile_id // (ny * nx), tile_id // nx % ny, tile_id % nx

    def output_box(self, cell: Triple) -> Box:
        """The voxels that a tile predicts; may reach beyond the volume."""
        return Box.of_shape(self.tiles.output, self.tiles.stride * cell)

    def kept_box(self, cell: Triple) -> Box:
        """The voxels of the volume that a tile predicts."""
        return self.output_box(cell).intersect(Box.of_shape(self.shape))

    def input_box(self, cell: Triple) -> Box:
        """The voxels that the network sees of a tile: those it keeps, their halo, what makes sides of `multiple`."""
        wanted = self.kept_box(cell).grow(self.tiles.halo)
        sides = wanted.shape.ceil_div(self.multiple) * self.multiple
        return Box.of_shape(sides.minimum(self.tiles.tile), wanted.start)

    def store_box(self, cell: Triple) -> Box:
        """The place of a tile's `kept_box` in the array of `store_shape`."""
        return Box.of_shape(self.kept_box(cell).shape, self.tiles.output * cell)

    def cells_overlapping(self, box: Box) -> list[Triple]:
        """The tiles that predict voxels of `box`, in z, y, x order."""
        first = (box.start - self.tiles.output + 1).ceil_div(self.tiles.stride).maximum(0)
        last = ((box.stop - 1) // self.tiles.stride).minimum(self.counts - 1)
        return list(Box(first, last + 1).voxels())

    def axis_weights(self, cell: Triple) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
        """Blending weights of a tile's output along z, y, x: rising and falling ramps over the overlaps."""
        ramps = []
        for index, n, overlap, count in zip(cell, self.tiles.output, self.tiles.overlap, self.counts, strict=True):
            ramp = np.full(n, overlap + 1, np.uint32)
            rising = np.arange(1, overlap + 1, dtype=np.uint32)
            if index > 0:
                ramp[:overlap] = rising
            if index < count - 1:
                ramp[n - overlap :] = rising[::-1]
            ramps.append(ramp)
        return ramps[0], ramps[1], ramps[2]


class Blender:
    """Adds up the outputs of tiles over a box; the weights of all tiles at a voxel sum to one constant."""

    def __init__(self, lattice: TileLattice, box: Box) -> None:
        """Begin with nothing. `box`: voxels of the working grid inside the volume."""
        self.lattice = lattice
        self.box = box
        self._full = math.prod(overlap + 1 for overlap in lattice.tiles.overlap)
        self._out = np.zeros(box.shape, np.uint8)
        self._sums: dict[Box, NDArray[np.uint32]] = {}

    def add(self, cell: Triple, part: Box, output: NDArray[np.uint8]) -> None:
        """Add a tile's `output` (uint8 (z, y, x), 255 = certain) over `part`, its share of the box."""
        origin = self.lattice.output_box(cell).start
        weights = self.lattice.axis_weights(cell)
        for piece in self._pieces(cell, part):
            values = output[piece.slices(part.start)]
            z, y, x = (w[slices] for w, slices in zip(weights, piece.slices(origin), strict=True))
            if len(z) and int(z[0]) * int(y[0]) * int(x[0]) == self._full:
                self._out[piece.slices(self.box.start)] = values
            else:
                total = self._sums.setdefault(piece, np.zeros(piece.shape, np.uint32))
                total += values * (z[:, None, None] * (y[:, None] * x))

    def result(self) -> NDArray[np.uint8]:
        """The blended prediction: uint8 (z, y, x), rounded half up."""
        for piece, total in self._sums.items():
            self._out[piece.slices(self.box.start)] = (total + self._full // 2) // self._full
        return self._out

    def _pieces(self, cell: Triple, part: Box) -> list[Box]:
        """A tile's part of the box, cut where neighbours begin and end; each piece has the same tiles everywhere."""
        sides = []
        axes = zip(cell, part.start, part.stop, self.lattice.tiles.stride, self.lattice.tiles.overlap, strict=True)
        for place, a, b, stride, overlap in axes:
            cuts = (a, place * stride + overlap, (place + 1) * stride, b)
            edges = [min(max(cut, a), b) for cut in cuts]
            sides.append([(low, high) for low, high in pairwise(edges) if low < high])
        return [Box(triple(a for a, _ in ends), triple(b for _, b in ends)) for ends in product(*sides)]
