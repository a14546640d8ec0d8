"""The reference connectome in a folder that an import or a phantom wrote: clefts.zarr and annotations.csv."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ReferenceDataError
from connectome.formats.annotation_table import AnnotationRow, read_annotations
from connectome.formats.reference import BACKGROUND
from connectome.geometry import Box, Grid
from connectome.records import ReferenceSynapse
from connectome.volume import Volume


class FolderReference:
    """A folder's cleft labels and synapses (see `reference.Reference`)."""

    def __init__(self, folder: Path) -> None:
        """Open `folder`.

        Raises:
            ReferenceDataError: clefts.zarr or annotations.csv is missing.
        """
        self._table = folder / "annotations.csv"
        for needed in (folder / "clefts.zarr", self._table):
            if not needed.exists():
                raise ReferenceDataError(f"{folder} is no reference: it has no {needed.name}")
        self._clefts = Volume.open(folder / "clefts.zarr")
        if self._clefts.dtype.kind not in "ui":
            raise ReferenceDataError(f"{self._clefts.url} holds {self._clefts.dtype}; cleft labels are integers")

    @property
    def grid(self) -> Grid:
        """Where the cleft labels lie."""
        return self._clefts.grid

    def read_clefts(self, box: Box) -> NDArray[np.uint64]:
        """The labels of `box`, uint64 (z, y, x); `BACKGROUND` beyond the border."""
        labels = np.full(box.shape, BACKGROUND, np.uint64)
        inside = box.intersect(self._clefts.box)
        if not inside.is_empty:
            labels[inside.slices(box.start)] = self._clefts.read(inside)
        return labels

    def synapses(self) -> list[ReferenceSynapse]:
        """The synapses of the table; centroids in voxels of `grid`.

        Raises:
            ReferenceDataError: the table is empty, or a synapse lacks its cleft or partners.
        """
        return list(self._synapses)

    @cached_property
    def _synapses(self) -> list[ReferenceSynapse]:
        rows = read_annotations(self._table)
        if not rows:
            raise ReferenceDataError(f"{self._table} has no synapse")
        synapses = [self._synapse(row) for row in rows]
        return sorted(synapses, key=lambda s: (s.cleft_id, s.pre_segment_id, s.post_segment_id))

    def _synapse(self, row: AnnotationRow) -> ReferenceSynapse:
        ids = (row.cleft_id, row.pre_segment_id, row.post_segment_id, row.size_voxels)
        cleft_id, pre, post, size_voxels = ids
        if cleft_id is None or pre is None or post is None or size_voxels is None or row.centroid_nm is None:
            raise ReferenceDataError(
                f"{self._table}: a synapse lacks its cleft or partners; import from a file with neuron_ids and clefts"
            )
        z, y, x = (
            (position - offset) / resolution - 0.5
            for position, offset, resolution in zip(
                row.centroid_nm, self.grid.offset_nm, self.grid.resolution_nm, strict=True
            )
        )
        return ReferenceSynapse(
            cleft_id=cleft_id, pre_segment_id=pre, post_segment_id=post, centroid_voxel=(z, y, x),
            size_voxels=size_voxels,
        )  # fmt: skip
