"""The inputs of a build, opened and checked against each other before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from connectome.clefts.tiling import TileShape
from connectome.errors import CheckpointError, ConfigError, ResolutionError
from connectome.geometry import Triple, Vector
from connectome.models.assigners import ChosenAssigner, choose_assigner
from connectome.models.lookup import load_model
from connectome.networks.checkpoint import Checkpoint, ModelCard, ModelRole, Normalisation
from connectome.networks.device import Device, DeviceChoice, choose_device
from connectome.pipeline.pair import VolumePair, open_pair
from connectome.pipeline.request import InputVolumes, ModelNames
from connectome.volumes.grey_values import GreyRange, grey_table, measure_grey_range
from connectome.volumes.model_grid import ModelGrid
from connectome.volumes.working_grid import GridView


@dataclass(frozen=True, kw_only=True)
class Inputs(VolumePair):
    """Image and segmentation on one working grid, and the models.

    Networks are shown `BuildContext.detector_image` and `assigner_image`.
    """

    detector: Checkpoint
    assigner: ChosenAssigner
    device: Device

    @property
    def shape(self) -> Triple:
        """The working grid (z, y, x): all of the segmentation."""
        return self.segmentation.box.stop

    @property
    def voxels_a_model_voxel(self) -> float:
        """The number of working voxels with the volume of one that the detector was trained with."""
        model, working = (np.prod(lengths) for lengths in (self.detector.card.resolution_nm, self.resolution_nm))
        return float(model / working)


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
    parts = {name: getattr(pair, name) for name in pair.__dataclass_fields__}
    warnings = (*pair.warnings, *_grid_warnings(pair, detector.card, any_grid=volumes.any_grid))
    return Inputs(**parts | {"warnings": warnings}, detector=detector, assigner=assigner, device=chosen_device)


def model_grid(card: ModelCard) -> ModelGrid:
    """What a model's card says of the voxels that it sees."""
    return ModelGrid(
        resolution_nm=card.resolution_nm, pixel_nm=card.trained_pixel_nm, section_nm=card.trained_section_nm
    )


def _grid_warnings(pair: VolumePair, card: ModelCard, *, any_grid: bool) -> list[str]:
    """What of the image's voxels the detector wasn't trained for.

    Raises:
        ResolutionError: they are so far from those of training that it can't be trusted, and nobody asked for it.
    """
    model, grid = model_grid(card), pair.image.volume.grid
    concerns = model.concerns(grid)
    if not concerns:
        return []
    text = f"image {pair.given_image.url} has {' and '.join(concerns)} ('{card.name}')"
    if model.is_far(grid) and not any_grid:
        raise ResolutionError(f"{text}: what it finds there is worth little", about="any_grid")
    return [f"{text}: expect more errors; parameters tuned on such a volume help, and a model trained on such more"]


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
        if any(Vector(shape) % model.card.network.multiple):
            raise CheckpointError(
                f"{model.path}: its network takes patches of multiples of {model.card.network.multiple} voxels, "
                f"which {shape} isn't: train one with fewer levels"
            )


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
