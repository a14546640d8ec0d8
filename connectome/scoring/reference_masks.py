"""Annotated clefts on the working grid: their masks, their centres, whether they lie in a box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ResolutionError
from connectome.formats.reference import Reference
from connectome.geometry import Box, NmTriple, Triple, triple, voxel_at_nm, voxel_centre_nm, whole_factors
from connectome.pipeline.pair import VolumePair
from connectome.records import ReferenceSynapse


class ReferenceMasks:
    """Annotated clefts read on the working grid."""

    def __init__(self, reference: Reference, pair: VolumePair) -> None:
        """Lay the working grid over the reference.

        Raises:
            ResolutionError: its voxels don't fit the working grid.
        """
        view, grid = pair.segmentation, reference.grid
        self.reference = reference
        self._view = view
        self.factors: Triple = whole_factors(view.resolution_nm, grid.resolution_nm)
        gaps = zip(view.offset_nm, grid.offset_nm, grid.resolution_nm, strict=True)
        shift = [(anchor - offset) / fine for anchor, offset, fine in gaps]
        if any(abs(value - round(value)) > 1e-2 for value in shift):
            raise ResolutionError(
                "the reference isn't aligned to the segmentation: their offsets differ by part voxels"
            )
        self._shift = triple(round(value) for value in shift)

    def read(self, box: Box, cleft_id: int) -> NDArray[np.bool_]:
        """Which working voxels (z, y, x) of `box` belong to an annotated cleft."""
        fine = Box(
            triple(a * f + s for a, f, s in zip(box.start, self.factors, self._shift, strict=True)),
            triple(b * f + s for b, f, s in zip(box.stop, self.factors, self._shift, strict=True)),
        )
        inside = fine.intersect(self.reference.grid.box)
        mask = np.zeros(fine.shape, bool)
        if not inside.is_empty:
            mask[inside.slices(fine.start)] = self.reference.read_clefts(inside) == np.uint64(cleft_id)
        z, y, x = self.factors
        return mask[z // 2 :: z, y // 2 :: y, x // 2 :: x]

    def centre(self, cleft: ReferenceSynapse) -> Triple:
        """The working voxel that holds the centroid of an annotated cleft."""
        grid, view = self.reference.grid, self._view
        if self.factors == (1, 1, 1):
            return triple(int(c // 1) - s for c, s in zip(cleft.centroid_voxel, self._shift, strict=True))
        point: NmTriple = voxel_centre_nm(cleft.centroid_voxel, grid.resolution_nm, grid.offset_nm)
        return voxel_at_nm(point, view.resolution_nm, view.offset_nm)


def lies_in(box: Box | None, synapse: ReferenceSynapse, reference: Reference, pair: VolumePair) -> bool:
    """Whether a cleft's centroid lies in a box of voxels of the segmentation."""
    given, wanted = reference.grid, pair.segmentation.volume.grid
    point_nm = voxel_centre_nm(synapse.centroid_voxel, given.resolution_nm, given.offset_nm)
    sides = zip(point_nm, wanted.offset_nm, wanted.resolution_nm, strict=True)
    z, y, x = (round((point - offset) / side - 0.5, 3) for point, offset, side in sides)
    return box is None or box.contains_point((z, y, x))
