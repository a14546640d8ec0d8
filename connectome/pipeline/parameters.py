"""What a build's result depends on besides its inputs and models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from connectome.clefts.labelling import Connectivity
from connectome.clefts.tiling import TileShape
from connectome.geometry import Triple
from connectome.networks.checkpoint import Method
from connectome.partners.assignment import AssignmentRules
from connectome.partners.confidence import ConfidenceModel
from connectome.pipeline.normalisation import Normalising, recorded_normalisation
from connectome.volumes.grey_values import GreyRange


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Everything besides inputs and models that the result depends on; recorded with the run.

    Attributes:
        representation: of clefts, in the prediction.
        threshold: 1 to 255, on the uint8 strength (see `clefts.representations`).
        assigner: nearest, or the method of the network that chooses. direction: what tells pre from post.
        duplicate_distance_nm: synapses of the same partners with clefts this near are one; 0: off.
        min_score: synapses of a lower raw score (see `Evidence`) are left out.
        confidence: makes the synapses' confidence; None: it is their raw score.
        normalisation: what was asked for. grey_range: what came of it (see `choose_grey_range`).
    """

    representation: Method
    threshold: int
    min_size_voxels: int
    assigner: str
    direction: str
    assignment: AssignmentRules
    duplicate_distance_nm: float = 0.0
    min_score: float = 0.0
    confidence: ConfidenceModel | None = None
    connectivity: Connectivity
    block_shape: Triple
    tiles: TileShape
    normalisation: Normalising | GreyRange
    grey_range: GreyRange | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "representation": self.representation.value,
            "threshold": self.threshold,
            "min_size_voxels": self.min_size_voxels,
            "assigner_method": self.assigner,
            "direction": self.direction,
            **asdict(self.assignment),
            "duplicate_distance_nm": self.duplicate_distance_nm,
            "min_score": self.min_score,
            "confidence": None if self.confidence is None else self.confidence.to_json(),
            "connectivity": int(self.connectivity),
            "block_shape": list(self.block_shape),
            "tile": list(self.tiles.tile),
            "tile_halo": list(self.tiles.halo),
            "tile_overlap": list(self.tiles.overlap),
            **recorded_normalisation(self.normalisation, self.grey_range),
        }


def threshold_of(probability: float) -> int:
    """A threshold in [0, 1] on the uint8 prediction: 1 to 255."""
    return min(max(round(probability * 255), 1), 255)
