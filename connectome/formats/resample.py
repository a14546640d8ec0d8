"""A volume in voxels of another size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ResolutionError
from connectome.geometry import Box, Grid, NmTriple, Vector
from connectome.volumes.multiscale import Multiscale
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind

FINER = 1.01
"""A level whose voxels are longer than asked for by less than this ratio is fine enough."""


@dataclass(frozen=True)
class Resampled:
    """A volume in voxels of another size, which begins where the volume begins (see `GridView`)."""

    view: GridView

    @classmethod
    def of(cls, volume: Multiscale, resolution_nm: NmTriple, kind: ViewKind) -> Resampled:
        """Lay larger or smaller voxels over a volume; of several levels the coarsest is read that is fine enough.

        Raises:
            DtypeError: an image of numbers that have no mean, or labels that aren't integers.
            ResolutionError: the volume holds no whole voxel of this size.
        """
        level = _level(volume, Vector(resolution_nm))
        view = GridView(level, resolution_nm=resolution_nm, anchor_nm=level.grid.offset_nm, kind=kind)
        if view.box.is_empty:
            raise ResolutionError(f"{volume.url} holds no whole voxel of {resolution_nm} nm")
        return cls(view)

    @property
    def grid(self) -> Grid:
        """Where it lies."""
        return Grid(shape=self.view.shape, resolution_nm=self.view.resolution_nm, offset_nm=self.view.offset_nm)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of its voxels."""
        return self.view.dtype

    def read(self, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of a box inside it."""
        return self.view.read(box)


def _level(volume: Multiscale, resolution_nm: Vector[float]) -> Volume:
    fine = [level for level in volume.levels if level.grid.resolution_nm.is_at_most(resolution_nm * FINER)]
    return fine[-1] if fine else volume.finest
