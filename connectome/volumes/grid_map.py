"""A working grid laid over a volume's own, axis by axis, in whole numbers.

Where a working voxel lies follows from its index alone, exactly, however far it is from the first one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Grid, NmTriple, triple

Indices = NDArray[np.int64]

LARGEST_DRIFT = 0.25
"""In the volume's voxels: a ratio that is whole but for so much over the volume's whole length is whole."""
SHIFT_TOLERANCE = 1e-2
"""In the volume's voxels: what offsets in nm may be wrong by."""
LARGEST_DENOMINATOR = 20_000
PARTS = 1_000
"""Into how many parts a voxel is divided where the grids begin between two voxels."""


@dataclass(frozen=True, kw_only=True)
class AxisMap:
    """The places of working voxels in voxels of a volume.

    In units of 1 / `unit` of the volume's voxels, working voxel i covers `[i * step - shift, (i + 1) * step - shift)`,
    and the volume `[0, count * unit)`.
    """

    step: int
    shift: int
    unit: int
    count: int

    @classmethod
    def of(cls, *, working_nm: float, anchor_nm: float, voxel_nm: float, offset_nm: float, count: int) -> AxisMap:
        """Lay working voxels, of which number 0 begins at an anchor, over a volume of `count` voxels."""
        ratio = _ratio(working_nm, voxel_nm, count)
        shift = (offset_nm - anchor_nm) / working_nm * float(ratio)
        if abs(shift - round(shift)) <= SHIFT_TOLERANCE:
            unit = ratio.denominator
            return cls(step=ratio.numerator, shift=round(shift) * unit, unit=unit, count=count)
        unit = ratio.denominator * PARTS
        return cls(step=ratio.numerator * PARTS, shift=round(shift * unit), unit=unit, count=count)

    @property
    def factor(self) -> int | None:
        """The number of the volume's voxels in a working voxel, where both begin together; else None."""
        return None if self.step % self.unit or self.shift % self.unit else self.step // self.unit

    @property
    def covered(self) -> tuple[int, int]:
        """The working voxels that the volume covers wholly: first, and one after the last; equal if there is none."""
        first = -(-self.shift // self.step)
        return first, max((self.shift + self.count * self.unit) // self.step, first)

    def working(self, first: int, stop: int) -> tuple[int, int]:
        """The working voxels that touch voxels of the volume; both as first, and one after the last."""
        return (first * self.unit + self.shift) // self.step, -(-(stop * self.unit + self.shift) // self.step)

    def voxels(self, first: int, stop: int) -> tuple[int, int]:
        """The voxels of the volume that touch working voxels; both as first, and one after the last."""
        return (first * self.step - self.shift) // self.unit, -(-(stop * self.step - self.shift) // self.unit)

    @property
    def group(self) -> int:
        """The number of whole voxels of the volume that comes nearest to one working voxel; at least 1."""
        return max((2 * self.step + self.unit) // (2 * self.unit), 1)

    def low(self, first: int, stop: int) -> Indices:
        """Where working voxels begin, in units of 1 / `unit`: int64 (n,)."""
        return np.arange(first, stop, dtype=np.int64) * self.step - self.shift

    def centres(self, first: int, stop: int) -> Indices:
        """The voxel of the volume that holds the centre of each working voxel: int64 (n,), not limited to the volume.

        Of a whole even number of voxels it is the later one of the two in the middle.
        """
        return (2 * self.low(first, stop) + self.step) // (2 * self.unit)

    def groups(self, first: int, stop: int) -> Indices:
        """The first of the `group` voxels that come nearest to each working voxel: int64 (n,), inside the volume."""
        middle = 2 * self.low(first, stop) + self.step
        starts = (middle - (self.group - 1) * self.unit) // (2 * self.unit)
        return np.clip(starts, 0, max(self.count - self.group, 0))

    def taps(self, first: int, stop: int) -> tuple[Indices, NDArray[np.float32]]:
        """Which voxels of the volume a working voxel is made of, and how much each counts.

        A working voxel is the mean over what it covers: the running sum of the volume's voxels at its end, less the
        one at its beginning. At the borders of the volume's voxels that sum is known exactly; between them it is
        interpolated by cubic convolution with a = -1/2 (Keys 1981). So the mean of whole voxels is exact, and nothing
        is lost or added; a straight line between the sums, the plain mean by covered shares, would blur more.

        Returns:
            Indices int64 (taps, n), inside the volume, and weights float32 (taps, n), which add up to 1.
        """
        low = self.low(first, stop)
        covered = -(-(self.step + self.unit - math.gcd(self.step, self.unit, self.shift)) // self.unit)
        index = low // self.unit + np.arange(-1, covered + 1)[:, None]
        begin = (low - index * self.unit) / self.unit
        length = self.step / self.unit
        weights = (_summed(begin + length) - _summed(begin)) / length
        counts = weights.any(1)
        return np.clip(index, 0, self.count - 1)[counts], weights[counts].astype(np.float32)


def _summed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of a voxel, which lies from 0 to 1, in the running sum up to x: 0 before it, 1 behind it."""
    d = np.clip(x, -1, 2)
    return _cubic(d - 1) + _cubic(d - 2) + _cubic(d - 3)


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kernel of cubic convolution with a = -1/2."""
    d = np.abs(x)
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


@dataclass(frozen=True)
class GridMap:
    """The places of a working grid's voxels in those of a volume, along z, y and x."""

    axes: tuple[AxisMap, AxisMap, AxisMap]

    @classmethod
    def of(cls, grid: Grid, resolution_nm: NmTriple, anchor_nm: NmTriple) -> GridMap:
        """Lay working voxels of a resolution, of which (0, 0, 0) begins at an anchor, over a grid."""
        given = zip(resolution_nm, anchor_nm, grid.resolution_nm, grid.offset_nm, grid.shape, strict=True)
        z, y, x = (
            AxisMap.of(working_nm=working, anchor_nm=anchor, voxel_nm=voxel, offset_nm=offset, count=count)
            for working, anchor, voxel, offset, count in given
        )
        return cls((z, y, x))

    @property
    def box(self) -> Box:
        """All voxels of the volume."""
        return Box.of_shape(triple(axis.count for axis in self.axes))

    @property
    def covered(self) -> Box:
        """The working voxels that the volume covers wholly; may be empty."""
        return _box([axis.covered for axis in self.axes])

    def working(self, box: Box) -> Box:
        """The working voxels that touch voxels of the volume."""
        return _box([axis.working(a, b) for axis, a, b in zip(self.axes, box.start, box.stop, strict=True)])

    def voxels(self, box: Box) -> Box:
        """The voxels of the volume that touch working voxels; some may lie outside of it."""
        return _box([axis.voxels(a, b) for axis, a, b in zip(self.axes, box.start, box.stop, strict=True)])


def _box(ends: list[tuple[int, int]]) -> Box:
    start, stop = zip(*ends, strict=True)
    return Box(triple(start), triple(stop))


def _ratio(working_nm: float, voxel_nm: float, count: int) -> Fraction:
    """The number of the volume's voxels in a working voxel."""
    ratio = working_nm / voxel_nm
    whole = round(ratio)
    if whole >= 1 and abs(ratio - whole) / whole * count <= LARGEST_DRIFT:
        return Fraction(whole)
    exact = Fraction(working_nm).limit_denominator(10**6) / Fraction(voxel_nm).limit_denominator(10**6)
    return exact.limit_denominator(LARGEST_DENOMINATOR)
