"""The assigner that a checkpoint makes."""

from __future__ import annotations

import torch

from connectome.networks.checkpoint import Method, ModelCard, Network
from connectome.partners.avan import AvanAssigner
from connectome.partners.pruner import PairAssigner
from connectome.partners.scores import Assigner


def open_assigner(card: ModelCard, network: Network, device: torch.device) -> Assigner:
    """An assigner of the card's method that runs `network` on `device`.

    Raises:
        ValueError: the card is a detector's.
    """
    match card.method:
        case Method.AVAN:
            return AvanAssigner(card, network, device)
        case Method.MASK_PRUNER | Method.PROXIMITY_PRUNER:
            return PairAssigner(card, network, device)
        case _:
            raise ValueError(f"{card.method} assigns no partners")
