"""What a network in training does on data that it isn't trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from connectome.clefts.representations import Representation
from connectome.networks.checkpoint import Method
from connectome.networks.outputs import encoded
from connectome.training.batches import BatchPlan, batch_at
from connectome.training.dataset import Dataset
from connectome.training.loop import Trainer
from connectome.training.samples import SampleShape, detector_sample

DETECTOR_BATCHES = 16


def detector_validation(method: Method) -> Callable[[Trainer, list[Dataset], SampleShape], dict[str, Any]]:
    """How a detector of one representation is measured: by the cleft voxels it is decoded to, comparable for all."""

    @torch.inference_mode()
    def validate(trainer: Trainer, held_out: list[Dataset], shape: SampleShape) -> dict[str, Any]:
        """Precision, recall and F1 of cleft voxels at the default threshold; empty without held-out sources."""
        if not held_out:
            return {}
        plan = BatchPlan(datasets=held_out, make=detector_sample, shape=_plain(shape), size=1, seed=1)
        representation = Representation(method, held_out[0].resolution_nm)
        threshold = 255 * representation.default_threshold
        network = trainer.result()
        true, found, hit = 0.0, 0.0, 0.0
        for step in range(DETECTOR_BATCHES):
            batch = batch_at(plan, step)
            prediction = encoded(method, trainer.forward(network, batch))[0, 0].cpu().numpy()
            known = batch.weights[0, 0].numpy() > 0
            predicted = (representation.strength(prediction) >= threshold) & known
            targets = (batch.targets[0, 0].numpy() > 0) & known
            true, found = true + float(targets.sum()), found + float(predicted.sum())
            hit += float((targets & predicted).sum())
        return {
            "voxel_precision": hit / max(found, 1), "voxel_recall": hit / max(true, 1),
            "voxel_f1": 2 * hit / max(true + found, 1),
        }  # fmt: skip

    return validate


def _plain(shape: SampleShape) -> SampleShape:
    """The same without augmentation."""
    return SampleShape(patch_shape=shape.patch_shape, normalisation=shape.normalisation, augmentation=None)
