"""The nearest and the second nearest neurite of every voxel: from these follow segments, membranes and contacts.

The tissue is a Voronoi diagram of tubes, weighted by their radii. Candidates are found on a coarse lattice anchored
at voxel 0, exact distances are taken per voxel, so a box on its own equals the same box of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, NmTriple, Vector
from connectome.phantom.noise import Floats, smooth_noise
from connectome.phantom.tubes import Samples, Tubes, distance_to, sample_box

CELL = 4
SLOTS = 5
REACH_NM = 125.0
GLIA_NM, GLIA_SPREAD_NM = 24.0, 30.0
SLAB_VOXELS = 60_000
Planes = NDArray[np.float32]


@dataclass(frozen=True)
class Field:
    """The surroundings of each voxel of `box`, all arrays (z, y, x).

    Attributes:
        first, second: int32, the object it lies in and the next nearest; -1 is glia.
        depth_nm: float32, inside the nearest object's undisturbed tube if negative.
        edge_nm: float32, at least 0, distance to the interface between the two.
        tilt_nm: float32, at least 0, by how much that interface moves through half a section.
        samples: the voxel centres, warped into the tissue.
    """

    box: Box
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    depth_nm: Floats
    edge_nm: Floats
    tilt_nm: Floats
    samples: Samples


def compute_field(box: Box, tubes: Tubes, resolution_nm: NmTriple, seed: int) -> Field:
    """The field of any box, which may reach beyond the volume."""
    aligned = _align(box)
    samples = sample_box(aligned, resolution_nm, seed)
    glia = GLIA_NM + GLIA_SPREAD_NM * smooth_noise(aligned, (8, 24, 24), seed * 16 + 8)
    candidates = _candidates(samples.every(CELL), tubes)
    sections = max(SLAB_VOXELS // (aligned.shape[1] * aligned.shape[2]), 1)
    inner = box.slices(aligned.start)
    parts = []
    for z in range(0, aligned.shape[0], sections):
        slab = slice(z, z + sections)
        planes = _nearest_two(samples.tissue_nm[:, slab], candidates[:, slab], glia[slab], tubes)
        parts.append([plane[:, inner[1], inner[2]] for plane in _describe(planes, resolution_nm[0])])
    first, second, depth, edge, tilt = (np.concatenate(part) for part in zip(*parts, strict=True))
    start_nm = Vector(resolution_nm) * (box.start + 0.5)
    cropped = Samples(start_nm, resolution_nm, samples.tissue_nm[(slice(None), *inner)])
    return Field(box, first, second, depth, edge, tilt, cropped)


def _align(box: Box) -> Box:
    """The box widened in y and x to whole cells."""
    cell = (1, CELL, CELL)
    return box.coarsened(cell).refined(cell)


def _candidates(coarse: Samples, tubes: Tubes) -> NDArray[np.int32]:
    """int32 (slots, z, cells y, cells x): nearest links of the nearest objects, nearest first; -1 is none."""
    shape = (SLOTS, *coarse.tissue_nm.shape[1:])
    distances = np.full(shape, np.float32(REACH_NM), np.float32)
    links = np.full(shape, -1, np.int32)
    low, high = coarse.bounds_nm
    hitting = tubes.hitting(low, high, REACH_NM + 90.0)
    for _, own in tubes.by_group(hitting):
        found = distance_to(coarse, tubes, own, REACH_NM)
        if found is None:
            continue
        window, distance, link = found
        for slot in range(SLOTS):
            kept, kept_link = distances[(slot, *window)], links[(slot, *window)]
            closer = distance < kept
            if not closer.any():
                continue
            moved, moved_link = np.where(closer, kept, distance), np.where(closer, kept_link, link)
            np.copyto(kept, distance, where=closer)
            np.copyto(kept_link, link, where=closer)
            distance, link = moved, moved_link
    return links


def _nearest_two(tissue_nm: Floats, candidates: NDArray[np.int32], glia: Floats, tubes: Tubes) -> tuple[Planes, Planes]:
    """The two nearest objects, each float32 (5, z, y, x): distance in nm, object, direction away from it (z, y, x)."""
    count, height, width = glia.shape
    cells_y, cells_x = height // CELL, width // CELL
    split = (count, cells_y, CELL, cells_x, CELL)
    order = (0, 2, 4, 1, 3)
    points = [np.ascontiguousarray(tissue_nm[i].reshape(split).transpose(order)) for i in range(3)]
    best = np.zeros((5, count, CELL, CELL, cells_y, cells_x), np.float32)
    best[0] = glia.reshape(split).transpose(order)
    best[1] = -1.0
    second = best.copy()
    second[0] += np.float32(REACH_NM)
    for slot in range(SLOTS):
        link = candidates[slot][:, None, None]
        if not (link >= 0).any():
            break
        offer = _offer(points, link, tubes)
        closer = offer[0] < best[0]
        between = offer[0] < second[0]
        second = np.where(closer, best, np.where(between, offer, second))
        best = np.where(closer, offer, best)
    shape = (5, count, height, width)
    back = (0, 1, 4, 2, 5, 3)
    return best.transpose(back).reshape(shape), second.transpose(back).reshape(shape)


def _offer(points: list[Floats], link: NDArray[np.int32], tubes: Tubes) -> Planes:
    """Distance, object and direction of one candidate link per cell, as `_nearest_two` holds them."""
    none = link < 0
    start, axis = tubes.starts_nm[link], tubes.axes_nm[link]
    square = axis * axis
    scaled = axis / (square[..., 0] + square[..., 1] + square[..., 2] + np.float32(1e-6))[..., None]
    offer = np.empty((5, *np.broadcast_shapes(points[0].shape, link.shape)), np.float32)
    away = offer[2:]
    along = np.zeros(offer.shape[1:], np.float32)
    for i in range(3):
        np.subtract(points[i], start[..., i], out=away[i])
        along += away[i] * scaled[..., i]
    np.clip(along, np.float32(0), np.float32(1), out=along)
    square = np.full(along.shape, np.float32(1e-3))
    for i in range(3):
        away[i] -= along * axis[..., i]
        square += away[i] * away[i]
    length = np.sqrt(square)
    away /= length
    along *= tubes.growths_nm[link]
    np.subtract(length, along, out=offer[0])
    offer[0] -= np.where(none, np.float32(-1e6), tubes.radii_nm[link])
    offer[1] = tubes.groups[link]
    return offer


def _describe(planes: tuple[Planes, Planes], section_nm: float) -> tuple[NDArray[np.generic], ...]:
    """First, second, depth, edge and tilt as `Field` holds them."""
    best, second = planes
    turn = second[2:] - best[2:]
    steepness = np.sqrt(turn[0] * turn[0] + turn[1] * turn[1] + turn[2] * turn[2])
    np.maximum(steepness, np.float32(0.6), out=steepness)
    edge = (second[0] - best[0]) / steepness
    tilt = np.abs(turn[0]) / steepness * np.float32(section_nm / 2)
    return best[1].astype(np.int32), second[1].astype(np.int32), best[0], edge, tilt
