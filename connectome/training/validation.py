"""What a network in training does on data that it isn't trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from connectome.geometry import triple
from connectome.training.batches import Batch
from connectome.training.dataset import Dataset
from connectome.training.loop import Trainer
from connectome.training.samples import Sample, SampleShape, assigner_patch


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
