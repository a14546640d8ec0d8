"""Losses: sums over voxels, divided by the weight, so that their size doesn't depend on the patch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from connectome.distances import NEAR
from connectome.networks.checkpoint import Method
from connectome.networks.inference import detector_output
from connectome.training.loop import Loss
from connectome.training.samples.batches import Batch


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


def stdt_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Squared error of the signed tanh distance, balanced at 0 (Heinrich et al. 2018)."""
    targets = batch.targets.to(logits.device)
    return _balanced_square_error(detector_output(Method.STDT, logits), batch, targets > 0, 0.05)


def signed_proximity_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Squared error of the signed proximity, voxels near a cleft balanced with the others (Parag et al. 2018).

    Parag et al. balance by the share of voxels with at least 0.99. At 12 nm a voxel there are none, the highest is
    0.97; the share of all voxels that are near does what theirs is meant to.
    """
    targets = batch.targets.to(logits.device)
    return _balanced_square_error(detector_output(Method.SIGNED_PROXIMITY, logits), batch, targets.abs() >= NEAR, 0.01)


def _balanced_square_error(output: Tensor, batch: Batch, special: Tensor, least: float) -> Tensor:
    """The mean squared error where special voxels weigh as much as the others together.

    A side's share of the batch counts as at least `least`, lest a few voxels decide everything.
    """
    targets, weights = batch.targets.to(output.device), batch.weights.to(output.device)
    total = weights.sum().clamp(min=1)
    share = ((special * weights).sum() / total).clamp(least, 1 - least)
    balance = torch.where(special, 0.5 / share, 0.5 / (1 - share))
    return ((output - targets).square() * balance * weights).sum() / total


def pruner_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of one logit a pair.

    Parag et al. (2018) regress to +-1 with a weighted squared error. Which pair is best comes out the same way, but an
    output that is a probability can be held against a threshold, and samples are drawn balanced instead of weighted.
    """
    return binary_cross_entropy_with_logits(logits.flatten(), batch.targets.to(logits.device).flatten())
