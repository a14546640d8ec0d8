"""Opens what a data source names: stored volumes, or those of a phantom that is rendered as it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectome.formats.opening import open_annotations
from connectome.geometry import Grid
from connectome.phantom import PhantomConfig
from connectome.records import ReferenceSynapse
from connectome.training.data.rendered import Layer, PassingVolume, RenderedPhantom
from connectome.training.data.source import DataSource
from connectome.volumes.grey_values import SAMPLE_SHAPE, SAMPLES
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import Voxels


@dataclass(frozen=True, kw_only=True)
class SourceVolumes:
    """A data source, opened.

    Attributes:
        grid: of the cleft labels, in whose voxels synapses are given.
        image, segmentation, clefts: each on a grid of its own.
        sampled_image: the image, for reading pieces all over it once; from a large phantom they aren't kept.
        synapses: reads the annotated synapses of the whole source, ascending by cleft id.
    """

    grid: Grid
    image: Voxels
    segmentation: Voxels
    clefts: Voxels
    sampled_image: Voxels
    synapses: Callable[[], list[ReferenceSynapse]]


def open_volumes(source: DataSource) -> SourceVolumes:
    """Open a source; a phantom's tissue is drawn.

    Raises:
        VolumeNotFoundError: a volume is missing. VolumeFormatError, ResolutionError: one can't be read.
        ReferenceDataError: there is no table of synapses, or cleft labels aren't integers.
    """
    return _stored(source) if source.phantom is None else _rendered(source.phantom)


def _rendered(config: PhantomConfig) -> SourceVolumes:
    phantom = RenderedPhantom(config)
    image = phantom.volume(Layer.IMAGE)
    pieces = SAMPLES * SAMPLE_SHAPE[0] * SAMPLE_SHAPE[1] * SAMPLE_SHAPE[2]
    return SourceVolumes(
        grid=image.grid,
        image=image,
        segmentation=phantom.volume(Layer.SEGMENTATION),
        clefts=phantom.volume(Layer.CLEFTS),
        synapses=phantom.synapses,
        sampled_image=PassingVolume(phantom, Layer.IMAGE) if config.box.size_voxels > pieces else image,
    )


def _stored(source: DataSource) -> SourceVolumes:
    reference = open_annotations(source.url("clefts"), source.table)
    image = Volume.open(source.url("image"))
    return SourceVolumes(
        grid=reference.grid,
        image=image,
        segmentation=Volume.open(source.url("segmentation")),
        clefts=Volume.open(source.url("clefts")),
        sampled_image=image,
        synapses=reference.synapses,
    )
