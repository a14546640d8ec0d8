"""Packs the neurites: overlapping beads push each other apart while chains and synapses hold together.

A relaxation by positions (as in position-based dynamics: Mueller et al. 2007, J. Vis. Commun. Image Represent. 18:109).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from connectome.phantom.beads import Beads

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

ROUNDS = 10
STEPS_A_ROUND = 5
SLACK_NM = 60.0
CLASSES_NM = (130.0, 220.0, 350.0)
GRAIN_NM = 0.125


def pack(beads: Beads) -> Beads:
    """The same beads, moved so that different objects hardly overlap.

    Positions are rounded to 1/8 nm after each step, so that the last bits of other processors change nothing.
    """
    points = beads.points_nm.copy()
    masses = beads.radii_nm**2
    rest = _lengths(points, beads.links)
    touching = beads.radii_nm[beads.bonds].sum(axis=1) - 45.0
    for _ in range(ROUNDS):
        pairs = _near_pairs(points, beads)
        for _ in range(STEPS_A_ROUND):
            _push_apart(points, pairs, beads.radii_nm, masses)
            _straighten(points, beads.links[: beads.axis_links])
            _hold(points, beads.links, rest, masses, 0.4)
            _hold(points, beads.bonds, touching, masses, 0.7)
            np.round(points / GRAIN_NM, out=points)
            points *= GRAIN_NM
    return replace(beads, points_nm=points)


def _near_pairs(points: Array, beads: Beads) -> Indices:
    """int64 (pairs, 2), sorted: beads of different objects that overlap or nearly do.

    Searched by classes of size, so that the few thick beads don't widen the search around all thin ones.
    """
    found = [np.zeros((0, 2), np.int64)]
    thinner = np.zeros(0, np.int64)
    lower = 0.0
    for upper in (*CLASSES_NM, np.inf):
        own = np.flatnonzero((beads.radii_nm > lower) & (beads.radii_nm <= upper))
        if len(own):
            widest = float(beads.radii_nm[own].max())
            found.append(own[cKDTree(points[own]).query_pairs(2 * widest + SLACK_NM, output_type="ndarray")])
            if len(thinner):
                reach = beads.radii_nm[own] + lower + SLACK_NM
                near = cKDTree(points[thinner]).query_ball_point(points[own], reach, return_sorted=True)
                counts = [len(n) for n in near]
                found.append(np.stack([np.repeat(own, counts), thinner[np.concatenate(near).astype(np.int64)]], axis=1))
            thinner = np.concatenate([thinner, own])
            found = [_close(np.concatenate(found), points, beads)]
        lower = upper
    pairs = np.sort(found[0], axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _close(pairs: Indices, points: Array, beads: Beads) -> Indices:
    """Those pairs of different objects with a gap below the slack."""
    pairs = pairs[beads.owners[pairs[:, 0]] != beads.owners[pairs[:, 1]]]
    gaps = _lengths(points, pairs) - beads.radii_nm[pairs].sum(axis=1)
    close: Indices = pairs[gaps < SLACK_NM]
    return close


def _lengths(points: Array, pairs: Indices) -> Array:
    return np.asarray(np.linalg.norm(points[pairs[:, 1]] - points[pairs[:, 0]], axis=1))


def _push_apart(points: Array, pairs: Indices, radii: Array, masses: Array) -> None:
    """Move overlapping pairs apart by half their overlap, the lighter bead further."""
    delta = points[pairs[:, 1]] - points[pairs[:, 0]]
    length = np.maximum(np.linalg.norm(delta, axis=1), 1e-3)
    overlap = radii[pairs].sum(axis=1) - length
    hit = overlap > 0
    pairs, push = pairs[hit], delta[hit] / length[hit, None] * (0.4 * overlap[hit])[:, None]
    _move(points, pairs, push, masses)


def _hold(points: Array, pairs: Indices, rest: Array, masses: Array, stiffness: float) -> None:
    """Draw pairs towards their rest distance."""
    delta = points[pairs[:, 1]] - points[pairs[:, 0]]
    length = np.maximum(np.linalg.norm(delta, axis=1), 1e-3)
    _move(points, pairs, delta * (stiffness * (rest - length) / length)[:, None], masses)


def _move(points: Array, pairs: Indices, push: Array, masses: Array) -> None:
    """Add `push` (nm) to the second of each pair and take it from the first, shared by mass."""
    share = masses[pairs[:, 0]] / (masses[pairs[:, 0]] + masses[pairs[:, 1]])
    for axis in range(3):
        points[:, axis] += np.bincount(pairs[:, 1], push[:, axis] * share, len(points))
        points[:, axis] -= np.bincount(pairs[:, 0], push[:, axis] * (1 - share), len(points))


def _straighten(points: Array, links: Indices) -> None:
    """Draw each bead with two neighbours a little towards their middle."""
    count = np.bincount(links.ravel(), minlength=len(points))
    inner = count == 2
    for axis in range(3):
        column = points[:, axis]
        total = np.bincount(links[:, 0], column[links[:, 1]], len(points))
        total += np.bincount(links[:, 1], column[links[:, 0]], len(points))
        column[inner] += 0.12 * (total[inner] / 2 - column[inner])
