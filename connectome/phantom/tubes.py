"""Tubes as straight links between beads, and the distance of sample points to their surface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, NmTriple, Triple, Vector
from connectome.phantom.noise import Floats, smooth_noise, smooth_noise_at

Indices = NDArray[np.int64]
Window = tuple[slice, slice, slice]

WARP_NM = ((62.0, (210.0, 210.0, 210.0)), (24.0, (90.0, 80.0, 80.0)))
WARP_BOUND_NM = sum(amplitude for amplitude, _ in WARP_NM)


@dataclass(frozen=True, kw_only=True)
class Tubes:
    """Links with a linear radius, sorted by the group (a neurite, an organelle) they belong to.

    Attributes:
        starts_nm, axes_nm: float32 (links, 3), first end and the way to the second (z, y, x).
        radii_nm, growths_nm: float32 (links,), radius at the first end and its change towards the second.
        groups: int64 (links,), ascending.
        lows_nm, highs_nm: float32 (links, 3), bounding boxes, radius included.
    """

    starts_nm: Floats
    axes_nm: Floats
    radii_nm: Floats
    growths_nm: Floats
    groups: Indices
    lows_nm: Floats
    highs_nm: Floats

    @classmethod
    def between(
        cls, starts: NDArray[np.float64], stops: NDArray[np.float64], radii: NDArray[np.float64], groups: Indices
    ) -> Tubes:
        """From ends (links, 3) in nm, radii (links, 2) at both ends in nm, and groups (links,)."""
        order = np.argsort(groups, kind="stable")
        a, b, r = (np.asarray(v, np.float32).reshape(-1, n)[order] for v, n in ((starts, 3), (stops, 3), (radii, 2)))
        widest = r.max(axis=1, keepdims=True) if len(r) else r[:, :1]
        return cls(
            starts_nm=a,
            axes_nm=b - a,
            radii_nm=r[:, 0],
            growths_nm=r[:, 1] - r[:, 0],
            groups=np.asarray(groups, np.int64)[order],
            lows_nm=np.minimum(a, b) - widest,
            highs_nm=np.maximum(a, b) + widest,
        )

    def hitting(self, low_nm: Floats, high_nm: Floats, reach_nm: float) -> Indices:
        """The links whose bounding box comes within `reach_nm` of a box, ascending."""
        near = (self.lows_nm <= high_nm + np.float32(reach_nm)) & (self.highs_nm >= low_nm - np.float32(reach_nm))
        return np.flatnonzero(near.all(axis=1))

    def by_group(self, links: Indices) -> Iterator[tuple[int, Indices]]:
        """Cut an ascending selection of links at the borders of its groups."""
        cuts = np.flatnonzero(np.diff(self.groups[links])) + 1
        for part in np.split(links, cuts):
            if len(part):
                yield int(self.groups[part[0]]), part


@dataclass(frozen=True)
class Samples:
    """Points on a regular grid, and where each lies in the unwarped tissue.

    Attributes:
        start_nm, step_nm: first point and spacing (z, y, x).
        tissue_nm: float32 (3, z, y, x).
    """

    start_nm: NmTriple
    step_nm: NmTriple
    tissue_nm: Floats

    def every(self, step: int) -> Samples:
        """Each `step`th point along y and x, beginning in the middle of the first `step` points."""
        half = step // 2
        z, y, x = self.start_nm
        dz, dy, dx = self.step_nm
        tissue = np.ascontiguousarray(self.tissue_nm[:, :, half::step, half::step])
        return Samples((z, y + half * dy, x + half * dx), (dz, step * dy, step * dx), tissue)

    @property
    def bounds_nm(self) -> tuple[Floats, Floats]:
        """The lowest and the highest point."""
        low = np.asarray(self.start_nm, np.float32)
        counts = np.array(self.tissue_nm.shape[1:]) - 1
        return low, low + np.asarray(self.step_nm, np.float32) * counts.astype(np.float32)

    def window(self, low_nm: Floats, high_nm: Floats, reach_nm: float) -> Window:
        """Slices that hold all points within `reach_nm` of a box in the tissue, clipped to the grid; may be empty."""
        slices = []
        for axis, count in enumerate(self.tissue_nm.shape[1:]):
            start, step, margin = self.start_nm[axis], self.step_nm[axis], reach_nm + WARP_BOUND_NM
            a = int(np.ceil((float(low_nm[axis]) - margin - start) / step))
            b = int(np.floor((float(high_nm[axis]) + margin - start) / step)) + 1
            slices.append(slice(min(max(a, 0), count), max(min(b, count), 0)))
        return slices[0], slices[1], slices[2]


def sample_box(box: Box, resolution_nm: NmTriple, seed: int) -> Samples:
    """The voxel centres of a box, with the warp that makes outlines irregular."""
    tissue = np.empty((3, *box.shape), np.float32)
    for axis in range(3):
        centres = ((np.arange(box.start[axis], box.stop[axis]) + 0.5) * resolution_nm[axis]).astype(np.float32)
        shape = [1, 1, 1]
        shape[axis] = -1
        tissue[axis] = centres.reshape(shape)
        for octave, (amplitude, period_nm) in enumerate(WARP_NM):
            noise = smooth_noise(box, _period(period_nm, resolution_nm), seed * 16 + octave * 3 + axis)
            tissue[axis] += np.float32(amplitude) * noise
    return Samples((Vector(resolution_nm) * (box.start + 0.5)), resolution_nm, tissue)


def unwarp(points_nm: NDArray[np.float64], resolution_nm: NmTriple, seed: int) -> NDArray[np.float64]:
    """Where points of the tissue appear in the volume, up to a few ten nm: float64 (points, 3) nm."""
    resolution = np.asarray(resolution_nm)
    moved = points_nm.copy()
    for octave, (amplitude, period_nm) in enumerate(WARP_NM):
        voxels = np.floor(moved / resolution).astype(np.int64)
        for axis in range(3):
            noise = smooth_noise_at(voxels, _period(period_nm, resolution_nm), seed * 16 + octave * 3 + axis)
            moved[:, axis] -= amplitude * noise
    return moved


def _period(period_nm: NmTriple, resolution_nm: NmTriple) -> Triple:
    return (Vector(period_nm) / resolution_nm).nearest().maximum(2)


def distance_to(
    samples: Samples, tubes: Tubes, links: Indices, reach_nm: float
) -> tuple[Window, Floats, NDArray[np.int32]] | None:
    """Distance to the surface of the union of some links, where it is below `reach_nm`.

    Returns:
        The window of the grid, float32 distances (z, y, x) in nm within it (`reach_nm` where farther, negative
        inside) and int32 the nearest link; None where nothing is in reach.
    """
    window = samples.window(tubes.lows_nm[links].min(axis=0), tubes.highs_nm[links].max(axis=0), reach_nm)
    shape = tuple(max(s.stop - s.start, 0) for s in window)
    if 0 in shape:
        return None
    best = np.full(shape, np.float32(reach_nm), np.float32)
    nearest = np.full(shape, -1, np.int32)
    for link in links:
        part = samples.window(tubes.lows_nm[link], tubes.highs_nm[link], reach_nm)
        if any(s.stop <= s.start for s in part):
            continue
        inner = tuple(slice(p.start - w.start, p.stop - w.start) for p, w in zip(part, window, strict=True))
        distance = _link_distance(samples.tissue_nm[(slice(None), *part)], tubes, int(link))
        closer = distance < best[inner]
        np.copyto(best[inner], distance, where=closer)
        np.copyto(nearest[inner], np.int32(link), where=closer)
    return window, best, nearest


def _link_distance(points_nm: Floats, tubes: Tubes, link: int) -> Floats:
    """Distance (nm) of points float32 (3, z, y, x) to one link's surface."""
    start, axis = tubes.starts_nm[link], tubes.axes_nm[link]
    square = axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2] + np.float32(1e-6)
    dz, dy, dx = (points_nm[i] - start[i] for i in range(3))
    along = dz * (axis[0] / square)
    along += dy * (axis[1] / square)
    along += dx * (axis[2] / square)
    np.clip(along, np.float32(0), np.float32(1), out=along)
    dz -= along * axis[0]
    dy -= along * axis[1]
    dx -= along * axis[2]
    dz *= dz
    dz += dy * dy
    dz += dx * dx
    np.sqrt(dz, out=dz)
    dz -= tubes.radii_nm[link]
    dz -= along * tubes.growths_nm[link]
    return np.asarray(dz, np.float32)
