"""The axes of an array that are z, y and x, and what becomes of its others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import DtypeError, VolumeFormatError
from connectome.geometry import Box, Vector

MOST_CHANNELS = 7
"""ImageJ has no more; some writers call the sections of a stack its channels."""
SECTIONS = "iqr"
"""Letters that TIFF readers give to pages of which the file says nothing."""


@dataclass(frozen=True)
class AxisPlan:
    """How an array becomes a volume.

    Attributes:
        axes: positions of z, y and x in the array; None: a single section, which has no axis.
        fixed: the index that is taken of every other axis, by its position.
        shape: of the array.
    """

    axes: tuple[int | None, int, int]
    fixed: dict[int, int]
    shape: tuple[int, ...]

    @property
    def zyx_shape(self) -> Vector[int]:
        """The shape of the volume."""
        return Vector(1 if axis is None else self.shape[axis] for axis in self.axes)

    def read(self, array: Any, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside the volume, from anything that is indexed as an array."""
        index: list[Any] = [self.fixed.get(position, 0) for position in range(len(self.shape))]
        for axis, part in zip(self.axes, box.slices(), strict=True):
            if axis is not None:
                index[axis] = part
        found = np.asarray(array[tuple(index)])
        present = [axis for axis in self.axes if axis is not None]
        found = found.transpose([sorted(present).index(axis) for axis in present])
        return found if len(present) == 3 else found[None]


def plan_axes(name: str, axes: str, shape: tuple[int, ...], channel: int | None = None) -> AxisPlan:
    """Find the volume in an array.

    Args:
        name: of the array, for messages.
        axes: a letter for each axis: z, y, x, c (channels), s (samples of a colour), t (time), others.
        shape: of the array.
        channel: which of several channels, from 0.

    Raises:
        DtypeError: it has colours. VolumeFormatError: its axes aren't those of one volume.
    """
    letters = axes.lower()
    long = {letter: position for position, letter in enumerate(letters) if shape[position] > 1}
    if "s" in long:
        raise DtypeError(
            f"{name} has colours ({shape[long['s']]} samples a voxel): convert it to greyscale or integer labels"
        )
    if "y" not in letters or "x" not in letters or len(set(letters)) < len(letters):
        raise VolumeFormatError(f"{name} has the axes {axes}, which aren't those of a volume (z, y, x)", about="axes")
    z: int | None = letters.find("z") if "z" in letters else None
    fixed: dict[int, int] = {}
    if "z" not in long:
        unnamed = [letter for letter in long if letter in SECTIONS]
        if "c" in long and shape[long["c"]] > MOST_CHANNELS:
            unnamed.append("c")
        if len(unnamed) == 1 and channel is None:
            z = long.pop(unnamed[0])
    if "c" in long:
        fixed[long["c"]] = _channel(name, shape[long["c"]], channel)
    elif channel:
        raise VolumeFormatError(f"{name} has one channel, no channel {channel}", about="channel")
    others = {letter: shape[position] for letter, position in long.items() if letter not in "zyxc"}
    if others:
        words = ", ".join(f"{count} along {_words(letter)}" for letter, count in others.items())
        raise VolumeFormatError(f"{name} has {words}: a volume has sections, rows and columns (z, y, x)", about="axes")
    return AxisPlan((z, letters.index("y"), letters.index("x")), fixed, shape)


def given_axes(name: str, axes: str, shape: tuple[int, ...]) -> str:
    """A letter for each axis of an array, from letters that were given for all axes or for all longer than 1.

    Raises:
        VolumeFormatError: there are more or fewer, or one that no axis has.
    """
    long = [position for position, count in enumerate(shape) if count > 1]
    wrong = set(axes.lower()) - set("zyxct")
    if wrong or len(axes) not in (len(shape), len(long)):
        raise VolumeFormatError(
            f"{name} has the shape {'x'.join(map(str, shape))}: '{axes}' isn't one of z, y, x, c, t for each axis",
            about="axes",
        )
    if len(axes) == len(shape):
        return axes.lower()
    rest = iter("0123456789")
    by_place = dict(zip(long, axes.lower(), strict=True))
    return "".join(by_place.get(position) or next(rest) for position in range(len(shape)))


def _channel(name: str, count: int, channel: int | None) -> int:
    if channel is None:
        raise VolumeFormatError(f"{name} has {count} channels, of which a volume is one", about="channel")
    if not 0 <= channel < count:
        raise VolumeFormatError(f"{name} has {count} channels (0 to {count - 1}), no {channel}", about="channel")
    return channel


def _words(letter: str) -> str:
    return {"t": "time"}.get(letter, f"the axis {letter}")
