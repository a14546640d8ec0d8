"""Neurites before they are packed: random smooth centre lines with radii, as chains of beads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.phantom.beads import Kind, Neurite
from connectome.phantom.config import PhantomConfig, PhantomPreset

Array = NDArray[np.float64]
MARGIN_NM = 700.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The recipe for neurites of a kind.

    Attributes:
        fraction: share of the tissue that their tubes fill.
        radius_nm: median radius; `spread` is the standard deviation of its logarithm.
        bead_nm: distance of the beads along the centre line.
        wander: how far the centre line strays, relative to the wavelength.
    """

    fraction: float
    radius_nm: float
    spread: float
    bead_nm: float
    wander: float


@dataclass(frozen=True, kw_only=True)
class Swelling:
    """The widening of an axon at a bouton: smallest and largest radius and half-width along the axon, in nm."""

    radius_nm: tuple[float, float]
    width_nm: tuple[float, float]


RECIPES = {
    PhantomPreset.CORTEX: {
        Kind.TRUNK: Recipe(fraction=0.10, radius_nm=760.0, spread=0.15, bead_nm=260.0, wander=0.03),
        Kind.MYELINATED: Recipe(fraction=0.022, radius_nm=380.0, spread=0.15, bead_nm=200.0, wander=0.03),
        Kind.DENDRITE: Recipe(fraction=0.24, radius_nm=290.0, spread=0.30, bead_nm=170.0, wander=0.05),
        Kind.AXON: Recipe(fraction=0.40, radius_nm=88.0, spread=0.33, bead_nm=115.0, wander=0.07),
    },
    PhantomPreset.INSECT: {
        Kind.TRUNK: Recipe(fraction=0.07, radius_nm=330.0, spread=0.25, bead_nm=150.0, wander=0.03),
        Kind.DENDRITE: Recipe(fraction=0.33, radius_nm=76.0, spread=0.38, bead_nm=80.0, wander=0.08),
        Kind.AXON: Recipe(fraction=0.36, radius_nm=78.0, spread=0.30, bead_nm=80.0, wander=0.08),
    },
}
SWELLINGS = {
    PhantomPreset.CORTEX: Swelling(radius_nm=(165, 330), width_nm=(200, 400)),
    PhantomPreset.INSECT: Swelling(radius_nm=(190, 360), width_nm=(220, 520)),
}


def draw_neurites(config: PhantomConfig) -> list[Neurite]:
    """All neurites that cross the volume and a margin around it, thick ones first; they still overlap."""
    rng = np.random.default_rng([config.seed, 1])
    low = np.full(3, -MARGIN_NM)
    high = np.array(config.extent_nm) + MARGIN_NM
    neurites: list[Neurite] = []
    for kind, recipe in RECIPES[config.preset].items():
        wanted = recipe.fraction * float(np.prod(high - low))
        filled = 0.0
        while filled < wanted:
            neurite = _draw(kind, low, high, config, rng)
            volume = float(np.pi * np.sum(neurite.radii_nm**2) * recipe.bead_nm)
            if rng.random() * volume <= wanted - filled:
                neurites.append(neurite)
            filled += volume
    return neurites


def _draw(kind: Kind, low: Array, high: Array, config: PhantomConfig, rng: np.random.Generator) -> Neurite:
    """One neurite through a random point of the box `low`..`high` (nm), cut to the box."""
    recipe = RECIPES[config.preset][kind]
    reach = float(np.linalg.norm(high - low))
    along = np.arange(-reach, reach, recipe.bead_nm)
    through = rng.uniform(low, high)
    points = through + _centre_line(along, recipe.wander, rng)
    inside = np.all((points >= low) & (points <= high), axis=1)
    middle = int(np.argmin(np.abs(along)))
    inside[middle] = True
    breaks = np.flatnonzero(~inside)
    first = int(breaks[breaks < middle].max(initial=-1)) + 1
    last = int(breaks[breaks > middle].min(initial=len(along)))
    first, last = max(first - 1, 0), max(last, first + 2)
    along, points = along[first:last], points[first:last]
    radius = recipe.radius_nm * float(np.exp(recipe.spread * np.clip(rng.normal(), -2, 2)))
    wave = sum(rng.uniform(0, 0.12) * np.sin(along / rng.uniform(150, 700) + rng.uniform(0, 6.3)) for _ in range(3))
    radii = radius * (1 + np.asarray(wave))
    boutons = np.zeros(0, np.int64)
    if kind is Kind.AXON:
        radii, boutons = _swell(along, radii, config, rng)
    return Neurite(kind=kind, points_nm=points, radii_nm=radii, boutons=boutons)


def _centre_line(along: Array, wander: float, rng: np.random.Generator) -> Array:
    """A random direction with slow waves around it: float64 (points, 3) nm, 0 where `along` is 0."""
    frame = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    line = along[:, None] * frame[0]
    for side in frame[1:]:
        for _ in range(2):
            wavelength, phase = rng.uniform(1500, 7000), rng.uniform(0, 2 * np.pi)
            wave = np.sin(2 * np.pi * along / wavelength + phase) - np.sin(phase)
            line = line + (wander * wavelength * rng.normal() * wave)[:, None] * side
    return np.asarray(line)


def _swell(
    along: Array, radii: Array, config: PhantomConfig, rng: np.random.Generator
) -> tuple[Array, NDArray[np.int64]]:
    """Widen an axon at its boutons; the radii and the beads in their middles."""
    spacing_nm, swelling = config.spacing_nm, SWELLINGS[config.preset]
    places = along[0] + np.cumsum(1000 + rng.exponential(spacing_nm - 1000, size=int(len(along) * 0.15) + 4)) - 1000
    boutons = np.unique(np.searchsorted(along, places[places < along[-1]]))
    boutons = boutons[(boutons > 0) & (boutons < len(along) - 1)]
    for bouton in boutons:
        peak, width = rng.uniform(*swelling.radius_nm), rng.uniform(*swelling.width_nm)
        bump = np.exp(-(((along - along[bouton]) / width) ** 2))
        radii = np.maximum(radii, radii + (peak - radii) * bump)
    return radii, boutons
