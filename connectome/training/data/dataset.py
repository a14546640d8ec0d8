"""Reading training data: patches of an image and its labels, never beyond the box that may be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectome.errors import BoxError, TrainingDataError
from connectome.formats.decoys import Decoy, read_decoys
from connectome.formats.opening import open_annotations
from connectome.geometry import Box, Grid, NmTriple, Vector
from connectome.networks.checkpoint import Normalisation
from connectome.phantom import PhantomConfig
from connectome.records import ReferenceSynapse
from connectome.training.data.annotated_cleft import AnnotatedCleft, group_clefts
from connectome.training.data.rendered import Layer, RenderedPhantom, RenderedVolume
from connectome.training.data.source import DataSource
from connectome.training.data.thinned import Sections, ThinnedView
from connectome.volumes.grey_values import (
    SAMPLE_SHAPE,
    SAMPLES,
    GreyRange,
    check_image_dtype,
    grey_table,
    measure_grey_range,
)
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind, Voxels


class Dataset:
    """One data source, opened: its volumes on one working grid, the one of the cleft labels."""

    def __init__(self, source: DataSource) -> None:
        """Open the volumes of a source.

        Raises:
            VolumeNotFoundError: a volume is missing. BoxError: the box lies outside a volume.
            DtypeError: grey values are neither uint8 nor uint16, or labels aren't integers.
            ResolutionError: a volume's voxels aren't those of the cleft labels cut into whole parts.
            GreyValueError: the image has no contrast in the box. ReferenceDataError: there is no table of synapses.
        """
        self.source = source
        sampled = self._open_stored() if source.phantom is None else self._draw_phantom(source.phantom)
        check_image_dtype(sampled.dtype, sampled.url)
        self.box = self._seen_box()
        how = Normalisation()
        self.grey_range = measure_grey_range(self._view(sampled, ViewKind.IMAGE), sampled.url, self.box)
        self._grey_table = grey_table(self.image.dtype, self.grey_range, GreyRange(low=how.low, high=how.high))

    def _open_stored(self) -> Voxels:
        """Open the volumes and the table of a source; the image, to measure grey values in."""
        source = self.source
        reference = open_annotations(source.url("clefts"), source.table)
        volumes = [Volume.open(source.url(name)) for name in ("image", "segmentation", "clefts")]
        self._lay(reference.grid, volumes, reference.synapses)
        return volumes[0]

    def _draw_phantom(self, config: PhantomConfig) -> Voxels:
        """Draw a phantom's tissue; its image, to measure grey values in: of a large one what is read isn't kept."""
        phantom = RenderedPhantom(config, self.source.name)
        volumes = [phantom.volume(layer) for layer in (Layer.IMAGE, Layer.SEGMENTATION, Layer.CLEFTS)]
        self._lay(volumes[0].grid, volumes, phantom.synapses)
        pieces = SAMPLES * SAMPLE_SHAPE[0] * SAMPLE_SHAPE[1] * SAMPLE_SHAPE[2]
        return RenderedVolume(phantom, Layer.IMAGE, is_kept=False) if config.box.size_voxels > pieces else volumes[0]

    def _lay(self, grid: Grid, volumes: Sequence[Voxels], synapses: Callable[[], list[ReferenceSynapse]]) -> None:
        """Take image, segmentation and cleft labels, seen on the grid of the last, in whose voxels synapses are."""
        image, segmentation, clefts = volumes
        self.grid = grid
        self._read_synapses = synapses
        self.image = self._view(image, ViewKind.IMAGE)
        self.segmentation = self._view(segmentation, ViewKind.LABELS)
        self.clefts = self._view(clefts, ViewKind.LABELS)

    def _view(self, volume: Voxels, kind: ViewKind) -> GridView:
        return GridView(volume, resolution_nm=self.grid.resolution_nm, anchor_nm=self.grid.offset_nm, kind=kind)

    def _seen_box(self) -> Box:
        views = (self.image, self.segmentation, self.clefts)
        if self.source.box is None:
            common = self.image.box.intersect(self.segmentation.box).intersect(self.clefts.box)
            if common.is_empty:
                raise BoxError(f"{self.source.name}: image, segmentation and clefts don't overlap: check their offsets")
            return common
        for view in views:
            if not view.box.contains(self.source.box):
                raise BoxError(
                    f"{self.source.name}: box {self.source.box} lies outside the volume {view.volume.url}, "
                    f"which has {view.box} (voxels of the cleft labels)"
                )
        return self.source.box

    @property
    def resolution_nm(self) -> NmTriple:
        """The nm of a voxel (z, y, x)."""
        return self.grid.resolution_nm

    @cached_property
    def annotated(self) -> list[ReferenceSynapse]:
        """All annotated synapses, inside the box or not."""
        return self._read_synapses()

    @cached_property
    def synapses(self) -> list[ReferenceSynapse]:
        """The annotated synapses whose cleft has voxels and its centroid in the box.

        Raises:
            TrainingDataError: there is none.
        """
        inside = [s for s in self.annotated if s.size_voxels > 0 and self.box.contains_point(s.centroid_voxel)]
        if not inside:
            raise TrainingDataError(
                f"{self.source.name}: no annotated synapse lies in the box {self.box} ({len(self.annotated)} in all): "
                "move or enlarge the box"
            )
        return inside

    @cached_property
    def annotated_clefts(self) -> list[AnnotatedCleft]:
        """The clefts of `synapses`, each once with all its annotated pairs, ascending by id.

        Raises:
            TrainingDataError: there is none.
        """
        inside = {synapse.cleft_id for synapse in self.synapses}
        return [cleft for cleft in group_clefts(self.annotated) if cleft.cleft_id in inside]

    @cached_property
    def sides(self) -> dict[int, tuple[set[int], set[int]]]:
        """The presynaptic and the postsynaptic segments of each annotated cleft, inside the box or not, by its id."""
        clefts = group_clefts(self.annotated)
        return {cleft.cleft_id: (set(cleft.pre_segment_ids), set(cleft.post_segment_ids)) for cleft in clefts}

    @cached_property
    def decoys(self) -> list[Decoy]:
        """The decoys whose centre lies in the box, ascending by id.

        Raises:
            TrainingDataError: their table can't be read.
        """
        found = self.source.decoys
        every = [] if found is None else read_decoys(found[1], self.grid)
        return [decoy for decoy in every if self.box.contains_point(decoy.centre_voxel)]

    @cached_property
    def decoy_labels(self) -> GridView:
        """The labels of `decoys`; there must be some.

        Raises:
            VolumeNotFoundError: they are gone. ResolutionError: they don't fit the cleft labels.
        """
        assert self.source.decoys is not None
        return self._view(Volume.open(self.source.decoys[0]), ViewKind.LABELS)

    def thinned(self, sections: Sections) -> Dataset:
        """The same source for samples, with all other sections left out; its section 0 is the first that is left.

        A voxel is as long as the sections that are left are apart on average. Clefts and decoys that lost all their
        sections are still among the others.

        Args:
            sections: ascending, at least two, all in the box (see `left_sections`).
        """
        clefts, decoys, sides = self.annotated_clefts, self.decoys, self.sides
        thin = copy(self)
        thin.box = Box((0, *self.box.start[1:]), (len(sections), *self.box.stop[1:]))
        z_nm = self.resolution_nm[0] * float(np.diff(sections).mean())
        thin.grid = replace(self.grid, shape=thin.box.stop, resolution_nm=Vector((z_nm, *self.resolution_nm[1:])))
        thin.image, thin.segmentation, thin.clefts = (
            ThinnedView(view, sections) for view in (self.image, self.segmentation, self.clefts)
        )

        def moved(z: float) -> float:
            return float(np.interp(z, sections, np.arange(len(sections))))

        thin.sides = sides
        thin.annotated_clefts = [
            replace(cleft, centroid_voxel=(moved(cleft.centroid_voxel[0]), *cleft.centroid_voxel[1:]))
            for cleft in clefts
        ]
        thin.decoys = [
            replace(decoy, centre_voxel=(round(moved(decoy.centre_voxel[0])), *decoy.centre_voxel[1:]))
            for decoy in decoys
        ]
        if decoys:
            thin.decoy_labels = ThinnedView(self.decoy_labels, sections)
        return thin

    def read(self, volume: GridView, box: Box) -> NDArray[Any]:
        """The voxels (z, y, x) of `box`; zeros outside the box that may be seen.

        The image's are uint8 on the scale that all sources share (see `connectome.volumes.grey_values`).
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
