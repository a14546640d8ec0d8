"""Beginning to train with the weights of another network."""

from __future__ import annotations

import torch
from torch import Tensor

from connectome.errors import CheckpointError
from connectome.networks.checkpoint import Checkpoint, Method, Network
from connectome.networks.pair import PairClassifier
from connectome.networks.rsunet import RSUNet, forget_answer


def take_over(network: Network, method: Method, start: Checkpoint) -> None:
    """Set the weights of a network that is to serve `method` to those of a checkpoint.

    Between networks of one kind all weights are taken; a detector of another representation begins its last layer anew.
    A pair classifier takes over an association network's encoder: the first convolution's new channels begin at zero,
    so that it sees what the association network saw; its head keeps the weights it has.

    Raises:
        CheckpointError: the widths or the channels differ, or a U-Net is to start from a pair classifier.
    """
    before, widths = start.network, network.config.widths
    if before.config.widths != widths:
        raise CheckpointError(f"{start.path} has widths {before.config.widths}, the recipe {widths}")
    if isinstance(network, PairClassifier) and isinstance(before, RSUNet):
        own = network.state_dict()
        taken = {name: value for name, value in before.state_dict().items() if name.startswith(("first.", "down."))}
        taken["first.weight"] = _widened(taken["first.weight"], own["first.weight"])
        network.load_state_dict(own | taken)
    elif type(network) is type(before) and before.config.in_channels == network.config.in_channels:
        network.load_state_dict(before.state_dict())
        if isinstance(network, RSUNet) and start.card.method is not method:
            forget_answer(network)
    else:
        raise CheckpointError(f"{start.path} is a {start.card.method}: its weights don't fit the network to be trained")


def _widened(weight: Tensor, like: Tensor) -> Tensor:
    """A convolution's weight (out, in, z, y, x) with zeros for the channels in that it lacks."""
    wide = torch.zeros_like(like)
    wide[:, : weight.shape[1]] = weight
    return wide
