"""The tissue: neurites, organelles and places of synapses in nm, all drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectome.phantom.beads import Beads, GrowingBeads, Neurite
from connectome.phantom.config import PhantomConfig, PhantomPreset
from connectome.phantom.neurites import draw_neurites
from connectome.phantom.organelles import Organelles, place_organelles
from connectome.phantom.packing import pack
from connectome.phantom.rosettes import grow_rosettes
from connectome.phantom.sites import Site, SiteKind, draw_sites
from connectome.phantom.spines import grow_spines
from connectome.phantom.tubes import Tubes, unwarp
from connectome.phantom.vesicles import Boutons

Array = NDArray[np.float64]
CYTOPLASM = {
    PhantomPreset.CORTEX: ((157.0, 178.0, 182.0, 176.0), 7.0),
    PhantomPreset.INSECT: ((152.0, 168.0, 166.0, 168.0), 13.0),
}
"""Mean grey value of the cytoplasm by Kind, and its standard deviation."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that the volumes show.

    Attributes:
        tubes: the neurites, group = object.
        tubes_in_volume: the same with their beads where they appear in the volume, up to a few ten nm.
        kinds: int64 (objects,), Kind. brightness: float32 (objects,), mean grey value of the cytoplasm.
    """

    tubes: Tubes
    tubes_in_volume: Tubes
    organelles: Organelles
    sites: list[Site]
    boutons: Boutons
    kinds: NDArray[np.int64]
    brightness: NDArray[np.float32]


def build_world(config: PhantomConfig) -> World:
    """Draw, join and pack the tissue of a phantom."""
    neurites = draw_neurites(config)
    beads = pack(grow_beads(neurites, config))
    rng = np.random.default_rng([config.seed, 4])
    sites = draw_sites(beads, config, rng)
    greys, spread = CYTOPLASM[config.preset]
    brightness = np.array(greys)[beads.kinds] + rng.normal(0, spread, len(beads.kinds))
    return World(
        tubes=_tubes(beads, beads.points_nm),
        tubes_in_volume=_tubes(beads, unwarp(beads.points_nm, config.resolution_nm, config.seed)),
        organelles=place_organelles(beads, config),
        sites=sites,
        boutons=_boutons(beads, sites, config),
        kinds=beads.kinds,
        brightness=brightness.astype(np.float32),
    )


def grow_beads(neurites: list[Neurite], config: PhantomConfig) -> Beads:
    """The beads of all neurites, with spines or twigs added towards the boutons near them."""
    beads = GrowingBeads(neurites)
    rng = np.random.default_rng([config.seed, 2])
    match config.preset:
        case PhantomPreset.CORTEX:
            grow_spines(beads, rng)
        case PhantomPreset.INSECT:
            grow_rosettes(beads, rng)
    return beads.finish()


def _tubes(beads: Beads, points_nm: Array) -> Tubes:
    """The links between beads that lie at `points_nm`."""
    a, b = beads.links.T
    return Tubes.between(points_nm[a], points_nm[b], _link_radii(beads), beads.owners[a])


def _link_radii(beads: Beads) -> Array:
    """Radii (links, 2) at both ends; the link that roots a spine in its dendrite stays thin."""
    radii = beads.radii_nm[beads.links]
    roots = radii[beads.axis_links :]
    roots[:, 1] = np.minimum(roots[:, 1], 65.0)
    return np.asarray(radii)


def _boutons(beads: Beads, sites: list[Site], config: PhantomConfig) -> Boutons:
    """All boutons; their vesicles gather at their cleft, or in the middle of those with none or several."""
    contacts = {site.bouton: site.contact_nm for site in reversed(sites) if site.kind is SiteKind.SYNAPSE}
    middles = beads.points_nm[beads.boutons]
    towards = [contacts.get(int(bead), tuple(middle)) for bead, middle in zip(beads.boutons, middles, strict=True)]
    in_volume = unwarp(np.array([*middles, *towards], np.float64).reshape(-1, 3), config.resolution_nm, config.seed)
    return Boutons(
        middles_nm=in_volume[: len(middles)],
        radii_nm=beads.radii_nm[beads.boutons],
        owners=beads.owners[beads.boutons],
        towards_nm=in_volume[len(middles) :],
    )
