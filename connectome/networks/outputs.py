"""What the logits of a detector mean, and how they are kept in one uint8 channel."""

from __future__ import annotations

import torch
from torch import Tensor

from connectome.networks.checkpoint import Method

SIGNED_ZERO, SIGNED_SCALE = 128, 127
"""A signed proximity v is kept as 128 + 127 v."""


def detector_output(method: Method, logits: Tensor) -> Tensor:
    """Logits -> the representation: a probability in [0, 1] (mask), or a signed value in [-1, 1].

    The signed ones are tanh(logit / 2), which is 2 sigmoid(logit) - 1: a mask's logits and those of an STDT have one
    scale, and both are 0 at a cleft's border.

    Raises:
        ValueError: the method is none of a detector.
    """
    match method:
        case Method.MASK:
            return torch.sigmoid(logits)
        case Method.STDT | Method.SIGNED_PROXIMITY:
            return torch.tanh(logits / 2)
        case _:
            raise ValueError(f"{method} is no representation of clefts")


def encoded(method: Method, logits: Tensor) -> Tensor:
    """Logits -> uint8 of the same shape: 255 p (mask), 255 (v + 1) / 2 (STDT), 128 + 127 v (signed proximity).

    Raises:
        ValueError: the method is none of a detector.
    """
    values = detector_output(method, logits.float())
    match method:
        case Method.MASK:
            scaled = values * 255
        case Method.STDT:
            scaled = (values + 1) * 127.5
        case _:
            scaled = values * SIGNED_SCALE + SIGNED_ZERO
    return scaled.round().to(torch.uint8)


def encoded_absence(method: Method) -> int:
    """What `encoded` gives where there is surely no cleft: the lowest logit of a mask or an STDT, no side."""
    return SIGNED_ZERO if method is Method.SIGNED_PROXIMITY else 0
