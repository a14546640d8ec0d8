"""What a network in training does on data that it isn't trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from connectome.clefts.representations import Representation
from connectome.geometry import triple
from connectome.networks.checkpoint import Method
from connectome.networks.outputs import encoded
from connectome.training.batches import Batch, BatchPlan, batch_at
from connectome.training.dataset import Dataset
from connectome.training.loop import Trainer
from connectome.training.samples import Sample, SampleShape, assigner_patch, detector_sample

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


@torch.inference_mode()
def validate_assigner(trainer: Trainer, held_out: list[Dataset], shape: SampleShape) -> dict[str, Any]:
    """On each annotated cleft, whether both roles' scores tell pre from post; empty without held-out sources."""
    if not held_out:
        return {}
    network = trainer.result()
    n, correct = 0, 0
    for data in held_out:
        for synapse in data.synapses:
            generator = np.random.default_rng(0)
            sample = assigner_patch(data, synapse, triple(synapse.centroid_voxel), _plain(shape), generator)
            output = torch.sigmoid(trainer.forward(network, _single(sample)))[0].cpu()
            n += 1
            correct += _separates(output, sample)
    return {"patches": n, "roles_right": correct / max(n, 1)}


def _plain(shape: SampleShape) -> SampleShape:
    """The same without augmentation."""
    return SampleShape(patch_shape=shape.patch_shape, normalisation=shape.normalisation, augmentation=None)


def _separates(output: torch.Tensor, sample: Sample) -> bool:
    """Whether pre scores higher as pre than post does, and post higher as post (the direction is right)."""
    pre, post = (torch.from_numpy(target) > 0 for target in sample.targets)
    if not pre.any() or not post.any():
        return False
    return bool(output[0][pre].mean() > output[0][post].mean() and output[1][post].mean() > output[1][pre].mean())


def _single(sample: Sample) -> Batch:
    return Batch(
        inputs=torch.from_numpy(sample.inputs)[None],
        targets=torch.from_numpy(sample.targets)[None],
        weights=torch.from_numpy(sample.weights)[None, None],
    )
