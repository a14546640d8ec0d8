"""Clefts as distances: the two target transforms besides the mask. All arrays are (z, y, x)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, label
from skimage.morphology import skeletonize

from connectome.geometry import Box, NmTriple, Triple, triple

SCALE_NM = 50.0
"""The length that both transforms are scaled by."""
REACH_NM = 150.0
"""How far a cleft is felt: beyond it both transforms are within 0.012 of their value far away."""
NEAR = 0.01
"""A signed proximity of at least this size counts as near a cleft (Parag et al. 2018)."""


def reach_voxels(resolution_nm: NmTriple) -> Triple:
    """`REACH_NM` in whole voxels (z, y, x), rounded up: the margin that a target needs around its patch."""
    return triple(math.ceil(REACH_NM / nm) for nm in resolution_nm)


def signed_tanh_distance(mask: NDArray[np.bool_], resolution_nm: NmTriple) -> NDArray[np.float32]:
    """The signed distance to a cleft's border, squashed: tanh(SDT / 50 nm) (STDT; Heinrich et al. 2018).

    Args:
        mask: bool (z, y, x), cleft voxels.
        resolution_nm: nm of a voxel (z, y, x).

    Returns:
        float32 (z, y, x) in [-1, 1]: inside a cleft the distance to the nearest voxel outside, positive; outside the
        distance to the nearest cleft voxel, negative; -1 where it is more than about `REACH_NM`.
    """
    out = np.full(mask.shape, -1, np.float32)
    components, _ = label(mask, np.ones((3, 3, 3), bool))
    reach = reach_voxels(resolution_nm)
    for found in find_objects(components):
        around = _grown(found, reach, mask.shape)
        outside = distance_transform_edt(~mask[around], sampling=resolution_nm)
        np.maximum(out[around], np.tanh(-outside / SCALE_NM), out=out[around])
    for found in find_objects(components):
        around = _grown(found, (1, 1, 1), mask.shape)
        inside = distance_transform_edt(mask[around], sampling=resolution_nm) if not mask[around].all() else np.inf
        here = mask[around]
        out[around][here] = np.tanh(np.broadcast_to(inside, here.shape)[here] / SCALE_NM)
    return out


def signed_proximity(
    cleft: NDArray[np.bool_], pre: NDArray[np.bool_], post: NDArray[np.bool_], resolution_nm: NmTriple
) -> NDArray[np.float32]:
    """How near one cleft is, with the side as the sign (Parag et al. 2018, in the form of Turner et al.).

    exp(-d^2 / (2 * (50 nm)^2)) * (2 / (1 + exp(-5 d)) - 1), d: distance in nm to the cleft's skeleton.

    Args:
        cleft: bool (z, y, x), the voxels of one cleft.
        pre: bool (z, y, x), the voxels of its presynaptic segments; where both, they count as this.
        post: bool (z, y, x), the voxels of its postsynaptic segments.
        resolution_nm: nm of a voxel (z, y, x).

    Returns:
        float32 (z, y, x) in [-1, 1]: positive in `pre`, negative in `post`, 0 elsewhere, on the skeleton itself, and
        more than about `REACH_NM` away.
    """
    return unsigned_proximity(cleft, resolution_nm) * np.where(pre, 1, np.where(post, -1, 0)).astype(np.float32)


def unsigned_proximity(cleft: NDArray[np.bool_], resolution_nm: NmTriple) -> NDArray[np.float32]:
    """How near one cleft is, whatever the side: `signed_proximity` is odd in d, so the sign can be put on afterwards.

    Args:
        cleft: bool (z, y, x), the voxels of one cleft.
        resolution_nm: nm of a voxel (z, y, x).

    Returns:
        float32 (z, y, x) in [0, 1): 0 on the skeleton itself, and more than about `REACH_NM` away.
    """
    out = np.zeros(cleft.shape, np.float32)
    if not cleft.any():
        return out
    around = _grown(find_objects(cleft.astype(np.uint8))[0], reach_voxels(resolution_nm), cleft.shape)
    out[around] = proximity(skeleton_distance_nm(cleft[around], resolution_nm))
    return out


def skeleton_distance_nm(cleft: NDArray[np.bool_], resolution_nm: NmTriple) -> NDArray[np.float32]:
    """How far each voxel is from the cleft's middle: the skeletons of its sections.

    Args:
        cleft: boolean (z, y, x).
        resolution_nm: nm of a voxel (z, y, x).

    Returns:
        float32 (z, y, x), nm to the nearest voxel of a skeleton; infinite without a cleft.
    """
    skeleton = np.zeros(cleft.shape, bool)
    for z in np.flatnonzero(cleft.any((1, 2))):
        skeleton[z] = skeletonize(cleft[z])
    if not skeleton.any():
        return np.full(cleft.shape, np.inf, np.float32)
    return np.asarray(distance_transform_edt(~skeleton, sampling=resolution_nm), np.float32)


def proximity(distance_nm: NDArray[np.float32]) -> NDArray[np.float32]:
    """exp(-d^2 / (2 * (50 nm)^2)) * (2 / (1 + exp(-5 d)) - 1), float32 in [0, 1) for d >= 0 (Parag et al. 2018)."""
    fall = np.exp(-(distance_nm**2) / np.float32(2 * SCALE_NM**2))
    return np.asarray(fall * (2 / (1 + np.exp(-5 * distance_nm)) - 1), np.float32)


def _grown(where: tuple[slice, ...], by: Triple, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The slices, `by` voxels longer on each side, within `shape`."""
    return Box.of_slices(where).grow(by).intersect(Box.of_shape(triple(shape))).slices()
