"""Reading training data: patches of an image and its labels, never beyond the box that may be seen."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import BoxError, DtypeError, TrainingDataError
from connectome.geometry import Box, NmTriple
from connectome.grey_values import GreyRange, check_image_dtype, grey_table, measure_grey_range
from connectome.networks.checkpoint import Normalisation
from connectome.records import ReferenceSynapse
from connectome.training.annotated_cleft import AnnotatedCleft, group_clefts
from connectome.training.recipe import DataSource
from connectome.training.source_volumes import Voxels, open_volumes


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
        opened = open_volumes(source)
        self._read_synapses = opened.synapses
        self.image, self.segmentation, self.clefts = opened.image, opened.segmentation, opened.clefts
        self.box = source.box or self.image.box
        if not self.image.box.contains(self.box):
            raise BoxError(f"{source}: box {self.box} lies outside the volume {self.image.box}")
        check_image_dtype(self.image.dtype, self.image.url)
        if any(v.dtype.kind not in "ui" for v in (self.segmentation, self.clefts)):
            raise DtypeError(f"{source}: neuron_ids.zarr and clefts.zarr must hold integers")
        if not (self.image.grid == self.segmentation.grid == self.clefts.grid):
            raise TrainingDataError(f"{source}: image, segmentation and clefts don't lie on one grid")
        how = Normalisation()
        self.grey_range = measure_grey_range(opened.sampled_image, self.image.url, self.box)
        self._grey_table = grey_table(self.image.dtype, self.grey_range, GreyRange(low=how.low, high=how.high))

    @property
    def resolution_nm(self) -> NmTriple:
        """The nm of a voxel (z, y, x)."""
        return self.image.grid.resolution_nm

    @cached_property
    def annotated(self) -> list[ReferenceSynapse]:
        """All annotated synapses, inside the box or not."""
        return self._read_synapses()

    @cached_property
    def synapses(self) -> list[ReferenceSynapse]:
        """The annotated synapses whose cleft's centroid lies in the box.

        Raises:
            TrainingDataError: there is none.
        """
        inside = [synapse for synapse in self.annotated if self.box.contains_point(synapse.centroid_voxel)]
        if not inside:
            raise TrainingDataError(f"{self.source}: no annotated synapse lies in the box {self.box}")
        return inside

    @cached_property
    def annotated_clefts(self) -> list[AnnotatedCleft]:
        """The annotated clefts whose centroid lies in the box, each once with all its pairs, ascending by id.

        Raises:
            TrainingDataError: there is none.
        """
        return group_clefts(self.synapses)

    @cached_property
    def sides(self) -> dict[int, tuple[set[int], set[int]]]:
        """The presynaptic and the postsynaptic segments of each annotated cleft, inside the box or not, by its id."""
        clefts = group_clefts(self.annotated)
        return {cleft.cleft_id: (set(cleft.pre_segment_ids), set(cleft.post_segment_ids)) for cleft in clefts}

    def read(self, volume: Voxels, box: Box) -> NDArray[Any]:
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
        TrainingDataError: two boxes of one folder overlap, or two phantoms have one seed.
    """
    for train in sources:
        for held_out in validation:
            if not train.overlaps(held_out):
                continue
            what = "the boxes for training and for validation overlap"
            if train.phantom is not None:
                what = "the phantom for validation has the same seed: give it another one"
            raise TrainingDataError(f"{train}: {what}")
