"""The annotated volumes that parameters are tuned on, opened with the models."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from connectome.errors import ConfigError
from connectome.geometry import Box, triple
from connectome.pipeline.chosen import Parameters, choose_parameters
from connectome.pipeline.inputs import Inputs, open_inputs
from connectome.pipeline.pair import working_box
from connectome.pipeline.request import BuildRequest, InputVolumes

HALO_NM = 500.0


@dataclass(frozen=True, kw_only=True)
class AnnotatedVolume:
    """One volume to score on.

    Attributes:
        image, segmentation: URLs.
        reference: a CREMI file, or a folder with clefts.zarr and annotations.csv.
        box: where to score, in voxels of the segmentation; None: everywhere.
        weight: how much it counts relative to the other volumes.
    """

    image: str
    segmentation: str
    reference: Path
    box: Box | None = None
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> AnnotatedVolume:
        """Read 'FOLDER', 'FOLDER@z0:z1,y0:y1,x0:x1' or either with '*WEIGHT' behind it.

        Raises:
            ConfigError: the weight isn't a number above 0. BoxError: the box is malformed.
        """
        text, star, weight_text = text.partition("*")
        name, at, box = text.partition("@")
        try:
            weight = float(weight_text) if star else 1.0
        except ValueError as error:
            raise ConfigError(f"'{weight_text}' isn't a weight: write FOLDER@BOX*NUMBER") from error
        if not 0 < weight < math.inf:
            raise ConfigError(f"a weight of {weight_text} is useless: it must be greater than 0 and finite")
        folder = Path(name).expanduser()
        return cls(
            image=str(folder / "raw.zarr"),
            segmentation=str(folder / "neuron_ids.zarr"),
            reference=folder,
            box=Box.parse(box) if at else None,
            weight=weight,
        )

    @property
    def name(self) -> str:
        """Its name in tables and plots."""
        return self.reference.name + (f"@{self.box}" if self.box else "")


@dataclass(frozen=True, kw_only=True)
class OpenVolume:
    """A volume with the models that are tuned.

    Attributes:
        inputs: as a build of `built_box` opens them.
        parameters: what that build would use if nobody asked for others.
        built_box: the scored box and `HALO_NM` around it, in voxels of the segmentation: clefts at the border are
            whole, and counted where the annotated cleft's centroid lies.
    """

    volume: AnnotatedVolume
    inputs: Inputs
    parameters: Parameters
    built_box: Box


@dataclass(frozen=True, kw_only=True)
class AnnotatedVolumes:
    """Annotated volumes, and the build that is tried on them.

    Attributes:
        volumes: at least one.
        build: models, device and parameters, as far as they aren't what is searched; its volumes don't matter.
        outputs: folder where the networks' outputs are kept.
    """

    volumes: tuple[AnnotatedVolume, ...]
    build: BuildRequest
    outputs: Path


def open_volume(volume: AnnotatedVolume, request: BuildRequest) -> OpenVolume:
    """Open a volume as a build would.

    Args:
        volume: which.
        request: models, device and parameters; its volumes and box don't matter.

    Raises:
        InputError, CheckpointError, DeviceError: see `open_inputs`.
    """
    volumes = InputVolumes(
        image=volume.image,
        segmentation=volume.segmentation,
        resolution_nm=request.volumes.resolution_nm,
        overlap=True,
        any_grid=True,
    )
    inputs = open_inputs(volumes, request.models, request.execution.device)
    own = inputs.own_voxels
    if volume.box is None:
        box = inputs.box
    else:
        working_box(volume.box, inputs)
        sides = inputs.given_segmentation.finest.grid.resolution_nm
        halo = triple(math.ceil(HALO_NM / side) for side in sides)
        box = own.working(volume.box.grow(halo).intersect(own.box)).intersect(inputs.box)
    built = own.voxels(box).intersect(own.box)
    inputs = replace(inputs, box=box)
    return OpenVolume(volume=volume, inputs=inputs, parameters=choose_parameters(request, inputs), built_box=built)
