"""Joins boutons with dendrites: on the shaft where it is near, else through a spine that grows to meet the bouton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from connectome.phantom.config import PhantomConfig
from connectome.phantom.neurites import Kind, Neurite

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

SPINE_REACH_NM = 1500.0
SHAFT_REACH_NM = 170.0
NECK_BEAD_NM = 90.0
NECK_RADIUS_NM = 58.0


@dataclass(frozen=True, kw_only=True)
class Beads:
    """All neurites as spheres.

    Attributes:
        points_nm: float64 (beads, 3), centres (z, y, x).
        radii_nm: float64 (beads,).
        owners: int64 (beads,), index of the object each belongs to.
        links: int64 (links, 2), neighbours along a chain.
        kinds: int64 (objects,), the Kind of each object.
        boutons: int64 (boutons,), the beads in the middle of boutons.
        bonds: int64 (synapses, 2), the bead of the bouton and that of the spine head or shaft which it must touch.
        axis_links: how many of the first links are neurites' own centre lines; the rest are spines.
    """

    points_nm: Array
    radii_nm: Array
    owners: Indices
    links: Indices
    kinds: Indices
    boutons: Indices
    bonds: Indices
    axis_links: int


def grow_beads(neurites: list[Neurite], config: PhantomConfig) -> Beads:
    """The beads of all neurites, with spines added towards the boutons near dendrites."""
    counts = np.array([len(n.radii_nm) for n in neurites])
    first = np.concatenate([[0], np.cumsum(counts)])
    points = np.concatenate([n.points_nm for n in neurites])
    radii = np.concatenate([n.radii_nm for n in neurites])
    owners = np.repeat(np.arange(len(neurites)), counts)
    follows = np.flatnonzero(owners[1:] == owners[:-1])
    links = np.stack([follows, follows + 1], axis=1)
    kinds = np.array([int(n.kind) for n in neurites])
    boutons = np.concatenate([n.boutons + f for n, f in zip(neurites, first, strict=False)]).astype(np.int64)
    grower = _Grower(points, radii, owners, kinds, np.random.default_rng([config.seed, 2]))
    for bouton in boutons:
        grower.join(int(bouton))
    return grower.beads(links, boutons)


class _Grower:
    """Adds the spines one after the other."""

    def __init__(self, points: Array, radii: Array, owners: Indices, kinds: Indices, rng: np.random.Generator) -> None:
        self.points, self.radii, self.owners, self.kinds, self.rng = points, radii, owners, kinds, rng
        self.targets = np.flatnonzero((kinds[owners] == Kind.DENDRITE) | (kinds[owners] == Kind.TRUNK))
        self.tree = cKDTree(points[self.targets]) if len(self.targets) else None
        self.count = len(radii)
        self.new_points: list[Array] = []
        self.new_radii: list[float] = []
        self.new_owners: list[int] = []
        self.new_links: list[tuple[int, int]] = []
        self.bonds: list[tuple[int, int]] = []

    def join(self, bouton: int) -> None:
        """Give a bouton no partner (rarely), one, or two."""
        wanted = self.rng.choice([0, 1, 2], p=[0.08, 0.76, 0.16])
        if self.tree is None or wanted == 0:
            return
        reach = SPINE_REACH_NM + 400.0
        near = self.targets[self.tree.query_ball_point(self.points[bouton], reach, return_sorted=True)]
        gaps = np.linalg.norm(self.points[near] - self.points[bouton], axis=1) - self.radii[near] - self.radii[bouton]
        used: set[int] = set()
        for place in np.argsort(gaps + self.rng.uniform(0, 350, size=len(gaps)), kind="stable"):
            target = int(near[place])
            if len(used) == wanted:
                return
            if gaps[place] > SPINE_REACH_NM or int(self.owners[target]) in used:
                continue
            used.add(int(self.owners[target]))
            if gaps[place] < SHAFT_REACH_NM:
                self.bonds.append((bouton, target))
            else:
                self._spine(bouton, target)

    def _spine(self, bouton: int, target: int) -> None:
        """A head at the bouton's surface and a neck from the dendrite's axis to it."""
        towards = self.points[target] - self.points[bouton]
        towards = towards / np.linalg.norm(towards) + 0.45 * self.rng.normal(size=3)
        towards /= np.linalg.norm(towards)
        head_radius = float(np.clip(220 * np.exp(self.rng.normal(0, 0.3)), 135, 330))
        head = self.points[bouton] + towards * (self.radii[bouton] + head_radius)
        neck = self.points[target] - head
        length = float(np.linalg.norm(neck))
        steps = max(int(length / NECK_BEAD_NM), 1)
        before = self._add(head, head_radius, target)
        self.bonds.append((bouton, before))
        for step in range(1, steps):
            at = length * step / steps
            if at > length - self.radii[target] + 40:
                break
            if at > head_radius * 0.9:
                bead = self._add(head + neck * (step / steps), NECK_RADIUS_NM, target)
                self.new_links.append((before, bead))
                before = bead
        self.new_links.append((before, target))

    def _add(self, point: Array, radius: float, target: int) -> int:
        self.new_points.append(point)
        self.new_radii.append(radius)
        self.new_owners.append(int(self.owners[target]))
        return self.count + len(self.new_radii) - 1

    def beads(self, links: Indices, boutons: Indices) -> Beads:
        """Everything joined."""
        return Beads(
            points_nm=np.concatenate([self.points, np.array(self.new_points).reshape(-1, 3)]),
            radii_nm=np.concatenate([self.radii, np.array(self.new_radii)]),
            owners=np.concatenate([self.owners, np.array(self.new_owners, np.int64)]),
            links=np.concatenate([links, np.array(self.new_links, np.int64).reshape(-1, 2)]),
            kinds=self.kinds,
            boutons=boutons,
            bonds=np.array(self.bonds, np.int64).reshape(-1, 2),
            axis_links=len(links),
        )
