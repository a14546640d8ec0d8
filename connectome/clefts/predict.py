"""The cleft detector on tiles of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from connectome.networks.checkpoint import Checkpoint
from connectome.networks.device import half_precision
from connectome.networks.inputs import normalised
from connectome.networks.outputs import encoded


class CleftPredictor:
    """A detector ready to run on one device."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        """Move the network to `device`."""
        self.card = checkpoint.card
        self.device = device
        self._network = checkpoint.network.to(device)

    def predict(self, tiles: NDArray[Any]) -> NDArray[np.uint8]:
        """The clefts of each voxel, in the representation of the card's method.

        Args:
            tiles: unsigned integers (n, z, y, x), raw EM at the network's resolution.

        Returns:
            uint8 (n, z, y, x), see `networks.outputs.encoded`.
        """
        with torch.inference_mode(), half_precision(self.device):
            images = torch.from_numpy(np.ascontiguousarray(tiles)).to(self.device)
            grey = normalised(images, self.card.normalisation)[:, None]
            logits = self._network(grey.contiguous(memory_format=torch.channels_last_3d))
            return np.asarray(encoded(self.card.method, logits[:, 0]).cpu().numpy())
