"""The cleft detector on tiles of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from connectome.networks.checkpoint import Checkpoint
from connectome.networks.device import half_precision
from connectome.networks.inputs import normalised


class CleftPredictor:
    """A detector ready to run on one device."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        """Move the network to `device`."""
        self.card = checkpoint.card
        self.device = device
        self._network = checkpoint.network.to(device)

    def predict(self, tiles: NDArray[Any]) -> NDArray[np.uint8]:
        """The probability of cleft at each voxel.

        Args:
            tiles: unsigned integers (n, z, y, x), raw EM at the network's resolution.

        Returns:
            uint8 (n, z, y, x), 255 for a probability of 1.
        """
        with torch.inference_mode(), half_precision(self.device):
            images = torch.from_numpy(np.ascontiguousarray(tiles)).to(self.device)
            grey = normalised(images, self.card.normalisation)[:, None]
            logits = self._network(grey.contiguous(memory_format=torch.channels_last_3d))
            scaled = torch.sigmoid(logits[:, 0].float()).mul_(255).round_()
            return np.asarray(scaled.to(torch.uint8).cpu().numpy())
