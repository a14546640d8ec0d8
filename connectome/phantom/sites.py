"""Places of synapses and other dark contacts in the packed tissue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from connectome.geometry import NmTriple
from connectome.phantom.beads import Beads, Kind
from connectome.phantom.config import PhantomConfig, PhantomPreset
from connectome.phantom.sections import shift_at
from connectome.phantom.tubes import WARP_BOUND_NM

Array = NDArray[np.float64]
GAP_VOXELS = 4.0
LEAST_RADIUS_NM = 120.0
ZONE_RADII_NM = (150.0, 215.0)


class SiteKind(StrEnum):
    """The kind of a place where objects touch.

    `synapse`: a density and a cleft between two objects. `active_zone`: a T-bar, and one cleft between it and all
    objects that face it. `adherent`: a dark contact, but no synapse and no label.
    """

    SYNAPSE = "synapse"
    ACTIVE_ZONE = "active_zone"
    ADHERENT = "adherent"


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place where objects touch and a density is painted.

    Attributes:
        site_id: from 1 on; the cleft id of a synapse.
        pre, post: object indices; post is None at an active zone, whose partners are those that come to face it.
        contact_nm: middle of the contact (z, y, x) in the tissue.
        inward: unit vector (z, y, x) from there into the bouton; zeros where there is no T-bar.
        radius_nm: of the disc that the cleft may fill.
        strength: darkness of the density, 0 to 1.
        bouton: the bead in the middle of its bouton.
    """

    site_id: int
    kind: SiteKind
    pre: int
    post: int | None
    contact_nm: NmTriple
    inward: NmTriple = (0.0, 0.0, 0.0)
    radius_nm: float
    strength: float
    bouton: int

    @property
    def is_synapse(self) -> bool:
        """True if it has a cleft and partners."""
        return self.kind is not SiteKind.ADHERENT


def draw_sites(beads: Beads, config: PhantomConfig, rng: np.random.Generator) -> list[Site]:
    """All places of synapses and adherent contacts between packed beads, numbered."""
    match config.preset:
        case PhantomPreset.CORTEX:
            sites = _synaptic_sites(beads, rng)
        case PhantomPreset.INSECT:
            sites = _active_zones(beads, rng)
    return _spread_out(sites + _adherent_sites(beads, rng), config)


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


def _active_zones(beads: Beads, rng: np.random.Generator) -> list[Site]:
    """The active zones of insect boutons."""
    sites = []
    for bouton, zone in beads.zones:
        outward = beads.points_nm[zone] - beads.points_nm[bouton]
        outward = outward / max(float(np.linalg.norm(outward)), 1e-3)
        contact = beads.points_nm[zone] + outward * beads.radii_nm[zone]
        site = Site(
            site_id=0,
            kind=SiteKind.ACTIVE_ZONE,
            pre=int(beads.owners[bouton]),
            post=None,
            contact_nm=_nm(contact),
            inward=_nm(-outward),
            radius_nm=float(rng.uniform(*ZONE_RADII_NM)),
            strength=float(rng.uniform(0.7, 1.0)),
            bouton=int(bouton),
        )
        sites.append(site)
    return sites


def _nm(vector: Array) -> NmTriple:
    z, y, x = (float(v) for v in vector)
    return z, y, x


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
    return Site(
        site_id=0,
        kind=SiteKind.ADHERENT if rng is None else SiteKind.SYNAPSE,
        pre=int(beads.owners[a]),
        post=int(beads.owners[b]),
        contact_nm=_nm(_contact(beads, a, b)),
        radius_nm=radius_nm,
        strength=float(rng.uniform(0.6, 1.0)) if rng is not None else 0.75,
        bouton=a,
    )


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
