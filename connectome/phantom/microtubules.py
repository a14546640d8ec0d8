"""Microtubules: dark points where cut across, faint lines where cut along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, NmTriple
from connectome.phantom.beads import Kind
from connectome.phantom.config import PhantomConfig, PhantomPreset
from connectome.phantom.noise import Floats, hash_uint32
from connectome.phantom.tubes import Tubes

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

STEP_NM = 9.0
STRANDS = {
    PhantomPreset.CORTEX: {Kind.AXON: 3, Kind.DENDRITE: 10, Kind.TRUNK: 30, Kind.MYELINATED: 10},
    PhantomPreset.INSECT: {Kind.AXON: 2, Kind.DENDRITE: 1, Kind.TRUNK: 14, Kind.MYELINATED: 0},
}


def microtubule_points(box: Box, tubes: Tubes, kinds: Indices, config: PhantomConfig) -> Array:
    """Points along the microtubules that may show in a box: float64 (points, 3), nm in the volume.

    Args:
        box: voxels of the volume.
        tubes: the neurites where they appear in the volume.
        kinds: int64 (objects,), the Kind of each neurite.
        config: of the phantom.
    """
    resolution = np.asarray(config.resolution_nm)
    low, high = (np.array(box.start) - 1) * resolution, (np.array(box.stop) + 1) * resolution
    links = tubes.hitting(low.astype(np.float32), high.astype(np.float32), 0.0)
    strands = STRANDS[config.preset]
    counts = np.array([strands[Kind(k)] for k in range(len(strands))])[kinds[tubes.groups[links]]]
    parts = [np.zeros((0, 3))]
    for strand in range(int(counts.max(initial=0))):
        parts.append(_strand(tubes, links[counts > strand], strand, config.seed))
    points = np.concatenate(parts)
    return points[np.all((points > low) & (points < high), axis=1)]


def _strand(tubes: Tubes, links: Indices, strand: int, seed: int) -> Array:
    """Points along one microtubule in each of some links."""
    owners = tubes.groups[links]
    bits = hash_uint32(owners, np.full_like(owners, strand), np.zeros_like(owners), seed + 77)
    sideward = (bits & np.uint32(0xFFFF)).astype(np.float64)[:, None] / 32768 - 1
    upward = (bits >> np.uint32(16)).astype(np.float64)[:, None] / 32768 - 1
    axes = tubes.axes_nm[links].astype(np.float64)
    lengths = np.linalg.norm(axes, axis=1) + 1e-6
    along = axes / lengths[:, None]
    side = np.cross(along, [0.31, 0.83, 0.46])
    side /= np.linalg.norm(side, axis=1)[:, None] + 1e-6
    up = np.cross(along, side)
    offsets = 0.5 * (sideward * side + upward * up)
    steps = np.maximum((lengths / STEP_NM).astype(np.int64), 1)
    which = np.repeat(np.arange(len(links)), steps)
    place = np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)
    share = (place + 0.5) / steps[which]
    radius = tubes.radii_nm[links][which] + share * tubes.growths_nm[links][which]
    return np.asarray(
        tubes.starts_nm[links][which] + axes[which] * share[:, None] + offsets[which] * radius[:, None], np.float64
    )


def stamp_points(points_nm: Array, box: Box, resolution_nm: NmTriple) -> Floats:
    """Paint points of about one voxel: float32 (z, y, x) from 0 to 1."""
    wide = box.grow((2, 2, 2))
    ink = np.zeros(wide.shape, np.float32)
    exact = points_nm / np.asarray(resolution_nm) - 0.5
    home = np.floor(exact)
    home[:, 0] = np.floor(exact[:, 0] + 0.5)
    share = (exact - home).astype(np.float32)
    local = home.astype(np.int64) - np.array(wide.start)
    index = (local[:, 0] * wide.shape[1] + local[:, 1]) * wide.shape[2] + local[:, 2]
    for sy in (0, 1):
        for sx in (0, 1):
            weight = np.abs(1 - sy - share[:, 1]) * np.abs(1 - sx - share[:, 2])
            np.maximum.at(ink.reshape(-1), index + sy * wide.shape[2] + sx, weight)
    return ink[box.slices(wide.start)]
