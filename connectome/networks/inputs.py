"""How grey values enter a network."""

from __future__ import annotations

import torch
from torch import Tensor

from connectome.networks.checkpoint import Normalisation


def normalised(image: Tensor, how: Normalisation) -> Tensor:
    """Grey values of an unsigned integer dtype -> float32: (value / largest of the dtype - mean) / deviation."""
    largest = torch.iinfo(image.dtype).max
    return (image.float() * (1.0 / largest) - how.mean) * (1.0 / how.deviation)
