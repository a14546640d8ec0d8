"""How clefts are represented in a prediction, and how strongly a voxel is one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from connectome.geometry import NmTriple, Triple
from connectome.networks.checkpoint import Method
from connectome.networks.outputs import SIGNED_SCALE, SIGNED_ZERO

JOIN_NM = 36.0
"""How far the sides of a cleft are looked for, in-plane, from a voxel where they meet."""
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
    def halo(self) -> Triple:
        """How many voxels (z, y, x) around a box its strength depends on."""
        if self.method is not Method.SIGNED_PROXIMITY:
            return (0, 0, 0)
        return (0, math.floor(JOIN_NM / self.resolution_nm[1]), math.floor(JOIN_NM / self.resolution_nm[2]))

    def strength(self, prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """How strongly each voxel is a cleft.

        Args:
            prediction: uint8 (z, y, x), as `networks.outputs.encoded` writes it; what lies beyond counts as
                far from a cleft, so a result is right that is `halo` away from the borders.

        Returns:
            uint8 (z, y, x), 255 = certain.
        """
        if self.method is not Method.SIGNED_PROXIMITY:
            return prediction
        signed = prediction.astype(np.int16) - SIGNED_ZERO
        disc = _disc(self.halo[1:], self.resolution_nm[1:])
        pre, post = (
            maximum_filter(np.clip(side, 0, SIGNED_SCALE).astype(np.uint8), footprint=disc, mode="constant")
            for side in (signed, -signed)
        )
        weaker = np.minimum(pre, post).astype(np.uint16)
        return ((weaker * 255 + SIGNED_SCALE // 2) // SIGNED_SCALE).astype(np.uint8)

    @property
    def default_threshold(self) -> float:
        """The share of 255 from which on a voxel is cleft, where nobody says otherwise."""
        return DEFAULT_THRESHOLDS[self.method]


def _disc(reach: tuple[int, int], nm: tuple[float, float]) -> NDArray[np.bool_]:
    """The disc as a footprint, bool (1, y, x): the voxels within `JOIN_NM` of the middle one."""
    y, x = (np.arange(-n, n + 1) * size for n, size in zip(reach, nm, strict=True))
    return (np.hypot(y[:, None], x[None, :]) <= JOIN_NM)[None]
