"""Reading training data: patches of an image and its labels, never beyond the box that may be seen."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import BoxError, DtypeError, TrainingDataError
from connectome.formats import open_reference
from connectome.geometry import Box, NmTriple
from connectome.grey_values import GreyRange, check_image_dtype, grey_table, measure_grey_range
from connectome.networks.checkpoint import Normalisation
from connectome.records import ReferenceSynapse
from connectome.training.recipe import DataSource
from connectome.volume import Volume


class Dataset:
    """One data source, opened."""

    def __init__(self, source: DataSource) -> None:
        """Open the volumes of a source.

        Raises:
            VolumeNotFoundError: a volume is missing. BoxError: the box lies outside the image.
            DtypeError: grey values are neither uint8 nor uint16, or labels aren't integers.
            GreyValueError: the image has no contrast in the box.
        """
        self.source = source
        self.image = Volume.open(source.folder / "raw.zarr")
        self.segmentation = Volume.open(source.folder / "neuron_ids.zarr")
        self.clefts = Volume.open(source.folder / "clefts.zarr")
        self.box = source.box or self.image.box
        if not self.image.box.contains(self.box):
            raise BoxError(f"{source.folder}: box {self.box} lies outside the volume {self.image.box}")
        check_image_dtype(self.image.dtype, self.image.url)
        if any(v.dtype.kind not in "ui" for v in (self.segmentation, self.clefts)):
            raise DtypeError(f"{source.folder}: neuron_ids.zarr and clefts.zarr must hold integers")
        if not (self.image.grid == self.segmentation.grid == self.clefts.grid):
            raise TrainingDataError(f"{source.folder}: image, segmentation and clefts don't lie on one grid")
        how = Normalisation()
        self.grey_range = measure_grey_range(self.image, self.image.url, self.box)
        self._grey_table = grey_table(self.image.dtype, self.grey_range, GreyRange(low=how.low, high=how.high))

    @property
    def resolution_nm(self) -> NmTriple:
        """The nm of a voxel (z, y, x)."""
        return self.image.grid.resolution_nm

    @cached_property
    def annotated(self) -> list[ReferenceSynapse]:
        """All annotated synapses, inside the box or not."""
        return open_reference(self.source.folder).synapses()

    @cached_property
    def synapses(self) -> list[ReferenceSynapse]:
        """The annotated synapses whose cleft's centroid lies in the box.

        Raises:
            TrainingDataError: there is none.
        """
        inside = [synapse for synapse in self.annotated if self.box.contains_point(synapse.centroid_voxel)]
        if not inside:
            raise TrainingDataError(f"{self.source.folder}: no annotated synapse lies in the box {self.box}")
        return inside

    @cached_property
    def sides(self) -> dict[int, tuple[set[int], set[int]]]:
        """The presynaptic and the postsynaptic segments of each annotated cleft, by its id."""
        sides: dict[int, tuple[set[int], set[int]]] = {}
        for synapse in self.annotated:
            pre, post = sides.setdefault(synapse.cleft_id, (set(), set()))
            pre.add(synapse.pre_segment_id)
            post.add(synapse.post_segment_id)
        return sides

    def read(self, volume: Volume, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of `box`; zeros outside the box that may be seen.

        The image's are uint8 on the scale that all sources share (see `connectome.grey_values`).
        """
        is_image = volume is self.image
        inside = box.intersect(self.box)
        data = np.zeros(box.shape, np.uint8 if is_image else volume.dtype)
        if not inside.is_empty:
            voxels = volume.read(inside)
            data[inside.slices(box.start)] = self._grey_table[voxels] if is_image else voxels
        return data

    def read_mask(self, box: Box) -> NDArray[np.bool_]:
        """Which voxels (z, y, x) of `box` may be seen."""
        mask = np.zeros(box.shape, bool)
        inside = box.intersect(self.box)
        if not inside.is_empty:
            mask[inside.slices(box.start)] = True
        return mask


def check_apart(sources: tuple[DataSource, ...], validation: tuple[DataSource, ...]) -> None:
    """Refuse validation data that is also trained on.

    Raises:
        TrainingDataError: two boxes of one folder overlap.
    """
    for train in sources:
        for held_out in validation:
            if train.folder.resolve() != held_out.folder.resolve():
                continue
            if train.box is None or held_out.box is None or not train.box.intersect(held_out.box).is_empty:
                raise TrainingDataError(f"{train.folder}: the boxes for training and validation overlap")
