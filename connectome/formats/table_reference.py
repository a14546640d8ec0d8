"""A reference connectome as cleft labels and a table of synapses: what imports and phantoms write into a folder."""

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
from connectome.volumes.volume import Volume


class TableReference:
    """Cleft labels and the synapses of a table (see `reference.Reference`)."""

    def __init__(self, clefts: str | Path, table: Path) -> None:
        """Open the labels.

        Args:
            clefts: URL of the volume of cleft labels.
            table: a CSV file with the columns of `annotation_table`.

        Raises:
            ReferenceDataError: the table is missing, or the labels aren't integers.
            VolumeNotFoundError, VolumeFormatError: there are no labels.
        """
        self._table = table
        if not table.is_file():
            raise ReferenceDataError(f"no table of synapses at {table}")
        self._clefts = Volume.open(clefts)
        if self._clefts.dtype.kind not in "ui":
            raise ReferenceDataError(f"{self._clefts.url} holds {self._clefts.dtype}; cleft labels are integers")

    @classmethod
    def in_folder(cls, folder: Path) -> TableReference:
        """What an import or a phantom wrote into `folder`.

        Raises:
            ReferenceDataError: clefts.zarr or annotations.csv is missing.
        """
        for needed in (folder / "clefts.zarr", folder / "annotations.csv"):
            if not needed.exists():
                raise ReferenceDataError(f"{folder} is no reference: it has no {needed.name}")
        return cls(folder / "clefts.zarr", folder / "annotations.csv")

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
        return ReferenceSynapse(
            cleft_id=cleft_id,
            pre_segment_id=pre,
            post_segment_id=post,
            centroid_voxel=self.grid.position(row.centroid_nm),
            size_voxels=size_voxels,
        )
