"""Paints the tissue as an electron microscope shows it, before the faults of the sections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from connectome.geometry import Box
from connectome.phantom.beads import Kind
from connectome.phantom.config import PhantomConfig
from connectome.phantom.density import Density
from connectome.phantom.field import Field
from connectome.phantom.microtubules import microtubule_points, stamp_points
from connectome.phantom.noise import Floats, bump, smooth_noise, wave
from connectome.phantom.organelles import Organelle
from connectome.phantom.tubes import distance_to
from connectome.phantom.vesicles import Vesicles, stamp_vesicles
from connectome.phantom.world import World

MYELIN_NM = 78.0
GLIA_GREY = 166.0
MEMBRANE_GREY = 46.0
MEMBRANE_NM = 5.2
LEAFLET_NM = 5.6
FLECKS = np.array([82.0, 105.0, 105.0, 100.0, 90.0], np.float32)  # by Kind


class Painter:
    """Paints boxes of one tissue."""

    def __init__(self, world: World, config: PhantomConfig) -> None:
        """Know the tissue."""
        self._world, self._config = world, config
        self._kinds = np.append(world.kinds, Kind.GLIA)
        self._grey = np.append(world.brightness, np.float32(GLIA_GREY))
        self._vesicles = Vesicles(world.boutons, world.tubes_in_volume, config)

    def paint(self, field: Field, densities: list[Density]) -> Floats:
        """Grey values float32 (z, y, x) of a box, roughly 0 to 255."""
        kinds = self._kinds[field.first]
        image = self._cytoplasm(field, kinds)
        self._stamp(image, field, kinds)
        _paint_organelles(image, field, self._world, self._config.seed)
        _paint_myelin(image, field, kinds)
        _paint_membranes(image, field)
        _paint_densities(image, field.box, densities)
        return image

    def _cytoplasm(self, field: Field, kinds: NDArray[np.int64]) -> Floats:
        """Mean grey of each object with dark flecks."""
        seed = self._config.seed
        coarse = smooth_noise(field.box, (2, 9, 9), seed + 102)
        flecks = smooth_noise(field.box, (1, 2, 2), seed + 101)
        flecks += np.float32(0.45) * coarse
        np.maximum(flecks, np.float32(-0.02), out=flecks)
        return np.asarray(self._grey[field.first] - FLECKS[kinds] * flecks - np.float32(9) * coarse, np.float32)

    def _stamp(self, image: Floats, field: Field, kinds: NDArray[np.int64]) -> None:
        """Vesicles in axons; microtubules everywhere but in glia and membranes."""
        resolution_nm = self._config.resolution_nm
        deep = field.edge_nm > 11
        rims, insides = stamp_vesicles(self._vesicles.near(field.box), field.box, resolution_nm)
        axonal = deep & (kinds == Kind.AXON)
        rims *= axonal
        insides *= axonal
        image += insides * (np.float32(165) - image) * np.float32(0.8)
        image -= rims * (image - np.float32(58)) * np.float32(0.9)
        lines = microtubule_points(field.box, self._world.tubes_in_volume, self._world.kinds, self._config)
        dots = stamp_points(lines, field.box, resolution_nm)
        dots *= deep & (kinds != Kind.GLIA)
        image -= np.minimum(dots * np.float32(1.3), np.float32(1)) * (image - np.float32(42))


def _paint_organelles(image: Floats, field: Field, world: World, seed: int) -> None:
    """Mitochondria, reticulum and lysosomes of the box, each inside its owner."""
    organelles = world.organelles
    low, high = field.samples.bounds_nm
    hitting = organelles.tubes.hitting(low, high, 110.0)
    bend = smooth_noise(field.box, (4, 8, 8), seed + 103)
    groups = list(organelles.tubes.by_group(hitting))
    for index, links in sorted(groups, key=lambda group: -organelles.types[group[0]]):
        found = distance_to(field.samples, organelles.tubes, links, 16.0)
        if found is None:
            continue
        window, distance, _ = found
        distance = np.maximum(distance, np.float32(15) - field.edge_nm[window])
        distance = np.where(field.first[window] == organelles.owners[index], distance, np.float32(99))
        kind = Organelle(int(organelles.types[index]))
        inside = _inside(kind, field.samples.tissue_nm[(slice(None), *window)], bend[window], (seed, index))
        cover = np.clip(np.float32(0.5) - distance / np.float32(9), 0, 1)
        rim = bump((distance + np.float32(5)) / np.float32(7))
        part = image[window]
        part += cover * (inside - part)
        part -= rim * (part - np.float32(34)) * np.float32(0.9)


def _inside(kind: Organelle, tissue_nm: Floats, bend: Floats, key: tuple[int, int]) -> Floats | np.float32:
    """The grey inside an organelle; `key` is the seed and the organelle, `bend` distorts its cristae."""
    if kind is Organelle.RETICULUM:
        return np.float32(180)
    if kind is Organelle.LYSOSOME:
        return np.float32(48)
    rng = np.random.default_rng([key[0], 8, key[1]])
    across = rng.normal(size=3)
    across *= 1 / rng.uniform(44, 70) / np.linalg.norm(across)
    phase = np.float32(0.8) * bend
    for i in range(3):
        phase += tissue_nm[i] * np.float32(across[i])
    stripes = wave(phase)
    return np.asarray(np.float32(rng.uniform(80, 98)) - np.float32(rng.uniform(5, 14)) * stripes, np.float32)


def _paint_myelin(image: Floats, field: Field, kinds: NDArray[np.int64]) -> None:
    sheath = kinds == Kind.MYELINATED
    if sheath.any():
        cover = np.clip((field.depth_nm + np.float32(MYELIN_NM)) / np.float32(12), 0, 1) * sheath
        image -= cover * (image - np.float32(36))


def is_myelin(field: Field, world: World) -> NDArray[np.bool_]:
    """Which voxels are sheath, and so no part of the axon."""
    sheathed = np.append(world.kinds == Kind.MYELINATED, False)
    return np.asarray(sheathed[field.first] & (field.depth_nm > -MYELIN_NM))


def _paint_membranes(image: Floats, field: Field) -> None:
    """Two dark leaflets with a gap between them, smeared where the section cuts them at a slant."""
    flat_edge, flat_tilt = field.edge_nm.reshape(-1), np.maximum(field.tilt_nm.reshape(-1), np.float32(2))
    near = np.flatnonzero(flat_edge < flat_tilt + np.float32(LEAFLET_NM + 2.2 * MEMBRANE_NM))
    edge, tilt = flat_edge[near], flat_tilt[near]
    steps = np.arange(-64, 64, 0.5)
    leaflets = sum(erf((steps + side * LEAFLET_NM) / MEMBRANE_NM) for side in (-1, 1))
    table = (np.asarray(leaflets) * (MEMBRANE_NM * np.sqrt(np.pi) / 4) * 1.0).astype(np.float32)
    upper = table[((edge + tilt) * 2 + 128.5).astype(np.int32).clip(0, 255)]
    lower = table[((edge - tilt) * 2 + 128.5).astype(np.int32).clip(0, 255)]
    share = np.minimum((upper - lower) / tilt, np.float32(1))
    flat = image.reshape(-1)
    flat[near] -= share * (flat[near] - np.float32(MEMBRANE_GREY))


def _paint_densities(image: Floats, box: Box, densities: list[Density]) -> None:
    """Darken contacts by their ink."""
    for density in densities:
        local = density.ink_voxels - np.array(box.start)
        inside = np.all((local >= 0) & (local < np.array(box.shape)), axis=1)
        place = tuple(local[inside].T)
        image[place] -= density.ink[inside] * (image[place] - np.float32(56))
