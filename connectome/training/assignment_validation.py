"""Assignment accuracy of a network in training, by the very rule that a build chooses partners with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectome.geometry import Box, triple
from connectome.models.assigners import open_assigner
from connectome.networks.checkpoint import Method, ModelCard
from connectome.partners.assignment import AssignmentRules, CleftPatch, assign, patch_start
from connectome.training.data.dataset import Dataset
from connectome.training.loop import Trainer
from connectome.training.samples.voxel_samples import SampleShape

ASSIGNER_METRICS = ("assignment_accuracy",)
CLEFTS_A_CALL = 4

Pair = tuple[int, int]
Validate = Callable[[Trainer, list[Dataset], SampleShape], dict[str, Any]]


def assignment_validation(method: Method, parameters: Mapping[str, float]) -> Validate:
    """A validation of assigners of `method` whose checkpoint recommends `parameters`."""

    def validate(trainer: Trainer, held_out: list[Dataset], shape: SampleShape) -> dict[str, Any]:
        """Clefts and the share of them that get an annotated pair; empty without held-out sources."""
        if not held_out:
            return {}
        network = trainer.result()
        n, right, wrong_way = 0, 0, 0
        for data in held_out:
            card = ModelCard(
                name="",
                method=method,
                network=network.config,
                resolution_nm=data.resolution_nm,
                patch_shape=shape.patch_shape,
                normalisation=shape.normalisation,
                parameters=dict(parameters),
            )
            for true, chosen in _chosen(data, trainer, card):
                n += 1
                right += any(pair in true for pair in chosen)
                wrong_way += any(pair[::-1] in true and pair not in true for pair in chosen)
        return {"clefts": n, "assignment_accuracy": right / max(n, 1), "wrong_direction": wrong_way / max(n, 1)}

    return validate


def _chosen(data: Dataset, trainer: Trainer, card: ModelCard) -> list[tuple[set[Pair], list[Pair]]]:
    """The annotated pairs of each cleft, and the chosen one if there is one."""
    assigner = open_assigner(card, trainer.result(), trainer.device)
    rules = AssignmentRules.of(card.parameters, polyadic=False)
    found: list[tuple[set[Pair], list[Pair]]] = []
    clefts = data.annotated_clefts
    for first in range(0, len(clefts), CLEFTS_A_CALL):
        part = clefts[first : first + CLEFTS_A_CALL]
        centres = [triple(c // 1 for c in cleft.centroid_voxel) for cleft in part]
        boxes = [Box.of_shape(card.patch_shape, patch_start(centre, card.patch_shape)) for centre in centres]
        patches = [
            CleftPatch(
                image=data.read(data.image, box),
                segmentation=data.read(data.segmentation, box),
                mask=data.read(data.clefts, box) == cleft.cleft_id,
            )
            for cleft, box in zip(part, boxes, strict=True)
        ]
        for cleft, partners in zip(part, assign(patches, assigner, rules, data.resolution_nm), strict=True):
            found.append((set(cleft.pairs), partners.segments()))
    return found
