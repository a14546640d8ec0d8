"""Facts about a checkpoint: its size, its checksum, what it answers to a fixed input."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from connectome.networks.checkpoint import Checkpoint

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
DEPTH, SIDE = 4, 32


def trained_values(path: Path) -> int:
    """The number of trained values in a checkpoint: what its tensors hold, without the statistics of batch norms."""
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.rsplit(".", 1)[-1] not in BUFFERS]  # noqa: SIM118
        return sum(math.prod(file.get_slice(name).get_shape()) for name in names)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fixed_input(channels: int, multiple: tuple[int, int, int]) -> Tensor:
    """An input that is the same on every machine and in every version: float32 (1, channels, z, y, x) from -2 to 2.

    Sides are at least 4x32x32 and multiples of `multiple`. Voxel i (C order) follows from the fraction of i times the
    golden ratio's inverse (Knuth's multiplicative hash), computed in integers.
    """
    shape = [-(-side // m) * m for side, m in zip((DEPTH, SIDE, SIDE), multiple, strict=True)]
    index = torch.arange(channels * math.prod(shape), dtype=torch.int64)
    fraction = (index * 2654435769 % 2**32).double() / 2**32
    return (fraction * 4 - 2).float().reshape(1, channels, *shape)


def fingerprint(checkpoint: Checkpoint) -> tuple[float, ...]:
    """Mean, deviation, smallest and largest logit of each output channel for the fixed input, in float32 on the CPU."""
    config = checkpoint.card.network
    with torch.inference_mode():
        logits = checkpoint.network(fixed_input(config.in_channels, config.multiple)).float()
    values: list[float] = []
    for channel in logits[0]:
        deviation = channel.std(correction=0)
        values += [float(channel.mean()), float(deviation), float(channel.min()), float(channel.max())]
    return tuple(values)


def largest_difference(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """The distance of two fingerprints, relative to their size; infinite if they have another length or no number."""
    if len(first) != len(second):
        return math.inf
    distances = [abs(a - b) / max(1.0, abs(a), abs(b)) for a, b in zip(first, second, strict=True)]
    return max(distances) if all(map(math.isfinite, distances)) else math.inf
