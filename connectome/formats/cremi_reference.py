"""The reference connectome in a CREMI HDF5 file."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectome.errors import ReferenceDataError
from connectome.formats.annotation_table import AnnotationRow
from connectome.formats.cleft_matching import match_clefts
from connectome.formats.cleft_voxels import CleftVoxels, gather_cleft_voxels
from connectome.formats.cremi_file import CLEFTS, NEURON_IDS, CremiFile, PartnerPair
from connectome.formats.hdf5 import Hdf5Volume
from connectome.formats.reference import BACKGROUND, IGNORE
from connectome.geometry import Box, Grid, NmTriple, Vector, triple
from connectome.records import ReferenceSynapse

CLEFT_REACH_NM = 500.0
SEGMENT_REACH_NM = 60.0


class CremiReference:
    """A file's cleft labels and synapses (see `reference.Reference`).

    A pair's segments are those at its two points; for a point on background the nearest segment within
    `SEGMENT_REACH_NM`. Its cleft is found by distance from the pair's midpoint, within `CLEFT_REACH_NM` (see
    `cleft_matching`). A pair without a cleft stays a synapse, that no prediction can meet: it has a cleft id of its own
    above all others, 0 voxels, and the midpoint as its centroid.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`; it stays open.

        Raises:
            VolumeNotFoundError, VolumeFormatError: no HDF5 file. ReferenceDataError: it has no cleft labels.
        """
        self._path = path
        self._file = CremiFile(path)
        self._clefts = self._labels(CLEFTS)

    @property
    def grid(self) -> Grid:
        """Where the cleft labels lie."""
        return self._clefts.grid

    def read_clefts(self, box: Box) -> NDArray[np.uint64]:
        """The labels of `box`, uint64 (z, y, x); `BACKGROUND` beyond the border."""
        labels = np.full(box.shape, BACKGROUND, np.uint64)
        inside = box.intersect(self.grid.box)
        if not inside.is_empty:
            labels[inside.slices(box.start)] = self._clefts.read(inside)
        return labels

    def synapses(self) -> list[ReferenceSynapse]:
        """The annotated synapses; centroids in voxels of `grid`.

        Raises:
            ReferenceDataError: annotations or segments are missing, or a point has no segment.
        """
        return sorted(
            (synapse for synapse, _ in self._matched), key=lambda s: (s.cleft_id, s.pre_segment_id, s.post_segment_id)
        )

    def annotation_rows(self) -> list[AnnotationRow]:
        """The synapses as rows of annotations.csv, in the file's order.

        Raises:
            ReferenceDataError: as `synapses`.
        """
        return [
            AnnotationRow(
                cleft_id=synapse.cleft_id,
                pre_segment_id=synapse.pre_segment_id,
                post_segment_id=synapse.post_segment_id,
                size_voxels=synapse.size_voxels,
                centroid_nm=self.grid.centre_nm(synapse.centroid_voxel),
                pre_point_nm=pair.pre_point_nm,
                post_point_nm=pair.post_point_nm,
            )
            for synapse, pair in self._matched
        ]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @cached_property
    def _matched(self) -> list[tuple[ReferenceSynapse, PartnerPair]]:
        pairs = self._file.partner_pairs()
        if not pairs:
            raise ReferenceDataError(f"{self._path} has no annotated partners (annotations/presynaptic_site/partners)")
        segments = self._labels(NEURON_IDS)
        voxels = gather_cleft_voxels(self._clefts)
        if not len(voxels.cleft_ids):
            raise ReferenceDataError(f"{self._path}: {CLEFTS} holds no cleft")
        midpoints = [_midpoint(pair) for pair in pairs]
        places = match_clefts([voxels.near(midpoint, CLEFT_REACH_NM) for midpoint in midpoints])
        spare_id = int(voxels.cleft_ids[-1])
        matched = []
        for pair, midpoint, place in zip(pairs, midpoints, places, strict=True):
            spare_id += place is None
            cleft_id = spare_id if place is None else int(voxels.cleft_ids[place])
            matched.append((self._synapse(pair, segments, cleft_id, self._extent(voxels, place, midpoint)), pair))
        return matched

    def _extent(
        self, voxels: CleftVoxels, place: int | None, midpoint_nm: NmTriple
    ) -> tuple[tuple[float, float, float], int]:
        """The centroid in voxels and the size of a cleft; of none, the midpoint and 0."""
        if place is not None:
            z, y, x = (float(value) for value in voxels.centroids[place])
            return (z, y, x), int(voxels.sizes[place])
        return self.grid.position(midpoint_nm), 0

    def _synapse(
        self,
        pair: PartnerPair,
        segments: Hdf5Volume,
        cleft_id: int,
        extent: tuple[tuple[float, float, float], int],
    ) -> ReferenceSynapse:
        return ReferenceSynapse(
            cleft_id=cleft_id,
            pre_segment_id=self._segment_at(segments, pair.pre_point_id, pair.pre_point_nm),
            post_segment_id=self._segment_at(segments, pair.post_point_id, pair.post_point_nm),
            centroid_voxel=extent[0],
            size_voxels=extent[1],
        )

    def _segment_at(self, segments: Hdf5Volume, point_id: int, point_nm: NmTriple) -> int:
        """The segment at a point; on background the nearest within reach, at equal distance the lowest id."""
        grid = segments.grid
        voxel = grid.voxel_at(point_nm)
        place = f"{self._path}: annotation {point_id} at {', '.join(f'{v:g}' for v in point_nm)} nm (zyx)"
        if not grid.box.contains_point(voxel):
            raise ReferenceDataError(f"{place} lies outside {NEURON_IDS}: remove it, or correct the offsets")
        reach = triple(SEGMENT_REACH_NM // r for r in grid.resolution_nm)
        box = Box.of_shape((1, 1, 1), voxel)
        labels = segments.read(box)
        if not _is_segment(labels).all():
            box = box.grow(reach).intersect(grid.box)
            labels = segments.read(box)
        found = np.argwhere(_is_segment(labels))
        if not len(found):
            raise ReferenceDataError(f"{place} has no segment within {SEGMENT_REACH_NM:g} nm: correct or remove it")
        steps = (found + np.asarray(box.start) - np.asarray(voxel)) * np.asarray(grid.resolution_nm)
        distances = (steps**2).sum(axis=1)
        return int(labels[tuple(found[distances == distances.min()].T)].min())

    def _labels(self, name: str) -> Hdf5Volume:
        volume = self._file.volume(name)
        if volume is None:
            raise ReferenceDataError(f"{self._path} has no {name}: it can't serve as a reference")
        if volume.dtype.kind not in "ui":
            raise ReferenceDataError(f"{self._path}: {name} holds {volume.dtype}; labels are integers")
        return volume


def _is_segment(labels: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True if labels are segments: neither 0 nor CREMI's marks for nothing."""
    wide = labels.astype(np.uint64, copy=False)
    segments: NDArray[np.bool_] = (wide != 0) & (wide < min(BACKGROUND, IGNORE))
    return segments


def _midpoint(pair: PartnerPair) -> NmTriple:
    return (Vector(pair.pre_point_nm) + pair.post_point_nm) / 2
