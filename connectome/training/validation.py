"""What a network in training does on data that it isn't trained on."""

from __future__ import annotations

from typing import Any

import torch

from connectome.training.batches import BatchPlan, batch_at
from connectome.training.dataset import Dataset
from connectome.training.loop import Trainer
from connectome.training.samples import SampleShape, detector_sample

DETECTOR_BATCHES = 16


@torch.inference_mode()
def validate_detector(trainer: Trainer, held_out: list[Dataset], shape: SampleShape) -> dict[str, Any]:
    """Precision, recall and F1 of cleft voxels at the threshold 0.5; empty without held-out sources."""
    if not held_out:
        return {}
    plan = BatchPlan(datasets=held_out, make=detector_sample, shape=_plain(shape), size=1, seed=1)
    network = trainer.result()
    true, found, hit = 0.0, 0.0, 0.0
    for step in range(DETECTOR_BATCHES):
        batch = batch_at(plan, step)
        predicted = (trainer.forward(network, batch).cpu() > 0) & (batch.weights > 0)
        targets = (batch.targets > 0) & (batch.weights > 0)
        true, found = true + float(targets.sum()), found + float(predicted.sum())
        hit += float((targets & predicted).sum())
    return {
        "voxel_precision": hit / max(found, 1), "voxel_recall": hit / max(true, 1),
        "voxel_f1": 2 * hit / max(true + found, 1),
    }  # fmt: skip


def _plain(shape: SampleShape) -> SampleShape:
    """The same without augmentation."""
    return SampleShape(patch_shape=shape.patch_shape, normalisation=shape.normalisation, augmentation=None)
