"""Synaptic vesicles: clouds of small rings in the boutons."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, NmTriple
from connectome.phantom.config import PhantomConfig, PhantomPreset
from connectome.phantom.noise import Floats, bump
from connectome.phantom.tubes import Tubes

Array = NDArray[np.float64]

SPACING_NM = 50.0
RADIUS_NM = 17.5
RIM_NM = 6.0
STAMP_NM = RADIUS_NM + 2.2 * RIM_NM
CACHED_CLOUDS = 4096
CROWDS = {PhantomPreset.CORTEX: (0.65, 1.0), PhantomPreset.INSECT: (0.3, 0.75)}
"""Least and greatest share of a bouton's places that hold a vesicle."""


@dataclass(frozen=True, kw_only=True)
class Boutons:
    """Swellings of axons that hold vesicles.

    Attributes:
        middles_nm: float64 (boutons, 3), where they appear in the volume.
        radii_nm: float64 (boutons,). owners: int64 (boutons,), the objects they belong to.
        towards_nm: float64 (boutons, 3), where in the volume the vesicles gather: a cleft, or the middle.
    """

    middles_nm: Array
    radii_nm: Array
    owners: NDArray[np.int64]
    towards_nm: Array


class Vesicles:
    """The vesicles of a phantom; the clouds used last are kept."""

    def __init__(self, boutons: Boutons, tubes: Tubes, config: PhantomConfig) -> None:
        """Know the boutons of a tissue, and its neurites where they appear in the volume."""
        self._boutons, self._tubes, self._config = boutons, tubes, config
        self._clouds: OrderedDict[int, Array] = OrderedDict()

    def near(self, box: Box) -> Array:
        """Middles (nm, in the volume) of the vesicles whose stamps may touch a box: float64 (vesicles, 3)."""
        boutons, resolution = self._boutons, np.asarray(self._config.resolution_nm)
        low, high = np.array(box.start) * resolution - STAMP_NM, np.array(box.stop) * resolution + STAMP_NM
        reach = (_reach_nm(boutons.radii_nm) + SPACING_NM)[:, None]
        near = np.all((boutons.middles_nm > low - reach) & (boutons.middles_nm < high + reach), axis=1)
        clouds = [self._cloud(int(bouton)) for bouton in np.flatnonzero(near)]
        points = np.concatenate([np.zeros((0, 3)), *clouds])
        return points[np.all((points > low) & (points < high), axis=1)]

    def _cloud(self, bouton: int) -> Array:
        if bouton in self._clouds:
            self._clouds.move_to_end(bouton)
            return self._clouds[bouton]
        self._clouds[bouton] = _draw_cloud(self._boutons, bouton, self._tubes, self._config)
        if len(self._clouds) > CACHED_CLOUDS:
            self._clouds.popitem(last=False)
        return self._clouds[bouton]


def _reach_nm(radii_nm: Array) -> Array:
    """How far the lattice of a cloud extends along each axis."""
    return 1.6 * radii_nm + 80


def _draw_cloud(boutons: Boutons, bouton: int, tubes: Tubes, config: PhantomConfig) -> Array:
    """The vesicles of one bouton: a jittered lattice, denser towards the cleft."""
    middle, radius = boutons.middles_nm[bouton], float(boutons.radii_nm[bouton])
    rng = np.random.default_rng([config.seed, 7, bouton])
    reach = float(_reach_nm(boutons.radii_nm[bouton : bouton + 1])[0])
    axis = np.arange(-reach, reach, SPACING_NM)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    points = middle + grid + rng.uniform(-0.34, 0.34, grid.shape) * SPACING_NM
    far = np.linalg.norm(points - boutons.towards_nm[bouton], axis=1)
    crowd = rng.uniform(*CROWDS[config.preset])
    points = points[rng.random(len(points)) < crowd * np.clip(1.45 - far / (1.5 * radius + 60), 0, 1)]
    deep = _depths(points, tubes, int(boutons.owners[bouton])) < -32
    return np.asarray(points[deep], np.float64)


def _depths(points: Array, tubes: Tubes, owner: int) -> Array:
    """Distance (nm) of points to the surface of one object; infinite beyond its links' bounding boxes."""
    best = np.full(len(points), np.inf)
    if len(points) == 0:
        return best
    first, last = np.searchsorted(tubes.groups, [owner, owner + 1])
    near = (tubes.lows_nm[first:last] < points.max(axis=0)) & (tubes.highs_nm[first:last] > points.min(axis=0))
    for link in first + np.flatnonzero(near.all(axis=1)):
        axis = tubes.axes_nm[link].astype(np.float64)
        scaled = axis / max(float((axis * axis).sum()), 1e-6)
        away = [points[:, i] - tubes.starts_nm[link, i] for i in range(3)]
        along = np.clip(away[0] * scaled[0] + away[1] * scaled[1] + away[2] * scaled[2], 0, 1)
        for i in range(3):
            away[i] -= along * axis[i]
        square = away[0] ** 2 + away[1] ** 2 + away[2] ** 2
        np.minimum(best, np.sqrt(square) - tubes.radii_nm[link] - along * tubes.growths_nm[link], out=best)
    return best


def stamp_vesicles(middles_nm: Array, box: Box, resolution_nm: NmTriple) -> tuple[Floats, Floats]:
    """Paint vesicles: rims and insides, each float32 (z, y, x) from 0 to 1."""
    margin = [int(STAMP_NM / r) + 1 for r in resolution_nm]
    wide = box.grow((2 * margin[0] + 1, 2 * margin[1] + 1, 2 * margin[2] + 1))
    rims, insides = np.zeros(wide.shape, np.float32), np.zeros(wide.shape, np.float32)
    dy, dx = (a.ravel() for a in np.mgrid[-margin[1] : margin[1] + 1, -margin[2] : margin[2] + 1])
    home = np.floor(middles_nm / np.asarray(resolution_nm)).astype(np.int64)
    rest = (home + 0.5) * np.asarray(resolution_nm) - middles_nm
    for dz in range(-margin[0], margin[0] + 1):
        height = np.abs(rest[:, 0] + dz * resolution_nm[0])
        cut = height < RADIUS_NM + 4
        away = rest[cut, 1, None] + dy * resolution_nm[1], rest[cut, 2, None] + dx * resolution_nm[2]
        flat = np.sqrt(away[0] * away[0] + away[1] * away[1])
        ring = np.sqrt(RADIUS_NM**2 - (0.75 * height[cut, None]) ** 2)
        place = home[cut] - np.array(wide.start) + np.array([dz, 0, 0])
        index = (place[:, 0] * wide.shape[1] + place[:, 1]) * wide.shape[2] + place[:, 2]
        index = (index[:, None] + (dy * wide.shape[2] + dx)).ravel()
        rim = bump(((flat - ring) / RIM_NM).astype(np.float32))
        np.maximum.at(rims.reshape(-1), index, rim.ravel())
        np.maximum.at(insides.reshape(-1), index, (flat < ring).astype(np.float32).ravel())
    inner = box.slices(wide.start)
    return rims[inner], insides[inner]
