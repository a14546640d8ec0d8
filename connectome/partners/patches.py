"""What an assigner is shown of clefts, read from volumes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import SupportsInt

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Triple, triple
from connectome.partners.assignment import CleftPatch
from connectome.partners.wide import cleft_box
from connectome.volumes.segment_ids import read_segments
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView

PATCHES_A_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class PatchReader:
    """Reads what an assigner is shown of clefts.

    Attributes:
        image: uint8, with the assigner's grey values.
        segmentation: on the same working grid.
        clefts: uint64 label volume of that grid.
        shape: voxels (z, y, x) of a patch.
        proximity: the detector's signed proximity in a box, float32 (z, y, x); None: it has none.
    """

    image: GridView
    segmentation: GridView
    clefts: Volume
    shape: Triple
    proximity: Callable[[Box], NDArray[np.float32] | None]

    def box(self, centre: Iterable[SupportsInt], extent: Box) -> Box:
        """What is read of a cleft with its centre at a voxel (z, y, x): a patch, or more if it doesn't fit."""
        return cleft_box(triple(centre), extent, self.shape)

    def read(self, cleft_ids: NDArray[np.integer], seen: Sequence[tuple[Box, Box]]) -> list[CleftPatch]:
        """The patches of clefts, from their ids (n,), and the bounding box and the `box` of each."""
        return [
            CleftPatch(
                image=self.image.read(box),
                segmentation=read_segments(self.segmentation, box),
                mask=self._mask(box, extent.intersect(box), cleft_id),
                proximity=self.proximity(box),
            )
            for cleft_id, (extent, box) in zip(cleft_ids, seen, strict=True)
        ]

    def _mask(self, box: Box, extent: Box, cleft_id: np.integer) -> NDArray[np.bool_]:
        """Where a cleft is, boolean (z, y, x); the labels are read no farther than it reaches."""
        mask = np.zeros(box.shape, bool)
        mask[extent.slices(box.start)] = self.clefts.read(extent) == np.uint64(cleft_id)
        return mask


def batches(sizes: Sequence[int], most: int) -> Iterator[slice]:
    """Consecutive slices whose sizes sum up to `most` at the most, or of one that is larger."""
    first, total = 0, 0
    for place, size in enumerate(sizes):
        if place > first and total + size > most:
            yield slice(first, place)
            first, total = place, 0
        total += size
    if first < len(sizes):
        yield slice(first, len(sizes))
