"""The Attentional Voxel Association Network at work: scores of candidate segments, batched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from connectome.networks.checkpoint import ModelCard, Network
from connectome.networks.inference import Batches, finite, for_inference, inference_dtype, normalised
from connectome.partners.scores import Patch, Scores, counted_slots

PATCHES_A_BATCH = {"cpu": 4, "cuda": 64}


class AvanAssigner:
    """An AVAN ready to run on one device, called by one thread at a time."""

    def __init__(self, card: ModelCard, network: Network, device: torch.device) -> None:
        """Copy the network to `device`, ready for inference."""
        self.card = card
        self.device = device
        self._network = for_inference(network, device)
        self._dtype = inference_dtype(device)
        self._batches = Batches(device, PATCHES_A_BATCH.get(device.type, 1))

    def score(self, patches: Sequence[Patch]) -> list[Scores]:
        """The mean output over each candidate's voxels in the patch (Turner et al., section 2.1).

        Raises:
            DeviceError: the device's memory can't hold one patch.
        """
        slots = [counted_slots(patch) for patch in patches]
        found = self._batches.run(len(patches), lambda part: self._means(patches[part], slots[part]))
        return [Scores.of_roles(roles) for roles in chain.from_iterable(found)]

    def _means(self, patches: Sequence[Patch], slots: list[NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        """Scores (2, candidates) of each patch: one scatter reduction on the device, one transfer back."""
        outputs = self._outputs(patches)
        starts = np.cumsum([0, *(len(patch.segment_id) for patch in patches)])
        places = [np.where(slot < 0, 0, slot + (start + 1)) for slot, start in zip(slots, starts, strict=False)]
        place = torch.from_numpy(np.stack(places).ravel()).to(self.device)
        total = int(starts[-1]) + 1
        sums = torch.zeros((2, total), device=self.device)
        for role in range(2):
            sums[role].index_add_(0, place, outputs[:, role].reshape(-1))
        voxels = torch.bincount(place, minlength=total).clamp(min=1)
        means = (sums / voxels).cpu().numpy()[:, 1:]
        return [means[:, a:b] for a, b in pairwise(starts)]

    def _outputs(self, patches: Sequence[Patch]) -> Tensor:
        """Float32 (n, 2, z, y, x): how much each voxel belongs to a pre, to a post."""
        images = torch.from_numpy(np.stack([patch.image for patch in patches])).to(self.device)
        masks = torch.from_numpy(np.stack([patch.mask for patch in patches])).to(self.device)
        grey = normalised(images, self.card.normalisation).to(self._dtype)
        inputs = torch.stack([grey, masks.to(self._dtype)], 1).contiguous(memory_format=torch.channels_last_3d)
        return torch.sigmoid(finite(self._network(inputs).float(), self.card.name))
