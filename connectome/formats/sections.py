"""Image stacks as sections: arrays, TIFFs, and files of one section each; read a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.errors import DtypeError
from connectome.formats.axes import AxisPlan
from connectome.geometry import Box, NmTriple, Triple, Vector


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a file tells beside its voxels.

    Attributes:
        sides_nm: of a voxel (z, y, x); None where it doesn't tell.
        offset_nm: corner of the first voxel (z, y, x); None where it doesn't tell.
        notes: what is done to its values or their order, for a person.
    """

    sides_nm: tuple[float | None, float | None, float | None] = (None, None, None)
    offset_nm: NmTriple | None = None
    notes: tuple[str, ...] = ()


class Sections(Protocol):
    """Sections along z, opened lazily."""

    @property
    def shape(self) -> Triple:
        """Sections, rows, columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type, in this machine's byte order."""

    @property
    def told(self) -> Told:
        """What the file tells beside its voxels."""

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""

    def close(self) -> None:
        """Close what is open."""


class ArraySections:
    """An array, often mapped from a file."""

    def __init__(
        self,
        array: NDArray[Any],
        plan: AxisPlan,
        told: Told,
        seen: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
    ) -> None:
        """Take an array; `seen` gives its voxels (z, y, x) their meaning and place, section by section."""
        self._array, self._plan, self._seen = array, plan, seen
        self.told = told
        self.dtype = np.dtype(array.dtype).newbyteorder("=")
        depth, *_ = plan.zyx_shape
        self.shape: Triple = plan.zyx_shape if seen is None else (depth, *self.read(0, 1).shape[1:])

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""
        _, height, width = self._plan.zyx_shape
        found = self._plan.read(self._array, Box((start, 0, 0), (stop, height, width))).astype(self.dtype, copy=False)
        return found if self._seen is None else self._seen(found)

    def close(self) -> None:
        """Let go of the array."""
        del self._array


class SectionFiles:
    """One file a section; a section without a file is 0."""

    def __init__(self, paths: list[Path | None], first: Sections, read: Callable[[Path], NDArray[Any]]) -> None:
        """Take files in order, the first one opened, and what reads one as (y, x)."""
        self._paths, self._read = paths, read
        self.shape: Triple = (len(paths), *first.shape[1:])
        self.dtype = first.dtype
        blank = sum(path is None for path in paths)
        notes = (f"{blank} of {len(paths)} sections are blank (0), since no file shows them",) * (blank > 0)
        self.told = Told(sides_nm=first.told.sides_nm, offset_nm=first.told.offset_nm, notes=first.told.notes + notes)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Sections `start` to `stop` (exclusive) as (z, y, x)."""
        found = np.zeros((stop - start, *self.shape[1:]), self.dtype)
        for section, path in zip(found, self._paths[start:stop], strict=True):
            if path is not None:
                section[...] = self._read(path)
        return found

    def close(self) -> None:
        """Each file is closed once it is read."""


def number_dtype(name: str | Path, dtype: Any) -> np.dtype[Any]:
    """A data type of whole numbers, floats or booleans in this machine's byte order.

    Raises:
        DtypeError: it holds anything else.
    """
    if dtype is None or np.dtype(dtype).kind not in "uifb":
        raise DtypeError(f"{name} holds {dtype}, not integers or floats")
    found: np.dtype[Any] = np.dtype(dtype).newbyteorder("=")
    return found


def resolution_of(told: Told, name: str | Path) -> tuple[NmTriple | None, str]:
    """The resolution that a file tells whole; else None, and what it tells of it in words."""
    z, y, x = told.sides_nm
    if z is not None and y is not None and x is not None:
        return Vector((z, y, x)), ""
    if y is not None and x is not None:
        return None, f"{name} tells pixels of {y:g}x{x:g} nm, but not how far its sections lie apart"
    return None, f"{name} carries no resolution"
