"""Parameters as a build uses them: chosen from request, models and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from connectome.clefts.representations import Representation
from connectome.clefts.tiling import TileShape
from connectome.geometry import Triple
from connectome.models.assigners import choose_confidence
from connectome.networks.checkpoint import Method
from connectome.partners.assignment import AssignmentRules
from connectome.partners.confidence import ConfidenceModel
from connectome.pipeline.inputs import Inputs, choose_grey_range
from connectome.pipeline.parameters import AS_GIVEN, ASSIGNER, DETECTOR, PARAMETERS, BuildParameters, chosen_values
from connectome.pipeline.request import BuildRequest
from connectome.volumes.grey_values import GreyRange


@dataclass(frozen=True, kw_only=True)
class Parameters(BuildParameters):
    """Everything besides inputs and models that the result depends on; recorded with the run.

    Attributes:
        representation: of clefts, in the prediction.
        assigner: nearest, or the method of the network that chooses. direction: what tells pre from post.
        confidence: makes the synapses' confidence; None: it is their raw score.
        grey_range: what came of `normalisation` (see `choose_grey_range`).
        voxels_a_model_voxel: working voxels of the volume of one that the detector was trained with.
    """

    representation: Method
    assigner: str
    direction: str
    confidence: ConfidenceModel | None = None
    block_shape: Triple
    tiles: TileShape
    grey_range: GreyRange | None
    voxels_a_model_voxel: float = 1.0

    @property
    def working_min_size(self) -> int:
        """The smallest cleft in working voxels: a cleft of a volume is dropped on every grid, or on none."""
        return working_size(self.min_size_voxels, self.voxels_a_model_voxel)

    @property
    def stored_threshold(self) -> int:
        """The threshold on the uint8 strength (see `clefts.representations`): 1 to 255."""
        return threshold_of(self.threshold)

    @property
    def assignment(self) -> AssignmentRules:
        """What decides about candidates besides their scores."""
        return rules_of(self)

    def to_json(self) -> dict[str, Any]:
        """Plain values: every row of the table, then what follows from models and inputs."""
        grey = self.grey_range
        return {name: getattr(self, name) for name in PARAMETERS} | {
            "threshold": self.stored_threshold,
            "min_size_voxels": self.working_min_size,
            AS_GIVEN: {"threshold": self.threshold, "min_size_voxels": self.min_size_voxels},
            "representation": self.representation.value,
            "assigner_method": self.assigner,
            "direction": self.direction,
            "confidence": None if self.confidence is None else self.confidence.to_json(),
            "block_shape": list(self.block_shape),
            "tile": list(self.tiles.tile),
            "tile_halo": list(self.tiles.halo),
            "tile_overlap": list(self.tiles.overlap),
            "grey_range": None if grey is None else [grey.low, grey.high],
        }


def choose_parameters(request: BuildRequest, inputs: Inputs, recorded: Mapping[str, Any] | None = None) -> Parameters:
    """What the request says, else what the checkpoints recommend, else the defaults.

    Args:
        request: what was asked for.
        inputs: models and volumes.
        recorded: parameters of the run that is resumed, for what is measured once.

    Raises:
        GreyValueError: the image has no contrast that could be normalised.
        ConfigError: the request names a file that is no model of confidence.
    """
    detector, assigner = inputs.detector, inputs.assigner
    representation = Representation(detector.card.method, inputs.resolution_nm)
    usual = {"threshold": representation.default_threshold}
    recommended = {DETECTOR: usual | dict(detector.card.parameters), ASSIGNER: assigner.parameters}
    values = chosen_values(request.parameters, recommended)
    return Parameters(
        **values,
        representation=representation.method,
        assigner=assigner.method,
        direction=assigner.direction(detector.card.method),
        confidence=choose_confidence(
            request.models.confidence, detector, None if assigner.by_contact else assigner.checkpoint
        ),
        block_shape=request.execution.block_shape,
        tiles=TileShape(),
        grey_range=choose_grey_range(values["normalisation"], inputs.image, recorded),
        voxels_a_model_voxel=inputs.voxels_a_model_voxel,
    )


def rules_of(parameters: BuildParameters) -> AssignmentRules:
    """What of the parameters decides about candidates."""
    return AssignmentRules(**{each.name: getattr(parameters, each.name) for each in fields(AssignmentRules)})


def working_size(size_voxels: int, voxels_a_model_voxel: float) -> int:
    """A size in voxels of the models' resolution as working voxels of the same volume, at least 1."""
    return max(round(size_voxels * voxels_a_model_voxel), 1)


def threshold_of(strength: float) -> int:
    """A threshold in [0, 1] on the uint8 prediction: 1 to 255."""
    return min(max(round(strength * 255), 1), 255)
