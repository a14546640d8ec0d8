"""Noise that is a function of the voxel's index and a seed alone, so that every box of it can be made on its own.

Voxels are made of sums, products, quotients and roots only: these are rounded exactly, while the last bits of NumPy's
sines and exponentials depend on an element's place in the array.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Triple

Floats = NDArray[np.float32]


def hash_uint32(z: NDArray[np.int64], y: NDArray[np.int64], x: NDArray[np.int64], seed: int) -> NDArray[np.uint32]:
    """Mix integer coordinates to 32 even bits (the finaliser of MurmurHash3); the arrays broadcast."""
    with np.errstate(over="ignore"):
        mixed = z.astype(np.uint32) * np.uint32(0x9E3779B1)
        mixed = (mixed ^ (mixed >> np.uint32(15))) + np.uint32(seed * 0x27D4EB2F & 0xFFFFFFFF)
        mixed = mixed ^ (y.astype(np.uint32) * np.uint32(0x85EBCA77))
        mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0x165667B1)
        mixed = mixed ^ (x.astype(np.uint32) * np.uint32(0xC2B2AE3D))
        mixed ^= mixed >> np.uint32(16)
        mixed *= np.uint32(0x85EBCA6B)
        mixed ^= mixed >> np.uint32(13)
        mixed *= np.uint32(0xC2B2AE35)
        mixed ^= mixed >> np.uint32(16)
    return mixed


def white_noise(box: Box, seed: int) -> Floats:
    """Nearly normal noise, one value a voxel.

    Returns:
        float32 (z, y, x), mean 0, standard deviation 1, within [-3.5, 3.5]: the sum of four even bytes.
    """
    z, y, x = map(np.arange, box.start, box.stop)
    bits = hash_uint32(z[:, None, None], y[None, :, None], x[None, None, :], seed)
    summed = np.ascontiguousarray(bits).view(np.uint8).reshape(*bits.shape, 4).sum(axis=-1, dtype=np.uint16)
    return np.asarray((summed.astype(np.float32) - np.float32(510.0)) * np.float32(1 / 147.8))


def smooth_noise(box: Box, period_voxels: Triple, seed: int) -> Floats:
    """Smooth noise with bumps of about `period_voxels`: a quadratic B-spline over random values on a lattice.

    Returns:
        float32 (z, y, x), mean 0, within [-1, 1], standard deviation about 0.3.
    """
    nodes, taps = zip(*map(_axis_taps, box.start, box.stop, period_voxels), strict=True)
    bits = hash_uint32(nodes[0][:, None, None], nodes[1][None, :, None], nodes[2][None, None, :], seed)
    values = bits.astype(np.float32) * np.float32(2.0**-31) - np.float32(1.0)
    for axis, (first, weights) in enumerate(taps):
        shape = [1, 1, 1]
        shape[axis] = -1
        values = sum(
            (np.take(values, first + tap, axis=axis) * weights[tap].reshape(shape) for tap in range(1, 3)),
            start=np.take(values, first, axis=axis) * weights[0].reshape(shape),
        )
    return values


def smooth_noise_at(voxels: NDArray[np.int64], period_voxels: Triple, seed: int) -> Floats:
    """`smooth_noise` at single voxels.

    Args:
        voxels: int64 (points, 3), indices (z, y, x).
        period_voxels: size of the bumps.
        seed: the seed that `smooth_noise` got.

    Returns:
        float32 (points,).
    """
    middles, weights = [], []
    for axis, period in enumerate(period_voxels):
        index = voxels[:, axis]
        middles.append(index // period)
        weights.append(_weights(index, period))
    total = np.zeros(len(voxels), np.float32)
    for z, y, x in itertools.product(range(3), repeat=3):
        bits = hash_uint32(middles[0] + (z - 1), middles[1] + (y - 1), middles[2] + (x - 1), seed)
        value = bits.astype(np.float32) * np.float32(2.0**-31) - np.float32(1.0)
        total += value * weights[0][z] * weights[1][y] * weights[2][x]
    return total


def bump(at: Floats) -> Floats:
    """A smooth bump like exp(-at^2), of exactly rounded operations: the same to the last bit in any array."""
    rest = np.maximum(np.float32(1) - np.float32(0.25) * (at * at), np.float32(0))
    rest *= rest
    return np.asarray(rest * rest, np.float32)


def wave(turns: Floats) -> Floats:
    """A wave of period 1 like sin(2 pi turns) (two parabolas), of exactly rounded operations."""
    phase = np.float32(2) * (turns - np.floor(turns)) - np.float32(1)
    return np.asarray(np.float32(-4) * phase * (np.float32(1) - np.abs(phase)), np.float32)


def _weights(index: NDArray[np.int64], period: int) -> tuple[Floats, Floats, Floats]:
    """The weights of the node before an index, its own and the one after (quadratic B-spline)."""
    offset = ((index % period + 0.5) / period - 0.5).astype(np.float32)
    half, ends = np.float32(0.5), np.float32(0.75)
    return half * (half - offset) ** 2, ends - offset**2, half * (half + offset) ** 2


def _axis_taps(
    start: int, stop: int, period: int
) -> tuple[NDArray[np.int64], tuple[NDArray[np.int64], tuple[Floats, ...]]]:
    """The lattice nodes that an index range needs; per index its first node and the three weights (B-spline)."""
    index = np.arange(start, stop)
    middle = index // period
    nodes = np.arange(middle[0] - 1, middle[-1] + 2)
    return nodes, (middle - middle[0], _weights(index, period))
