"""The Attentional Voxel Association Network at work: scores of candidate segments, batched."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from connectome.networks.checkpoint import Checkpoint
from connectome.networks.device import half_precision
from connectome.networks.inputs import normalised


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What is needed to score one cleft's candidates.

    Attributes:
        image: unsigned integers (z, y, x), raw EM around the cleft's centroid.
        mask: boolean (z, y, x), this cleft alone.
        segmentation: unsigned integers (z, y, x).
        segment_id: uint64 (n,), the candidates, ascending.
    """

    image: NDArray[Any]
    mask: NDArray[np.bool_]
    segmentation: NDArray[Any]
    segment_id: NDArray[np.uint64]


class Assigner:
    """An AVAN ready to run on one device."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        """Move the network to `device`."""
        self.card = checkpoint.card
        self.device = device
        self._network = checkpoint.network.to(device)

    def score(self, patches: list[Patch]) -> list[NDArray[np.float32]]:
        """The mean output over each candidate's voxels in the patch (Turner et al., section 2.1).

        Returns:
            For each patch float32 (2, n): scores in [0, 1] of its candidates as pre and as post.
        """
        if not patches:
            return []
        with torch.inference_mode(), half_precision(self.device):
            images = torch.from_numpy(np.stack([patch.image for patch in patches])).to(self.device)
            masks = torch.from_numpy(np.stack([patch.mask for patch in patches])).to(self.device)
            grey = normalised(images, self.card.normalisation)
            inputs = torch.stack([grey, masks.float()], 1).contiguous(memory_format=torch.channels_last_3d)
            outputs = torch.sigmoid(self._network(inputs).float())
            return self._means(outputs, patches)

    def _means(self, outputs: Tensor, patches: list[Patch]) -> list[NDArray[np.float32]]:
        """Means over candidates by one scatter reduction on the device and one transfer."""
        counts = [len(patch.segment_id) for patch in patches]
        starts = np.cumsum([0, *counts])
        slots = [_slots(patch) + (patch_start + 1) for patch, patch_start in zip(patches, starts, strict=False)]
        slots = [np.where(slot <= start, 0, slot) for slot, start in zip(slots, starts, strict=False)]
        place = torch.from_numpy(np.stack(slots).ravel()).to(self.device)
        total = int(starts[-1]) + 1
        sums = torch.zeros((2, total), device=self.device)
        for role in range(2):
            sums[role].index_add_(0, place, outputs[:, role].reshape(-1))
        voxels = torch.bincount(place, minlength=total).clamp(min=1)
        means = (sums / voxels).cpu().numpy()[:, 1:]
        return [means[:, a:b] for a, b in pairwise(starts)]


def _slots(patch: Patch) -> NDArray[np.int64]:
    """For each voxel (z, y, x) the position of its segment among the candidates, -1 for other voxels."""
    ids = patch.segment_id.astype(patch.segmentation.dtype)
    if len(ids) == 0:
        return np.full(patch.segmentation.shape, -1, np.int64)
    place = np.minimum(np.searchsorted(ids, patch.segmentation), len(ids) - 1)
    return np.where(ids[place] == patch.segmentation, place, -1)
