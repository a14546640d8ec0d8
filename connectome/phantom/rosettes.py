"""Joins boutons as in insects: active zones on their surface, each with a rosette of small tips of twigs around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from connectome.phantom.beads import GrowingBeads, Kind

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

ZONE_RADIUS_NM = 120.0
ZONE_PROUD_NM = 0.0
GREATEST_COSINE = 0.25
BULKY_NM = 140.0
ROOM_NM = 130.0
TWIG_REACH_NM = 800.0
TWIG_BEAD_NM = 65.0
TWIG_RADIUS_NM = 44.0
TIP_RADIUS_NM, TIP_SPREAD, TIP_LIMITS_NM = 74.0, 0.25, (54.0, 120.0)
RING_TURNS = {2: 0.12, 3: 0.14, 4: 0.155, 5: 0.165, 6: 0.175}  # of a full turn, away from the zone's axis
ZONES_A_BOUTON = (0.6, 0.28, 0.12)
TIPS_A_ZONE = {2: 0.1, 3: 0.2, 4: 0.28, 5: 0.24, 6: 0.18}


def grow_rosettes(beads: GrowingBeads, rng: np.random.Generator) -> None:
    """Give each bouton one to three active zones, and each of these two to six tips of other neurites."""
    targets = np.flatnonzero((beads.kinds[beads.owners] != Kind.TRUNK) & (beads.radii < BULKY_NM))
    tree = cKDTree(beads.points[targets])
    bulky = np.flatnonzero(beads.radii >= BULKY_NM)
    for bouton in beads.boutons:
        others = bulky[beads.owners[bulky] != beads.owners[bouton]]
        for outward in _directions(beads, int(bouton), others, rng):
            place = beads.points[bouton] + outward * (beads.radii[bouton] - ZONE_RADIUS_NM + ZONE_PROUD_NM)
            near = targets[tree.query_ball_point(place, TWIG_REACH_NM, return_sorted=True)]
            chosen = _partners(beads, near, (int(bouton), place, outward), rng)
            if len(chosen) < 2:
                continue
            zone = beads.add(place, ZONE_RADIUS_NM, int(beads.owners[bouton]))
            beads.link(zone, int(bouton))
            beads.zones.append((int(bouton), zone))
            for target, towards in zip(chosen, _ring(beads.points[chosen] - place, outward), strict=True):
                _grow_twig(beads, (zone, place), int(target), towards, rng)


def _directions(beads: GrowingBeads, bouton: int, bulky: Indices, rng: np.random.Generator) -> list[Array]:
    """Unit vectors from a bouton's middle to its active zones.

    They lie apart from each other, mostly off the axon, and where no bulky bead of another neurite is in the way of
    small tips.
    """
    middle, radius = beads.points[bouton], beads.radii[bouton]
    axon = beads.points[bouton + 1] - beads.points[bouton - 1]
    axon /= np.linalg.norm(axon)
    wanted = 1 + int(rng.choice(len(ZONES_A_BOUTON), p=ZONES_A_BOUTON))
    chosen: list[Array] = []
    for offered in rng.normal(size=(12, 3)):
        direction = offered - 0.75 * float(offered @ axon) * axon
        direction /= np.linalg.norm(direction)
        room = np.linalg.norm(beads.points[bulky] - (middle + direction * (radius + ROOM_NM)), axis=1)
        is_free = bool(np.all(room > beads.radii[bulky] + 0.5 * ROOM_NM))
        if is_free and len(chosen) < wanted and all(float(direction @ other) < GREATEST_COSINE for other in chosen):
            chosen.append(direction)
    return chosen


def _partners(beads: GrowingBeads, near: Indices, zone: tuple[int, Array, Array], rng: np.random.Generator) -> Indices:
    """Beads of the neurites that send a tip to a zone, one of each: those near it that don't lie behind the bouton.

    Args:
        beads: all neurites.
        near: beads in reach of the zone.
        zone: the bouton's bead, the place of the zone (nm) and the direction it faces.
        rng: decides how many.
    """
    bouton, place, outward = zone
    wanted = int(rng.choice(list(TIPS_A_ZONE), p=list(TIPS_A_ZONE.values())))
    away = beads.points[near] - place
    gaps = np.linalg.norm(away, axis=1) - beads.radii[near] + rng.uniform(0, 150, size=len(near))
    free = (beads.owners[near] != beads.owners[bouton]) & (away @ outward > -50.0)
    chosen: dict[int, int] = {}
    for position in np.argsort(gaps, kind="stable"):
        if free[position] and len(chosen) < wanted:
            chosen.setdefault(int(beads.owners[near[position]]), int(near[position]))
    return np.array(list(chosen.values()), np.int64)


def _ring(away: Array, outward: Array) -> Array:
    """Unit vectors (tips, 3) from a zone to its tips: evenly around its axis, in the order in which the twigs come."""
    side = np.cross(outward, [0.31, 0.83, 0.46])
    side /= np.linalg.norm(side) + 1e-9
    up = np.cross(outward, side)
    angles = np.arctan2(away @ up, away @ side)
    even = np.empty(len(away))
    even[np.argsort(angles, kind="stable")] = 2 * np.pi * np.arange(len(away)) / len(away)
    difference = angles - even
    even += np.arctan2(np.sin(difference).sum(), np.cos(difference).sum())
    tilt = 2 * np.pi * RING_TURNS[len(away)]
    flat = np.cos(even)[:, None] * side + np.sin(even)[:, None] * up
    return np.asarray(np.cos(tilt) * outward + np.sin(tilt) * flat, np.float64)


def _grow_twig(
    beads: GrowingBeads, zone: tuple[int, Array], target: int, towards: Array, rng: np.random.Generator
) -> None:
    """A small tip at a zone's surface and a thin twig from a neurite to it."""
    owner = int(beads.owners[target])
    radius = float(np.clip(TIP_RADIUS_NM * np.exp(rng.normal(0, TIP_SPREAD)), *TIP_LIMITS_NM))
    tip = zone[1] + towards * (ZONE_RADIUS_NM + radius)
    twig = beads.points[target] - tip
    length = float(np.linalg.norm(twig))
    before = beads.add(tip, radius, owner)
    beads.bonds.append((zone[0], before))
    steps = max(int(length / TWIG_BEAD_NM), 1)
    for step in range(1, steps):
        at = length * step / steps
        if at > length - beads.radii[target] + 20:
            break
        if at > radius * 0.8:
            bead = beads.add(tip + twig * (step / steps), TWIG_RADIUS_NM, owner)
            beads.link(before, bead)
            before = bead
    beads.link(before, target)
