"""Losses: sums over voxels, divided by the weight, so that their size doesn't depend on the patch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from connectome.training.batches import Batch
from connectome.training.loop import Loss


def detector_loss(positive_weight: float) -> Loss:
    """Cross-entropy plus soft Dice of the cleft mask; a foreground voxel counts `positive_weight` times."""

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        targets, weights = batch.targets.to(logits.device), batch.weights.to(logits.device)
        voxelwise = binary_cross_entropy_with_logits(
            logits, targets, reduction="none", pos_weight=torch.tensor(positive_weight, device=logits.device)
        )
        entropy = (voxelwise * weights).sum() / weights.sum().clamp(min=1)
        probability = torch.sigmoid(logits) * weights
        dice = 1 - (2 * (probability * targets).sum() + 1) / ((probability + targets * weights).sum() + 1)
        return entropy + 0.3 * dice

    return loss


def assigner_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of the pre and the post mask over labelled voxels (Turner et al., section 2.1)."""
    targets, weights = batch.targets.to(logits.device), batch.weights.to(logits.device)
    voxelwise = binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (voxelwise * weights).sum() / weights.sum().clamp(min=1)


def pruner_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of one logit a pair.

    Parag et al. (2018) regress to +-1 with a weighted squared error. Which pair is best comes out the same way, but an
    output that is a probability can be held against a threshold, and samples are drawn balanced instead of weighted.
    """
    return binary_cross_entropy_with_logits(logits.flatten(), batch.targets.to(logits.device).flatten())
