"""The tissue: neurites, organelles and places of synapses in nm, all drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from connectome.phantom.config import PhantomConfig
from connectome.phantom.neurites import Kind, draw_neurites
from connectome.phantom.organelles import Organelles, place_organelles
from connectome.phantom.packing import pack
from connectome.phantom.sections import shift_at
from connectome.phantom.spines import Beads, grow_beads
from connectome.phantom.tubes import WARP_BOUND_NM, Tubes, unwarp

Array = NDArray[np.float64]
GAP_VOXELS = 4.0
LEAST_RADIUS_NM = 120.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place where two objects touch and a density is painted.

    Attributes:
        site_id: from 1 on; the cleft id of a synapse.
        pre, post: object indices.
        contact_nm: middle of the contact (z, y, x) in the tissue.
        radius_nm: of the disc that the cleft may fill.
        strength: darkness of the density, 0 to 1.
        bouton: the bead in the middle of its bouton.
        is_synapse: false for an adherent contact: dark, but no synapse and no label.
    """

    site_id: int
    pre: int
    post: int
    contact_nm: tuple[float, float, float]
    radius_nm: float
    strength: float
    bouton: int
    is_synapse: bool


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
    sites = _spread_out(_synaptic_sites(beads, rng) + _adherent_sites(beads, rng), config)
    means = np.array([157.0, 178.0, 182.0, 176.0])
    brightness = means[beads.kinds] + rng.normal(0, 7, len(beads.kinds))
    return World(
        tubes=_tubes(beads, beads.points_nm),
        tubes_in_volume=_tubes(beads, unwarp(beads.points_nm, config.resolution_nm, config.seed)),
        organelles=place_organelles(beads, config.seed), sites=sites, boutons=_boutons(beads, sites, config),
        kinds=beads.kinds, brightness=brightness.astype(np.float32),
    )  # fmt: skip


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


def _contact(beads: Beads, a: int, b: int) -> Array:
    """The point where the surfaces of two beads meet or come nearest."""
    share = beads.radii_nm[a] / (beads.radii_nm[a] + beads.radii_nm[b])
    return np.asarray(beads.points_nm[a] + (beads.points_nm[b] - beads.points_nm[a]) * share)


def _synaptic_sites(beads: Beads, rng: np.random.Generator) -> list[Site]:
    sites = []
    for bouton, partner in beads.bonds:
        width = min(max(min(beads.radii_nm[bouton], beads.radii_nm[partner]), 140.0), 290.0)
        sites.append(_site(beads, (int(bouton), int(partner)), float(width * rng.uniform(1.05, 1.5)), rng))
    return sites


def _adherent_sites(beads: Beads, rng: np.random.Generator) -> list[Site]:
    """Rare dark contacts of neighbours that are no synapses."""
    wide = np.flatnonzero((beads.radii_nm > 130) & (beads.kinds[beads.owners] != Kind.MYELINATED))
    pairs = wide[cKDTree(beads.points_nm[wide]).query_pairs(600.0, output_type="ndarray")]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    gaps = np.linalg.norm(beads.points_nm[pairs[:, 0]] - beads.points_nm[pairs[:, 1]], axis=1)
    gaps -= beads.radii_nm[pairs].sum(axis=1)
    pairs = pairs[(beads.owners[pairs[:, 0]] != beads.owners[pairs[:, 1]]) & (gaps < 5)]
    chosen = pairs[rng.random(len(pairs)) < 0.012]
    return [_site(beads, (int(a), int(b)), float(rng.uniform(80, 130)), None) for a, b in chosen]


def _site(beads: Beads, pair: tuple[int, int], radius_nm: float, rng: np.random.Generator | None) -> Site:
    """A synapse of a pair of beads, or an adherent contact if there is no generator."""
    a, b = pair
    z, y, x = (float(v) for v in _contact(beads, a, b))
    return Site(
        site_id=0, pre=int(beads.owners[a]), post=int(beads.owners[b]), contact_nm=(z, y, x), radius_nm=radius_nm,
        strength=float(rng.uniform(0.6, 1.0)) if rng is not None else 0.75,
        bouton=a, is_synapse=rng is not None,
    )  # fmt: skip


def _spread_out(sites: list[Site], config: PhantomConfig) -> list[Site]:
    """Shrink or leave out sites until no two come near each other, also once sections are shifted; number the rest."""
    if not sites:
        return []
    middles = np.array([site.contact_nm for site in sites])
    radii = np.array([site.radius_nm for site in sites])
    by_section = np.array([np.hypot(*shift_at(config, z)) for z in range(config.shape[0])])
    shifts = np.array([_greatest_shift(by_section, site, config) for site in sites]) * max(config.resolution_nm[1:])
    gap = GAP_VOXELS * max(config.resolution_nm)
    for a, b in sorted(cKDTree(middles).query_pairs(2 * radii.max() + gap + shifts.max())):
        room = float(np.linalg.norm(middles[a] - middles[b])) - gap - max(shifts[a], shifts[b])
        if radii[a] == 0 or radii[b] == 0 or radii[a] + radii[b] <= room:
            continue
        if room < 2 * LEAST_RADIUS_NM:
            radii[b] = 0
        else:
            radii[a] = np.clip(radii[a] * room / (radii[a] + radii[b]), LEAST_RADIUS_NM, room - LEAST_RADIUS_NM)
            radii[b] = min(radii[b], room - radii[a])
    chosen = [(site, float(radius)) for site, radius in zip(sites, radii, strict=True) if radius > 0]
    return [replace(site, site_id=i, radius_nm=radius) for i, (site, radius) in enumerate(chosen, start=1)]


def _greatest_shift(by_section: Array, site: Site, config: PhantomConfig) -> float:
    """By how many voxels at most a section is displaced that the site may reach into."""
    reach = site.radius_nm + WARP_BOUND_NM
    first, last = (max(int((site.contact_nm[0] + side * reach) // config.resolution_nm[0]), 0) for side in (-1, 1))
    return float(by_section[first : last + 1].max(initial=0.0))


def _boutons(beads: Beads, sites: list[Site], config: PhantomConfig) -> Boutons:
    """All boutons; their vesicles gather at their first cleft, or in the middle of those without one."""
    contacts = {site.bouton: site.contact_nm for site in reversed(sites) if site.is_synapse}
    middles = beads.points_nm[beads.boutons]
    towards = [contacts.get(int(bead), tuple(middle)) for bead, middle in zip(beads.boutons, middles, strict=True)]
    in_volume = unwarp(np.array([*middles, *towards], np.float64).reshape(-1, 3), config.resolution_nm, config.seed)
    return Boutons(
        middles_nm=in_volume[: len(middles)],
        radii_nm=beads.radii_nm[beads.boutons],
        owners=beads.owners[beads.boutons],
        towards_nm=in_volume[len(middles) :],
    )
