"""What kept outputs were made of; their folders are named by it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from connectome.networks.checkpoint import Checkpoint
from connectome.pipeline.resume import identity
from connectome.tuning.annotated_volume import OpenVolume


def detector_facts(opened: OpenVolume) -> dict[str, Any]:
    """Everything that the prediction and the labels depend on."""
    inputs, parameters = opened.inputs, opened.parameters
    return {
        "detector": _model_facts(inputs.detector),
        "image": identity(inputs.image.volume),
        "segmentation": identity(inputs.segmentation.volume),
        "box": str(inputs.box),
        "tiles": asdict(parameters.tiles),
        "connectivity": int(parameters.connectivity),
        "grey_range": None if parameters.grey_range is None else asdict(parameters.grey_range),
    }


def assigner_facts(opened: OpenVolume) -> dict[str, Any]:
    """What the scores depend on besides."""
    assigner = opened.inputs.assigner
    model = None if assigner.checkpoint is None else _model_facts(assigner.checkpoint)
    return {"assigner": model, "direction": assigner.direction(opened.inputs.detector.card.method)}


def _model_facts(model: Checkpoint) -> dict[str, Any]:
    card = model.card
    return {
        "weights": model.weights_sha256,
        "method": str(card.method),
        "normalisation": vars(card.normalisation),
        "patch_shape": list(card.patch_shape),
        "resolution_nm": list(card.resolution_nm),
    }


def digest(facts: dict[str, Any]) -> str:
    """A short name that is the same for equal facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
