"""The cleft detector on tiles of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from connectome.networks.checkpoint import Checkpoint
from connectome.networks.inference import Batches, encoded, finite, for_inference, inference_dtype, normalised

TILES_A_BATCH = {"cpu": 1, "cuda": 8}
"""On a CPU larger batches only leave the caches; a GPU that hasn't the memory gets fewer (see `Batches`)."""


class CleftPredictor:
    """A detector ready to run on one device, called by one thread at a time."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        """Copy the network to `device`, ready for inference."""
        self.card = checkpoint.card
        self.device = device
        self._network = for_inference(checkpoint.network, device)
        self._dtype = inference_dtype(device)
        self._batches = Batches(device, TILES_A_BATCH.get(device.type, 1))

    def predict(self, tiles: NDArray[Any]) -> NDArray[np.uint8]:
        """The clefts of each voxel, in the representation of the card's method.

        Args:
            tiles: unsigned integers (n, z, y, x), raw EM at the network's resolution.

        Returns:
            uint8 (n, z, y, x), see `networks.inference.encoded`.

        Raises:
            DeviceError: the device's memory can't hold one tile.
        """
        images = torch.from_numpy(np.ascontiguousarray(tiles))
        parts = self._batches.run(len(images), lambda part: self._predict(images[part]))
        return np.concatenate([np.zeros((0, *tiles.shape[1:]), np.uint8), *parts])

    def _predict(self, images: torch.Tensor) -> NDArray[np.uint8]:
        grey = normalised(images.to(self.device), self.card.normalisation)[:, None].to(self._dtype)
        logits = self._network(grey.contiguous(memory_format=torch.channels_last_3d))
        return np.asarray(encoded(self.card.method, finite(logits[:, 0], self.card.name)).cpu().numpy())
