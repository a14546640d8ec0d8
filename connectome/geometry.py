"""Vectors, boxes, grids, voxel and nm coordinates, and the block grid. Axes are always z, y, x.

A voxel with index i on an axis covers `offset_nm + [i, i + 1) * resolution_nm`; its centre lies at
`offset_nm + (i + 0.5) * resolution_nm`. A point's voxel is the floor of `(point - offset) / resolution`, as in CREMI.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from numbers import Real
from typing import Any, Generic, Self, SupportsInt, TypeVar, cast

from connectome.errors import BoxError

Triple = tuple[int, int, int]
NmTriple = tuple[float, float, float]
Axis = TypeVar("Axis", bound=float, covariant=True)
Number = TypeVar("Number", bound=float)


class Vector(tuple[Axis, Axis, Axis], Generic[Axis]):
    """Three numbers (z, y, x) with arithmetic axis by axis, against another triple or against one number.

    It is the tuple of its numbers in everything else: equality, order, hash, pickle, JSON, as a shape or an index.
    """

    __slots__ = ()

    def __new__(cls, values: Iterable[Axis]) -> Self:
        """Take three numbers from any iterable.

        Raises:
            ValueError: there are more or fewer.
        """
        z, y, x = values
        return super().__new__(cls, (z, y, x))

    # A tuple joins and repeats with + and *; three axes never want that, so mypy's complaint is silenced.
    def __add__(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:  # type: ignore[override]
        return self._each(operator.add, other)

    def __radd__(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:
        return self._each(operator.add, other)

    def __sub__(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:
        return self._each(operator.sub, other)

    def __rsub__(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:
        return self._each(lambda own, theirs: theirs - own, other)

    def __mul__(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:  # type: ignore[override]
        return self._each(operator.mul, other)

    def __rmul__(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:  # type: ignore[override]
        return self._each(operator.mul, other)

    def __truediv__(self, other: NmTriple | float) -> Vector[float]:
        return self._each(operator.truediv, other)

    def __floordiv__(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:
        return self._each(operator.floordiv, other)

    def __mod__(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:
        return self._each(operator.mod, other)

    def ceil_div(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:
        """The quotients, rounded up."""
        return self._each(lambda own, theirs: -(-own // theirs), other)

    def minimum(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:
        """The smaller number of each axis."""
        return self._each(min, other)

    def maximum(self: Vector[Number], other: tuple[Number, Number, Number] | Number) -> Vector[Number]:
        """The greater number of each axis."""
        return self._each(max, other)

    def is_at_most(self, other: NmTriple | float) -> bool:
        """True if the number of each axis is smaller or equal."""
        return all(self._each(operator.le, other))

    def ceil(self) -> Vector[int]:
        """Each rounded up."""
        return Vector(map(math.ceil, self))

    def nearest(self) -> Vector[int]:
        """Each rounded to the nearest whole number (of two the even one)."""
        return Vector(map(round, self))

    def product(self: Vector[Number]) -> Number:
        """The product of the three."""
        z, y, x = self
        return z * y * x  # type: ignore[return-value]

    def _each(self, operation: Callable[[Any, Any], Any], other: Any) -> Vector[Any]:
        if isinstance(other, tuple):
            z, y, x = other
        elif isinstance(other, Real):
            z = y = x = other
        else:  # an array's own arithmetic; mypy knows the constant only in the methods that Python asks
            return cast(Vector[Any], NotImplemented)
        return Vector((operation(self[0], z), operation(self[1], y), operation(self[2], x)))


def triple(values: Iterable[SupportsInt]) -> Vector[int]:
    """Three integers (z, y, x) from any sequence of three numbers."""
    return Vector(map(int, values))


@dataclass(frozen=True, order=True, init=False)
class Box:
    """A box of voxels: `start` inclusive, `stop` exclusive, both (z, y, x)."""

    start: Vector[int]
    stop: Vector[int]

    def __init__(self, start: Triple, stop: Triple) -> None:
        """Lay a box between two corners."""
        object.__setattr__(self, "start", Vector(start))
        object.__setattr__(self, "stop", Vector(stop))

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
        return cls(start, Vector(shape) + start)

    @classmethod
    def around(cls, centre: tuple[float, float, float], shape: Triple) -> Box:
        """The box of `shape` voxels that has a voxel (or the one that holds a position) in its middle."""
        return cls.of_shape(shape, triple(Vector(centre) - Vector(shape) // 2))

    @classmethod
    def of_slices(cls, slices: Iterable[slice]) -> Box:
        """The box of three slices that say where they begin and end: the other way of `slices`."""
        found = list(slices)
        return cls(triple(one.start for one in found), triple(one.stop for one in found))

    @property
    def shape(self) -> Vector[int]:
        """Voxels along z, y, x (0 where the box is empty)."""
        return (self.stop - self.start).maximum(0)

    @property
    def size_voxels(self) -> int:
        """The number of voxels."""
        return self.shape.product()

    @property
    def is_empty(self) -> bool:
        """True if the box holds no voxel."""
        return self.size_voxels == 0

    def intersect(self, other: Box) -> Box:
        """The common part of two boxes; may be empty."""
        start = self.start.maximum(other.start)
        return Box(start, self.stop.minimum(other.stop).maximum(start))

    def grow(self, low: Triple, high: Triple | None = None) -> Box:
        """The box widened by `low` voxels at its start and `high` (default: `low`) at its stop."""
        return Box(self.start - low, self.stop + (low if high is None else high))

    def shift(self, by: Triple) -> Box:
        """The box moved by `by` voxels."""
        return Box(self.start + by, self.stop + by)

    def refined(self, factors: Triple) -> Box:
        """The same space in voxels that are finer by `factors`."""
        return Box(self.start * factors, self.stop * factors)

    def coarsened(self, factors: Triple) -> Box:
        """The voxels coarser by `factors` that hold any of the box: they cover it."""
        return Box(self.start // factors, self.stop.ceil_div(factors))

    def contains(self, other: Box) -> bool:
        """True if `other` lies wholly inside."""
        return self.intersect(other) == other

    def contains_point(self, point: tuple[float, float, float]) -> bool:
        """True if a point in voxel coordinates (z, y, x) lies inside."""
        return all(map(operator.le, self.start, point)) and all(map(operator.lt, point, self.stop))

    def slices(self, origin: Triple = (0, 0, 0)) -> tuple[slice, slice, slice]:
        """Slices of this box in an array whose first voxel is `origin`."""
        z, y, x = map(slice, self.start - origin, self.stop - origin)
        return z, y, x

    def voxels(self) -> Iterator[Triple]:
        """The indices (z, y, x) of its voxels in C order."""
        z, y, x = map(range, self.start, self.stop)
        return product(z, y, x)

    def margins(self, inside: Box) -> list[tuple[int, int]]:
        """The voxels of this box before and behind a box inside it, per axis: the widths of `np.pad`."""
        return list(zip(inside.start - self.start, self.stop - inside.stop, strict=True))

    def __str__(self) -> str:
        return ",".join(map("{}:{}".format, self.start, self.stop))


@dataclass(frozen=True, init=False)
class Grid:
    """The place of a volume: shape in voxels, resolution and offset in nm, all (z, y, x)."""

    shape: Vector[int]
    resolution_nm: Vector[float]
    offset_nm: Vector[float]

    def __init__(self, *, shape: Triple, resolution_nm: NmTriple, offset_nm: NmTriple = (0.0, 0.0, 0.0)) -> None:
        """Lay voxels into space."""
        object.__setattr__(self, "shape", Vector(shape))
        object.__setattr__(self, "resolution_nm", Vector(resolution_nm))
        object.__setattr__(self, "offset_nm", Vector(offset_nm))

    @property
    def box(self) -> Box:
        """All voxels of the volume."""
        return Box.of_shape(self.shape)

    @property
    def stop_nm(self) -> Vector[float]:
        """The corner behind the last voxel, in nm."""
        return self.corner_nm(self.shape)

    def corner_nm(self, voxel: tuple[float, float, float]) -> Vector[float]:
        """The corner in nm of a voxel: where it begins."""
        return self.offset_nm + self.resolution_nm * voxel

    def centre_nm(self, voxel: tuple[float, float, float]) -> Vector[float]:
        """The centre in nm of a voxel, or of a mean of voxel indices."""
        return self.offset_nm + (Vector(voxel) + 0.5) * self.resolution_nm

    def voxel_at(self, point_nm: NmTriple) -> Vector[int]:
        """The voxel that holds a point in nm; may lie outside of the volume."""
        return triple((Vector(point_nm) - self.offset_nm) // self.resolution_nm)

    def position(self, point_nm: NmTriple) -> Vector[float]:
        """A point in nm as a voxel index with a fraction: a voxel's centre has the voxel's index."""
        return (Vector(point_nm) - self.offset_nm) / self.resolution_nm - 0.5

    def part(self, box: Box) -> Grid:
        """The place of a box's voxels, counted from the box's first."""
        return Grid(shape=box.shape, resolution_nm=self.resolution_nm, offset_nm=self.corner_nm(box.start))

    def __str__(self) -> str:
        ends = ",".join(map("{:g}:{:g}".format, self.offset_nm, self.stop_nm))
        return f"zyx {ends} nm"


@dataclass(frozen=True)
class BlockGrid:
    """`box` cut into blocks on a lattice of `block_shape` that is anchored at voxel (0, 0, 0) of the volume.

    The blocks cover the box exactly once; those at its border are cut to it. A block's id is the place of its lattice
    cell in z, y, x order among the cells that touch the box, beginning at 0.
    """

    box: Box
    block_shape: Triple

    @property
    def cells(self) -> Box:
        """The cells of the lattice that touch the box: a box of blocks."""
        return self.box.coarsened(self.block_shape)

    @property
    def counts(self) -> Vector[int]:
        """The number of blocks along z, y, x."""
        return self.cells.shape

    def __len__(self) -> int:
        return self.cells.size_voxels

    def block(self, block_id: int) -> Box:
        """The box of a block, cut to the grid's box."""
        cells = self.cells
        _, ny, nx = cells.shape
        cell = Vector((block_id // (ny * nx), block_id // nx % ny, block_id % nx)) + cells.start
        return Box.of_shape(self.block_shape, cell * self.block_shape).intersect(self.box)

    def block_id_at(self, voxel: Triple) -> int:
        """The id of the block that holds a voxel of the box."""
        return self._id(Vector(voxel) // self.block_shape)

    def overlapping(self, box: Box) -> list[int]:
        """The ids, ascending, of the blocks that share voxels with `box`."""
        common = box.intersect(self.box)
        if common.is_empty:
            return []
        return [self._id(cell) for cell in common.coarsened(self.block_shape).voxels()]

    def _id(self, cell: Triple) -> int:
        cells = self.cells
        _, ny, nx = cells.shape
        z, y, x = cell - cells.start
        return (z * ny + y) * nx + x

    def __iter__(self) -> Iterator[tuple[int, Box]]:
        for block_id in range(len(self)):
            yield block_id, self.block(block_id)
