"""Boxes, voxel and nm coordinates, and the block grid. Axes are always z, y, x.

A voxel with index i on an axis covers `offset_nm + [i, i + 1) * resolution_nm`; its centre lies at
`offset_nm + (i + 0.5) * resolution_nm`. A point's voxel is the floor of `(point - offset) / resolution`, as in CREMI.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import SupportsInt

from connectome.errors import BoxError, ResolutionError

Triple = tuple[int, int, int]
NmTriple = tuple[float, float, float]


def triple(values: Iterable[SupportsInt]) -> Triple:
    """Three integers (z, y, x) from any sequence of three numbers."""
    z, y, x = values
    return int(z), int(y), int(x)


@dataclass(frozen=True, order=True)
class Box:
    """A box of voxels: `start` inclusive, `stop` exclusive, both (z, y, x)."""

    start: Triple
    stop: Triple

    @classmethod
    def parse(cls, text: str) -> Box:
        """Read 'z0:z1,y0:y1,x0:x1'.

        Raises:
            BoxError: the text has another form, or the box is empty.
        """
        match = re.fullmatch(r"\s*" + r"\s*,\s*".join([r"(-?\d+)\s*:\s*(-?\d+)"] * 3) + r"\s*", text)
        if match is None:
            raise BoxError(
                f"box '{text}' isn't of the form z0:z1,y0:y1,x0:x1 (voxels, start inclusive, stop exclusive)"
            )
        numbers = [int(number) for number in match.groups()]
        box = cls(triple(numbers[0::2]), triple(numbers[1::2]))
        if box.is_empty:
            raise BoxError(f"box '{text}' is empty: each stop must be greater than its start")
        return box

    @classmethod
    def of_shape(cls, shape: Triple, start: Triple = (0, 0, 0)) -> Box:
        """The box of `shape` voxels that begins at `start`."""
        return cls(start, triple(s + n for s, n in zip(start, shape, strict=True)))

    @property
    def shape(self) -> Triple:
        """Voxels along z, y, x (0 where the box is empty)."""
        return triple(max(b - a, 0) for a, b in zip(self.start, self.stop, strict=True))

    @property
    def size_voxels(self) -> int:
        """The number of voxels."""
        z, y, x = self.shape
        return z * y * x

    @property
    def is_empty(self) -> bool:
        """Whether the box holds no voxel."""
        return self.size_voxels == 0

    def intersect(self, other: Box) -> Box:
        """The common part of two boxes; may be empty."""
        start = triple(max(a, b) for a, b in zip(self.start, other.start, strict=True))
        stop = triple(min(a, b) for a, b in zip(self.stop, other.stop, strict=True))
        return Box(start, triple(max(a, b) for a, b in zip(start, stop, strict=True)))

    def grow(self, low: Triple, high: Triple | None = None) -> Box:
        """The box widened by `low` voxels at its start and `high` (default: `low`) at its stop."""
        high = low if high is None else high
        start = triple(a - m for a, m in zip(self.start, low, strict=True))
        return Box(start, triple(b + m for b, m in zip(self.stop, high, strict=True)))

    def shift(self, by: Triple) -> Box:
        """The box moved by `by` voxels."""
        start = triple(a + m for a, m in zip(self.start, by, strict=True))
        return Box(start, triple(b + m for b, m in zip(self.stop, by, strict=True)))

    def contains(self, other: Box) -> bool:
        """Whether `other` lies wholly inside."""
        return self.intersect(other) == other

    def contains_point(self, point: tuple[float, float, float]) -> bool:
        """Whether a point in voxel coordinates (z, y, x) lies inside."""
        return all(a <= p < b for a, p, b in zip(self.start, point, self.stop, strict=True))

    def slices(self, origin: Triple = (0, 0, 0)) -> tuple[slice, slice, slice]:
        """Slices of this box in an array whose first voxel is `origin`."""
        z, y, x = (slice(a - o, b - o) for a, b, o in zip(self.start, self.stop, origin, strict=True))
        return z, y, x

    def __str__(self) -> str:
        return ",".join(f"{a}:{b}" for a, b in zip(self.start, self.stop, strict=True))


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where a volume lies: shape in voxels, resolution and offset in nm, all (z, y, x)."""

    shape: Triple
    resolution_nm: NmTriple
    offset_nm: NmTriple = (0.0, 0.0, 0.0)

    @property
    def box(self) -> Box:
        """All voxels of the volume."""
        return Box.of_shape(self.shape)


@dataclass(frozen=True)
class BlockGrid:
    """`box` cut into blocks on a lattice of `block_shape` that is anchored at voxel (0, 0, 0) of the volume.

    The blocks cover the box exactly once; those at its border are cut to it. A block's id is the place of its lattice
    cell in z, y, x order among the cells that touch the box, beginning at 0.
    """

    box: Box
    block_shape: Triple

    @property
    def _first(self) -> Triple:
        return triple(a // b for a, b in zip(self.box.start, self.block_shape, strict=True))

    @property
    def counts(self) -> Triple:
        """The number of blocks along z, y, x."""
        last = (-(-b // s) for b, s in zip(self.box.stop, self.block_shape, strict=True))
        return triple(b - a for a, b in zip(self._first, last, strict=True))

    def __len__(self) -> int:
        z, y, x = self.counts
        return z * y * x

    def block(self, block_id: int) -> Box:
        """The box of a block, cut to the grid's box."""
        _, ny, nx = self.counts
        cell = (block_id // (ny * nx), block_id // nx % ny, block_id % nx)
        start = triple((f + c) * s for f, c, s in zip(self._first, cell, self.block_shape, strict=True))
        return Box.of_shape(self.block_shape, start).intersect(self.box)

    def block_id_at(self, voxel: Triple) -> int:
        """The id of the block that holds a voxel of the box."""
        cell = [v // s - f for v, s, f in zip(voxel, self.block_shape, self._first, strict=True)]
        _, ny, nx = self.counts
        return (cell[0] * ny + cell[1]) * nx + cell[2]

    def overlapping(self, box: Box) -> list[int]:
        """The ids, ascending, of the blocks that share voxels with `box`."""
        common = box.intersect(self.box)
        if common.is_empty:
            return []
        low = [a // s - f for a, s, f in zip(common.start, self.block_shape, self._first, strict=True)]
        high = [(b - 1) // s - f for b, s, f in zip(common.stop, self.block_shape, self._first, strict=True)]
        _, ny, nx = self.counts
        return [
            (z * ny + y) * nx + x
            for z in range(low[0], high[0] + 1)
            for y in range(low[1], high[1] + 1)
            for x in range(low[2], high[2] + 1)
        ]

    def __iter__(self) -> Iterator[tuple[int, Box]]:
        for block_id in range(len(self)):
            yield block_id, self.block(block_id)


def voxel_centre_nm(voxel: tuple[float, float, float], resolution_nm: NmTriple, offset_nm: NmTriple) -> NmTriple:
    """The centre in nm of a voxel (or of a mean of voxel indices), all (z, y, x)."""
    z, y, x = (o + (v + 0.5) * r for v, r, o in zip(voxel, resolution_nm, offset_nm, strict=True))
    return z, y, x


def voxel_at_nm(point_nm: NmTriple, resolution_nm: NmTriple, offset_nm: NmTriple) -> Triple:
    """The voxel (z, y, x) that holds a point in nm."""
    return triple((p - o) // r for p, r, o in zip(point_nm, resolution_nm, offset_nm, strict=True))


def whole_factors(coarse_nm: NmTriple, fine_nm: NmTriple) -> Triple:
    """How many fine voxels make a coarse one, per axis.

    Raises:
        ResolutionError: a ratio isn't a whole number of at least 1 (up to 0.1 %).
    """
    factors = []
    for axis, coarse, fine in zip("zyx", coarse_nm, fine_nm, strict=True):
        factor = round(coarse / fine)
        if factor < 1 or abs(coarse / fine - factor) > 1e-3 * factor:
            raise ResolutionError(
                f"a resolution of {fine:g} nm doesn't divide {coarse:g} nm along {axis} by a whole factor: "
                "resample the volume, or correct its resolution with --resolution"
            )
        factors.append(factor)
    return triple(factors)
