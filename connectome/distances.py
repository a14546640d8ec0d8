"""Distances to clefts in nm, and the signed proximity that is made from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.morphology import skeletonize

from connectome.geometry import NmTriple

DECAY_NM = 50.0
"""The standard deviation of the proximity's fall."""


def skeleton_distance_nm(cleft: NDArray[np.bool_], resolution_nm: NmTriple) -> NDArray[np.float32]:
    """How far each voxel is from the cleft's middle.

    Args:
        cleft: boolean (z, y, x).
        resolution_nm: of a voxel (z, y, x).

    Returns:
        float32 (z, y, x), nm to the nearest voxel of the skeletons of the cleft's sections; infinite without a cleft.
    """
    skeleton = np.zeros(cleft.shape, bool)
    for z in np.flatnonzero(cleft.any((1, 2))):
        skeleton[z] = skeletonize(cleft[z])
    if not skeleton.any():
        return np.full(cleft.shape, np.inf, np.float32)
    return np.asarray(distance_transform_edt(~skeleton, sampling=resolution_nm), np.float32)


def proximity(distance_nm: NDArray[np.float32]) -> NDArray[np.float32]:
    """exp(-d^2 / (2 * 50^2)) * (2 / (1 + exp(-5 d)) - 1), float32 in [0, 1) for d >= 0 (Parag et al. 2018)."""
    fall = np.exp(-(distance_nm**2) / np.float32(2 * DECAY_NM**2))
    return np.asarray(fall * (2 / (1 + np.exp(-5 * distance_nm)) - 1), np.float32)


def signed_proximity(
    cleft: NDArray[np.bool_], pre: NDArray[np.bool_], post: NDArray[np.bool_], resolution_nm: NmTriple
) -> NDArray[np.float32]:
    """Nearness to a cleft's middle, positive in its presynaptic segment and negative in its postsynaptic one.

    The formula is odd in the signed distance, so the sign can be put on afterwards (Parag et al. 2018, Turner's form).

    Args:
        cleft: boolean (z, y, x).
        pre: the same, the presynaptic segment.
        post: the same, the postsynaptic segment.
        resolution_nm: of a voxel (z, y, x).

    Returns:
        float32 (z, y, x) in (-1, 1), 0 outside both segments.
    """
    near = proximity(skeleton_distance_nm(cleft, resolution_nm))
    return near * (pre.astype(np.float32) - post.astype(np.float32))
