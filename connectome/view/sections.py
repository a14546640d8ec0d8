"""One section of a run's volumes around a point: what a picture of a synapse is drawn from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Grid, NmTriple
from connectome.plots.report import Section
from connectome.store.runs.records import RunRecord
from connectome.store.runs.runs import CLEFTS
from connectome.volumes.multiscale import open_multiscale
from connectome.volumes.volume import Volume

HALF_NM = 500.0
"""Half the side of a picture: a cleft and what its partners look like beside it."""


class SectionReader:
    """Reads sections of a run's image, segmentation and clefts, each on its own grid."""

    def __init__(self, run: RunRecord) -> None:
        """Open the volumes of a build.

        Raises:
            InputError: the run was imported. VolumeNotFoundError, VolumeFormatError: a volume isn't there any more.
        """
        places = (run.image_url, run.segmentation_url, run.folder / CLEFTS)
        self._volumes = [open_multiscale(place).finest for place in places]
        measured = run.parameters.get("grey_range")
        image = self._volumes[0].dtype
        self._grey = (0.0, float(np.iinfo(image).max)) if measured is None else _wider(*measured)

    def section(self, centre_nm: NmTriple) -> Section:
        """The section that holds a point (z, y, x).

        Raises:
            StorageError: a volume can't be read.
        """
        (image, image_nm), (labels, labels_nm), (clefts, clefts_nm) = (
            _around(volume, centre_nm) for volume in self._volumes
        )
        return Section(
            image=image,
            labels=labels.astype(np.uint64),
            clefts=clefts.astype(np.uint64),
            image_nm=image_nm,
            labels_nm=labels_nm,
            clefts_nm=clefts_nm,
            grey=self._grey,
        )


def _wider(low: float, high: float) -> tuple[float, float]:
    """The grey values that are drawn black and white: those measured are percentiles, not the extremes."""
    return low - 0.6 * (high - low), high + 0.4 * (high - low)


def _around(volume: Volume, centre_nm: NmTriple) -> tuple[NDArray[Any], tuple[float, float, float, float]]:
    """The voxels (y, x) of a volume around a point, and what they cover: (x start, x stop, y stop, y start) in nm."""
    grid: Grid = volume.grid
    resolution, offset = np.array(grid.resolution_nm), np.array(grid.offset_nm)
    half = np.array([0.0, HALF_NM, HALF_NM])
    start = np.floor((np.array(centre_nm) - half - offset) / resolution).astype(np.int64)
    stop = np.floor((np.array(centre_nm) + half - offset) / resolution).astype(np.int64) + 1
    (_, y0, x0), (_, y1, x1) = start * resolution + offset, stop * resolution + offset
    voxels = volume.read(Box(tuple(start.tolist()), tuple(stop.tolist())))
    return voxels[0], (float(x0), float(x1), float(y1), float(y0))
