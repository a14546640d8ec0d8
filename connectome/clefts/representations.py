"""Representations of clefts in a prediction, and the strength of a voxel in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, NmTriple, Triple
from connectome.networks.checkpoint import Method
from connectome.networks.inference import SIGNED_SCALE, SIGNED_ZERO

JOIN_NM = 36.0
"""How far, in its section, the two sides of a cleft are looked for from a voxel where they meet."""
DEFAULT_THRESHOLDS = {Method.MASK: 0.5, Method.STDT: 0.5, Method.SIGNED_PROXIMITY: 0.3}


@dataclass(frozen=True)
class Representation:
    """One way to represent clefts, at one resolution.

    The strength of a voxel is what is thresholded and labelled: uint8, 255 = certainly cleft. For a mask and an STDT it
    is the prediction itself. A signed proximity has two sides: a voxel is as strong as the weaker of the strongest
    presynaptic and the strongest postsynaptic value within `JOIN_NM` of it in its section. So both sides are joined
    into one object, thin, since both must be near, and one that always has a direction.

    Attributes:
        method: which representation.
        resolution_nm: nm of a voxel (z, y, x).
    """

    method: Method
    resolution_nm: NmTriple

    @property
    def is_signed(self) -> bool:
        """True if a prediction tells the sides of a cleft apart."""
        return self.method is Method.SIGNED_PROXIMITY

    @property
    def halo(self) -> Triple:
        """How many voxels (z, y, x) around a box its strength depends on."""
        if not self.is_signed:
            return (0, 0, 0)
        _, y, x = self.resolution_nm
        return (0, max(int(JOIN_NM // y), 1), max(int(JOIN_NM // x), 1))

    @property
    def default_threshold(self) -> float:
        """The share of 255 from which on a voxel is cleft, where nobody says otherwise."""
        return DEFAULT_THRESHOLDS[self.method]

    def strength(self, prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """How strongly each voxel is a cleft.

        Args:
            prediction: uint8 (z, y, x), as `networks.inference.encoded` writes it. What lies beyond counts as far from
                any cleft, so voxels nearer than `halo` to where a prediction was cut off aren't right.

        Returns:
            uint8 (z, y, x), 255 = certain.
        """
        if not self.is_signed:
            return prediction
        signed = prediction.astype(np.int16) - SIGNED_ZERO
        pre, post = (self._strongest(np.clip(side, 0, SIGNED_SCALE).astype(np.uint8)) for side in (signed, -signed))
        weaker = np.minimum(pre, post).astype(np.uint16)
        return ((weaker * 255 + SIGNED_SCALE // 2) // SIGNED_SCALE).astype(np.uint8)

    def _strongest(self, side: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The greatest value on the disc around each voxel, uint8 (z, y, x); 0 beyond the border."""
        (_, ry, rx), (_, height, width) = self.halo, side.shape
        padded = np.pad(side, ((0, 0), (ry, ry), (rx, rx)))
        out = np.zeros_like(side)
        for y, x in self._disc():
            np.maximum(out, padded[:, ry + y : ry + y + height, rx + x : rx + x + width], out=out)
        return out

    def _disc(self) -> list[tuple[int, int]]:
        """Offsets (y, x) in voxels of at most `JOIN_NM`, or of one voxel where that is more."""
        (_, ry, rx), (_, height, width) = self.halo, self.resolution_nm
        return [
            (y, x)
            for y in range(-ry, ry + 1)
            for x in range(-rx, rx + 1)
            if np.hypot(y * height, x * width) <= JOIN_NM or abs(y) + abs(x) <= 1
        ]


def signed_values(prediction: NDArray[np.uint8], box: Box, predicted: Box) -> NDArray[np.float32]:
    """A stored signed proximity as numbers, over a box that may reach beyond what was predicted.

    Args:
        prediction: uint8 (z, y, x) of the voxels that `box` and `predicted` share.
        box: the voxels wanted.
        predicted: the voxels that were predicted.

    Returns:
        float32 (z, y, x) in [-1, 1], positive on the presynaptic side; 0 where nothing was predicted.
    """
    out = np.zeros(box.shape, np.float32)
    shared = box.intersect(predicted)
    if not shared.is_empty:
        out[shared.slices(box.start)] = (prediction.astype(np.float32) - SIGNED_ZERO) / SIGNED_SCALE
    return out
