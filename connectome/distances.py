"""What clefts look like as distances: the two target transforms besides the mask. All arrays are (z, y, x)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, label

from connectome.geometry import NmTriple, Triple, triple

SCALE_NM = 50.0
"""The length that both transforms are scaled by."""
REACH_NM = 150.0
"""How far a cleft is felt: beyond it both transforms are within 0.012 of their value far away."""

NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


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
    out = np.zeros(cleft.shape, np.float32)
    if not cleft.any():
        return out
    around = _grown(find_objects(cleft.astype(np.uint8))[0], reach_voxels(resolution_nm), cleft.shape)
    distance = distance_transform_edt(~skeleton(cleft[around]), sampling=resolution_nm)
    proximity = np.exp(-(distance**2) / (2 * SCALE_NM**2)) * (2 / (1 + np.exp(-5 * distance)) - 1)
    out[around] = proximity * np.where(pre[around], 1, np.where(post[around], -1, 0))
    return out


def skeleton(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Each section thinned to lines one voxel wide, with the same connected parts (Guo and Hall 1989, algorithm A1).

    Args:
        mask: bool (z, y, x).

    Returns:
        bool (z, y, x), a part of `mask`.
    """
    padded = np.pad(mask, ((0, 0), (1, 1), (1, 1)))
    width = padded.shape[2]
    offsets = [dy * width + dx for dy, dx in NEIGHBOURS]
    flat = padded.reshape(-1)
    kept = np.flatnonzero(flat)
    tables = [_removable(0), _removable(1)]
    unchanged, turn = 0, 0
    while unchanged < 2:
        neighbours = np.zeros(len(kept), np.uint8)
        for bit, offset in enumerate(offsets):
            neighbours |= flat[kept + offset].astype(np.uint8) << bit
        removed = tables[turn][neighbours]
        flat[kept[removed]] = False
        kept = kept[~removed]
        unchanged = 0 if removed.any() else unchanged + 1
        turn = 1 - turn
    return padded[:, 1:-1, 1:-1]


def _removable(turn: int) -> NDArray[np.bool_]:
    """Whether a voxel goes in this turn, by its neighbours: bool (256,), their bits in the order of `NEIGHBOURS`."""
    code = np.arange(256)
    p2, p3, p4, p5, p6, p7, p8, p9 = ((code >> bit & 1).astype(bool) for bit in range(8))
    parts = (~p2 & (p3 | p4)).astype(int) + (~p4 & (p5 | p6)) + (~p6 & (p7 | p8)) + (~p8 & (p9 | p2))
    first = (p9 | p2).astype(int) + (p3 | p4) + (p5 | p6) + (p7 | p8)
    second = (p2 | p3).astype(int) + (p4 | p5) + (p6 | p7) + (p8 | p9)
    count = np.minimum(first, second)
    side = ((p6 | p7 | ~p9) & p8) if turn else ((p2 | p3 | ~p5) & p4)
    return (parts == 1) & (count >= 2) & (count <= 3) & ~side


def _grown(where: tuple[slice, ...], by: Triple, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The slices, `by` voxels longer on each side, within `shape`."""
    sides = zip(where, by, shape, strict=True)
    return tuple(slice(max(s.start - n, 0), min(s.stop + n, limit)) for s, n, limit in sides)
