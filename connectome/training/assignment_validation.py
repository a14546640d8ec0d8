"""Assignment accuracy of a network in training, by the very rule that a build chooses partners with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectome.geometry import Box, triple
from connectome.networks.checkpoint import Method, ModelCard
from connectome.partners.assignment import AssignmentRules, CleftPatch, assign, patch_start
from connectome.partners.networked import open_assigner
from connectome.training.dataset import Dataset
from connectome.training.loop import Trainer
from connectome.training.samples import SampleShape

CLEFTS_A_CALL = 4

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
                name="", method=method, network=network.config, resolution_nm=data.resolution_nm,
                patch_shape=shape.patch_shape, normalisation=shape.normalisation, parameters=dict(parameters),
            )  # fmt: skip
            for true, chosen in _chosen(data, trainer, card):
                n += 1
                right += chosen in true
                wrong_way += chosen is not None and chosen[::-1] in true and chosen not in true
        return {"clefts": n, "assignment_accuracy": right / max(n, 1), "wrong_direction": wrong_way / max(n, 1)}

    return validate


def _chosen(
    data: Dataset, trainer: Trainer, card: ModelCard
) -> list[tuple[set[tuple[int, int]], tuple[int, int] | None]]:
    """The annotated pairs and the chosen one of each cleft."""
    pairs: dict[int, set[tuple[int, int]]] = {}
    for synapse in data.synapses:
        pairs.setdefault(synapse.cleft_id, set()).add((synapse.pre_segment_id, synapse.post_segment_id))
    centres = {synapse.cleft_id: triple(int(c // 1) for c in synapse.centroid_voxel) for synapse in data.synapses}
    assigner = open_assigner(card, trainer.result(), trainer.device)
    rules = AssignmentRules.of(card.parameters)
    found: list[tuple[set[tuple[int, int]], tuple[int, int] | None]] = []
    clefts = list(pairs)
    for first in range(0, len(clefts), CLEFTS_A_CALL):
        part = clefts[first : first + CLEFTS_A_CALL]
        boxes = [Box.of_shape(card.patch_shape, patch_start(centres[cleft], card.patch_shape)) for cleft in part]
        patches = [
            CleftPatch(
                image=data.read(data.image, box),
                segmentation=data.read(data.segmentation, box),
                mask=data.read(data.clefts, box) == cleft,
            )
            for cleft, box in zip(part, boxes, strict=True)
        ]
        for cleft, partners in zip(part, assign(patches, assigner, rules, data.resolution_nm), strict=True):
            ids, both = partners.candidates.segment_id, partners.pair
            chosen = None if both is None else (int(ids[both[0]]), int(ids[both[1]]))
            found.append((pairs[cleft], chosen))
    return found
