"""Sections left out of a volume: the same tissue as a microtome that cuts thicker sections gives it.

Sections are left out, never blended: a thick section doesn't look like the mean of thin ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box
from connectome.volumes.working_grid import GridView

Sections = NDArray[np.int64]


def left_sections(first: int, stop: int, ratio: float, phase: float) -> Sections:
    """Which sections are left where they are to lie further apart: int64, ascending, from `first` to below `stop`.

    Args:
        first: the first section that there is.
        stop: one after the last.
        ratio: the new distance between sections, in old ones; at least 1.
        phase: where the first one lies, in new distances from `first`; from 0 to below 1.
    """
    return first + np.arange(phase * ratio, stop - first, ratio).astype(np.int64)


class ThinnedView(GridView):
    """A view whose section i is section `sections[i]` of another one."""

    def __init__(self, view: GridView, sections: Sections) -> None:
        """Leave out all sections of `view` but some: ascending, at least one."""
        self.__dict__.update(view.__dict__)
        self._box = Box((0, *view.box.start[1:]), (len(sections), *view.box.stop[1:]))
        self._whole = view
        self._sections = sections

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box; 0 outside of the view."""
        data = np.zeros(box.shape, self.dtype)
        low, high = max(box.start[0], 0), min(box.stop[0], len(self._sections))
        if low < high:
            wanted = self._sections[low:high]
            first, last = int(wanted[0]), int(wanted[-1])
            every = self._whole.read(Box((first, *box.start[1:]), (last + 1, *box.stop[1:])))
            data[low - box.start[0] : high - box.start[0]] = every[wanted - first]
        return data
