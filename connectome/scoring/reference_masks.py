"""Annotated clefts on the working grid: their masks, their centres, whether they lie in a box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectome.formats.reference import Reference
from connectome.geometry import Box, Triple, triple
from connectome.pipeline.pair import VolumePair
from connectome.records import ReferenceSynapse
from connectome.volumes.grid_map import GridMap
from connectome.volumes.working_grid import read_at_centres


class ReferenceMasks:
    """Annotated clefts read on the working grid."""

    def __init__(self, reference: Reference, pair: VolumePair) -> None:
        """Lay the working grid over the reference."""
        view = pair.segmentation
        self.reference = reference
        self._view = view
        self._map = GridMap.of(reference.grid, view.resolution_nm, view.offset_nm)

    def read(self, box: Box, cleft_id: int) -> NDArray[np.bool_]:
        """Which working voxels (z, y, x) of `box` belong to an annotated cleft: those whose centres do."""
        labels = read_at_centres(self._map, box, self.reference.read_clefts)
        inside: NDArray[np.bool_] = labels == np.uint64(cleft_id)
        return inside

    def centre(self, cleft: ReferenceSynapse) -> Triple:
        """The working voxel that holds the centroid of an annotated cleft."""
        if all(axis.factor == 1 for axis in self._map.axes):
            voxels = (int(c // 1) for c in cleft.centroid_voxel)
            return triple(v + axis.shift // axis.step for v, axis in zip(voxels, self._map.axes, strict=True))
        return self._view.grid.voxel_at(self.reference.grid.centre_nm(cleft.centroid_voxel))


def lies_in(box: Box | None, synapse: ReferenceSynapse, reference: Reference, pair: VolumePair) -> bool:
    """True if a cleft's centroid lies in a box of voxels of the segmentation."""
    given, wanted = reference.grid, pair.given_segmentation.finest.grid
    z, y, x = (round(place, 3) for place in wanted.position(given.centre_nm(synapse.centroid_voxel)))
    return box is None or box.contains_point((z, y, x))
