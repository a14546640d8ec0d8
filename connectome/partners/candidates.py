"""Candidates for partners of a cleft: the segments that touch it once it is dilated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from connectome.geometry import NmTriple, Triple, triple


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """The segments that touch one dilated cleft; arrays of one length, by ascending segment id.

    Attributes:
        segment_id: uint64.
        contact_voxels: int64, voxels inside the dilated cleft.
        contact_point: int64 (n, 3), a voxel (z, y, x) of the patch that belongs to the segment, inside the dilated
            cleft, nearest to the middle of all its contact voxels.
    """

    segment_id: NDArray[np.uint64]
    contact_voxels: NDArray[np.int64]
    contact_point: NDArray[np.int64]


def dilation_shape(radius_nm: float, resolution_nm: NmTriple) -> NDArray[np.bool_]:
    """A diamond in the section, one section up and down: boolean (3, 2r + 1, 2r + 1).

    The shape is the one of the AVAN's published inference (radius 5 voxels of 8 nm); here the radius is in nm.
    """
    ry, rx = (max(int(radius_nm // r), 1) for r in resolution_nm[1:])
    y, x = np.mgrid[-ry : ry + 1, -rx : rx + 1]
    diamond = np.abs(y) / ry + np.abs(x) / rx <= 1
    return np.stack([diamond] * 3)


def find_candidates(segmentation: NDArray[Any], mask: NDArray[np.bool_], shape: NDArray[np.bool_]) -> Contacts:
    """The segments under a dilated cleft.

    Args:
        segmentation: unsigned integers (z, y, x), 0 = none.
        mask: boolean (z, y, x), the cleft.
        shape: see `dilation_shape`.
    """
    where = np.argwhere(mask)
    if len(where) == 0:
        none = np.zeros(0, np.int64)
        return Contacts(segment_id=none.astype(np.uint64), contact_voxels=none, contact_point=none.reshape(0, 3))
    reach = np.array(shape.shape) // 2
    low = np.maximum(where.min(0) - reach, 0)
    high = np.minimum(where.max(0) + reach + 1, mask.shape)
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    touched = binary_dilation(mask[part], shape) & (segmentation[part] != 0)
    places = np.argwhere(touched)
    ids, group, counts = np.unique(segmentation[part][touched], return_inverse=True, return_counts=True)
    points = np.array([_middle(places[group == i]) for i in range(len(ids))], np.int64).reshape(-1, 3)
    return Contacts(segment_id=ids.astype(np.uint64), contact_voxels=counts, contact_point=points + low)


def _middle(places: NDArray[np.int64]) -> Triple:
    """The place nearest to the mean of all; the first of equals."""
    distance = ((places - places.mean(0)) ** 2).sum(1)
    return triple(places[int(distance.argmin())])
