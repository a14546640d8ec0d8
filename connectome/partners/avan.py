"""The Attentional Voxel Association Network at work: scores of candidate segments, batched."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from connectome.networks.checkpoint import ModelCard, Network
from connectome.networks.device import half_precision
from connectome.networks.inputs import normalised
from connectome.partners.scores import Patch, Scores, candidate_slots


class AvanAssigner:
    """An AVAN ready to run on one device."""

    def __init__(self, card: ModelCard, network: Network, device: torch.device) -> None:
        """Move the network to `device`."""
        self.card = card
        self.device = device
        self._network = network.to(device)

    def score(self, patches: list[Patch]) -> list[Scores]:
        """The mean output over each candidate's voxels in the patch (Turner et al., section 2.1)."""
        if not patches:
            return []
        with torch.inference_mode(), half_precision(self.device):
            images = torch.from_numpy(np.stack([patch.image for patch in patches])).to(self.device)
            masks = torch.from_numpy(np.stack([patch.mask for patch in patches])).to(self.device)
            grey = normalised(images, self.card.normalisation)
            inputs = torch.stack([grey, masks.float()], 1).contiguous(memory_format=torch.channels_last_3d)
            outputs = torch.sigmoid(self._network(inputs).float())
            return [Scores.of_roles(roles) for roles in self._means(outputs, patches)]

    def _means(self, outputs: Tensor, patches: list[Patch]) -> list[NDArray[np.float32]]:
        """Means over candidates by one scatter reduction on the device and one transfer."""
        counts = [len(patch.segment_id) for patch in patches]
        starts = np.cumsum([0, *counts])
        slots = [candidate_slots(patch) + (first + 1) for patch, first in zip(patches, starts, strict=False)]
        slots = [np.where(slot <= start, 0, slot) for slot, start in zip(slots, starts, strict=False)]
        place = torch.from_numpy(np.stack(slots).ravel()).to(self.device)
        total = int(starts[-1]) + 1
        sums = torch.zeros((2, total), device=self.device)
        for role in range(2):
            sums[role].index_add_(0, place, outputs[:, role].reshape(-1))
        voxels = torch.bincount(place, minlength=total).clamp(min=1)
        means = (sums / voxels).cpu().numpy()[:, 1:]
        return [means[:, a:b] for a, b in pairwise(starts)]
