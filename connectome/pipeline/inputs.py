"""The inputs of a build, opened and checked against each other before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connectome.clefts.tiling import TileShape
from connectome.errors import BoxError, CheckpointError, DtypeError
from connectome.geometry import Box, NmTriple, Triple, triple
from connectome.models.assigners import ChosenAssigner, choose_assigner
from connectome.models.lookup import load_model
from connectome.networks.checkpoint import Checkpoint, ModelRole
from connectome.networks.device import Device, choose_device
from connectome.pipeline.request import BuildRequest
from connectome.volumes.grey_values import check_image_dtype
from connectome.volumes.grid_view import GridView, ViewKind
from connectome.volumes.volume import Volume


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Image and segmentation on one working grid, and the models.

    The working grid has the models' resolution and begins where the segmentation begins.

    Attributes:
        image: grey values as they are stored; networks are shown `BuildContext.detector_image` and `assigner_image`.
        box: what to build, in working voxels.
    """

    image: GridView
    segmentation: GridView
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
    """Image and segmentation as views of one working grid, and the voxels that both have."""

    image: GridView
    segmentation: GridView
    common: Box


def open_pair(
    image_url: str, segmentation_url: str, resolution_nm: NmTriple | None, working_nm: NmTriple
) -> VolumePair:
    """Open image and segmentation and lay one working grid over both, anchored at the segmentation's first voxel.

    Args:
        image_url: the EM image.
        segmentation_url: its segmentation.
        resolution_nm: of both, if their metadata is not to be used.
        working_nm: resolution of the models.

    Raises:
        InputError: a volume is missing, has a wrong dtype or resolution, or they don't overlap.
    """
    image = Volume.open(image_url, resolution_nm=resolution_nm)
    segmentation = Volume.open(segmentation_url, resolution_nm=resolution_nm)
    check_image_dtype(image.dtype, f"image {image_url}")
    if segmentation.dtype.kind not in "ui":
        raise DtypeError(f"segmentation {segmentation_url} holds {segmentation.dtype}; segment ids must be integers")
    anchor = segmentation.grid.offset_nm
    views = VolumePair(
        image=GridView(image, resolution_nm=working_nm, anchor_nm=anchor, kind=ViewKind.IMAGE),
        segmentation=GridView(segmentation, resolution_nm=working_nm, anchor_nm=anchor, kind=ViewKind.LABELS),
        common=Box((0, 0, 0), (0, 0, 0)),
    )
    common = views.image.box.intersect(views.segmentation.box)
    if common.is_empty:
        raise BoxError(
            f"image {image_url} ({_extent(image)}) and segmentation {segmentation_url} ({_extent(segmentation)}) don't "
            "overlap: check their offsets and resolutions with connectome volume info"
        )
    return VolumePair(image=views.image, segmentation=views.segmentation, common=common)


def working_box(box: Box | None, pair: VolumePair) -> Box:
    """A box in voxels of the segmentation as working voxels (widened to whole ones); None: all that both volumes have.

    Raises:
        BoxError: it lies outside the segmentation, or the image has nothing of it.
    """
    if box is None:
        return pair.common
    volume = pair.segmentation.volume
    if not volume.box.contains(box):
        raise BoxError(f"box {box} lies outside the segmentation {volume.url}, which has {volume.box}")
    factors = pair.segmentation.factors
    start = triple(a // f for a, f in zip(box.start, factors, strict=True))
    stop = triple(-(-b // f) for b, f in zip(box.stop, factors, strict=True))
    working = Box(start, stop).intersect(pair.common)
    if working != Box(start, stop):
        raise BoxError(
            f"image {pair.image.volume.url} doesn't cover the box {box}: of {Box(start, stop)} (working voxels) it has "
            f"{'none' if working.is_empty else working}"
        )
    return working


def open_inputs(request: BuildRequest) -> Inputs:
    """Load the models, open the volumes, check everything that can be checked without reading voxels.

    Raises:
        CheckpointError, DeviceError, InputError: see the message.
    """
    device = choose_device(request.device)
    detector = load_model(ModelRole.DETECTOR, request.detector)
    assigner = choose_assigner(request.assigner, request.direction)
    _check_models(detector, assigner.checkpoint)
    pair = open_pair(request.image, request.segmentation, request.resolution_nm, detector.card.resolution_nm)
    return Inputs(
        image=pair.image,
        segmentation=pair.segmentation,
        detector=detector,
        assigner=assigner,
        device=device,
        box=working_box(request.box, pair),
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
