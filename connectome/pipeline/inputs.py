"""The inputs of a build, opened and checked against each other before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from connectome.clefts.tiling import TileShape
from connectome.errors import BoxError, CheckpointError, ConfigError, DtypeError
from connectome.geometry import Box, NmTriple, Triple
from connectome.models.assigners import ChosenAssigner, choose_assigner
from connectome.models.lookup import load_model
from connectome.networks.checkpoint import Checkpoint, ModelCard, ModelRole, Normalisation
from connectome.networks.device import Device, DeviceChoice, choose_device
from connectome.pipeline.request import InputVolumes, ModelNames
from connectome.volumes.grey_values import GreyRange, check_image_dtype, grey_table, measure_grey_range
from connectome.volumes.grid_map import GridMap
from connectome.volumes.model_grid import ModelGrid, common_anchor_nm
from connectome.volumes.multiscale import Multiscale, open_multiscale
from connectome.volumes.volume import Volume
from connectome.volumes.working_grid import GridView, ViewKind


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Image and segmentation on one working grid, and the models.

    The working grid has the models' pixels and the image's sections (see `ModelGrid`), and begins where the
    segmentation begins.

    Attributes:
        image: grey values as they are stored; networks are shown `BuildContext.detector_image` and `assigner_image`.
        own_voxels: of the segmentation as it was given, on the working grid.
        box: what to build, in working voxels.
    """

    image: GridView
    segmentation: GridView
    own_voxels: GridMap
    detector: Checkpoint
    assigner: ChosenAssigner
    device: Device
    box: Box

    @property
    def resolution_nm(self) -> NmTriple:
        """The nm of a working voxel (z, y, x)."""
        return self.segmentation.resolution_nm

    @property
    def offset_nm(self) -> NmTriple:
        """The corner (z, y, x) of working voxel (0, 0, 0)."""
        return self.segmentation.offset_nm

    @property
    def shape(self) -> Triple:
        """The working grid (z, y, x): all of the segmentation."""
        return self.segmentation.shape


@dataclass(frozen=True, kw_only=True)
class VolumePair:
    """Image and segmentation as views of one working grid.

    Attributes:
        own_voxels: of the segmentation as it was given, on the working grid; boxes that users give are in them.
        common: the working voxels that both have.
    """

    image: GridView
    segmentation: GridView
    own_voxels: GridMap
    common: Box


def open_pair(volumes: InputVolumes, model: ModelGrid) -> VolumePair:
    """Open image and segmentation and lay one working grid over both, anchored at the segmentation's first voxel.

    Of a volume with several levels the one that fits best is read.

    Args:
        volumes: which; their box doesn't matter.
        model: what the models see.

    Raises:
        InputError: a volume is missing, has a wrong dtype or resolution, or they don't overlap.
    """
    image_url, segmentation_url = volumes.image, volumes.segmentation
    place = {"resolution_nm": volumes.resolution_nm, "offset_nm": volumes.offset_nm}
    images, segmentations = open_multiscale(image_url, **place), open_multiscale(segmentation_url, **place)
    image = best_level(images, model)
    working_nm = model.working_nm(image.grid)
    segmentation = best_level(segmentations, replace(model, resolution_nm=working_nm))
    check_image_dtype(image.dtype, f"image {image_url}")
    if segmentation.dtype.kind not in "ui":
        raise DtypeError(f"segmentation {segmentation_url} holds {segmentation.dtype}; segment ids must be integers")
    anchor = common_anchor_nm(image.grid, segmentations.finest.grid, working_nm)
    seen = GridView(image, resolution_nm=working_nm, anchor_nm=anchor, kind=ViewKind.IMAGE)
    labels = GridView(segmentation, resolution_nm=working_nm, anchor_nm=anchor, kind=ViewKind.LABELS)
    common = seen.box.intersect(labels.box)
    if common.is_empty:
        raise BoxError(
            f"image {image_url} ({_extent(image)}) and segmentation {segmentation_url} ({_extent(segmentation)}) don't "
            "overlap: check their offsets and resolutions with connectome volume info"
        )
    own_voxels = GridMap.of(segmentations.finest.grid, working_nm, anchor)
    return VolumePair(image=seen, segmentation=labels, own_voxels=own_voxels, common=common)


def best_level(volume: Multiscale, model: ModelGrid) -> Volume:
    """The level of a volume that a model needs: no finer one is read."""
    return volume.levels[model.best_level([level.grid for level in volume.levels])]


def model_grid(card: ModelCard) -> ModelGrid:
    """What a model's card says of the voxels that it sees."""
    return ModelGrid(
        resolution_nm=card.resolution_nm, pixel_nm=card.trained_pixel_nm, section_nm=card.trained_section_nm
    )


def working_box(box: Box | None, pair: VolumePair) -> Box:
    """A box in voxels of the segmentation as working voxels (widened to whole ones); None: all that both volumes have.

    Raises:
        BoxError: it lies outside the segmentation, or the image has nothing of it.
    """
    if box is None:
        return pair.common
    url, own = pair.segmentation.volume.url, pair.own_voxels.box
    if not own.contains(box):
        raise BoxError(f"box {box} lies outside the segmentation {url}, which has {own}")
    asked = pair.own_voxels.working(box).intersect(pair.own_voxels.covered)
    working = asked.intersect(pair.common)
    if working != asked or working.is_empty:
        raise BoxError(
            f"image {pair.image.volume.url} doesn't cover the box {box}: of {asked} (working voxels) it has "
            f"{'none' if working.is_empty else working}"
        )
    return working


def open_inputs(volumes: InputVolumes, models: ModelNames, device: str) -> Inputs:
    """Load the models, open the volumes, check everything that can be checked without reading voxels.

    Args:
        volumes: which, and what of them.
        models: by name or path.
        device: auto, cpu or cuda.

    Raises:
        CheckpointError, DeviceError, InputError: see the message.
    """
    chosen_device = choose_device(DeviceChoice(device))
    detector = load_model(ModelRole.DETECTOR, models.detector)
    assigner = choose_assigner(models.assigner, models.direction)
    _check_models(detector, assigner.checkpoint)
    pair = open_pair(volumes, model_grid(detector.card))
    return Inputs(
        image=pair.image,
        segmentation=pair.segmentation,
        own_voxels=pair.own_voxels,
        detector=detector,
        assigner=assigner,
        device=chosen_device,
        box=working_box(volumes.box, pair),
    )


def _check_models(detector: Checkpoint, assigner: Checkpoint | None) -> None:
    """Refuse models that don't go together or don't take their patches.

    Raises:
        CheckpointError: says which.
    """
    shapes = [(detector, TileShape().tile)]
    if assigner is not None:
        shapes.append((assigner, assigner.card.patch_shape))
        if not np.allclose(detector.card.resolution_nm, assigner.card.resolution_nm, rtol=1e-3):
            raise CheckpointError(
                f"detector '{detector.card.name}' works at {detector.card.resolution_nm} nm, assigner "
                f"'{assigner.card.name}' at {assigner.card.resolution_nm} nm: both must be the same"
            )
    for model, shape in shapes:
        if any(n % m for n, m in zip(shape, model.card.network.multiple, strict=True)):
            raise CheckpointError(
                f"{model.path}: its network takes patches of multiples of {model.card.network.multiple} voxels, "
                f"which {shape} isn't: train one with fewer levels"
            )


def _extent(volume: Volume) -> str:
    """Where a volume lies, in nm, for a message."""
    stop = (
        o + n * r for o, n, r in zip(volume.grid.offset_nm, volume.grid.shape, volume.grid.resolution_nm, strict=True)
    )
    return "zyx " + ",".join(f"{a:g}:{b:g}" for a, b in zip(volume.grid.offset_nm, stop, strict=True)) + " nm"


def choose_grey_range(how: str, image: GridView, recorded: Mapping[str, Any] | None = None) -> GreyRange | None:
    """The grey values of an image that are to meet a model's low and high; None: it is used as it is.

    The range is measured on the whole image, not on the box that is built, so that boxes built one by one match.

    Args:
        how: volume, none or LOW,HIGH (see `normalisation_text`).
        image: the image on the working grid.
        recorded: parameters of the run that is resumed; what it measured is used again.

    Raises:
        GreyValueError: the image has no contrast. ConfigError: the given range is beyond its data type.
    """
    if how == "none":
        return None
    if how != "volume":
        low, high = map(int, how.split(","))
        if high > np.iinfo(image.dtype).max:
            raise ConfigError(f"normalisation {how} is beyond {image.dtype}, which {image.volume.url} holds")
        return GreyRange(low=low, high=high)
    before = recorded or {}
    if before.get("normalisation") == how and before.get("grey_range") is not None:
        low, high = before["grey_range"]
        return GreyRange(low=low, high=high)
    return measure_grey_range(image, image.volume.url)


def as_model_sees(image: GridView, grey: GreyRange | None, how: Normalisation) -> GridView:
    """The image with a model's grey values: uint8."""
    target = GreyRange(low=how.low, high=how.high)
    return image.through(grey_table(image.dtype, grey, target))
