"""Joins boutons with dendrites: on the shaft where it is near, else through a spine that grows to meet the bouton."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from connectome.phantom.beads import GrowingBeads, Kind

SPINE_REACH_NM = 1500.0
SHAFT_REACH_NM = 170.0
NECK_BEAD_NM = 90.0
NECK_RADIUS_NM = 58.0


def grow_spines(beads: GrowingBeads, rng: np.random.Generator) -> None:
    """Bond each bouton with the dendrites near it."""
    grower = _Grower(beads, rng)
    for bouton in beads.boutons:
        grower.join(int(bouton))


class _Grower:
    """Adds the spines one after the other."""

    def __init__(self, beads: GrowingBeads, rng: np.random.Generator) -> None:
        self.beads, self.rng = beads, rng
        kinds = beads.kinds[beads.owners]
        self.targets = np.flatnonzero((kinds == Kind.DENDRITE) | (kinds == Kind.TRUNK))
        self.tree = cKDTree(beads.points[self.targets]) if len(self.targets) else None

    def join(self, bouton: int) -> None:
        """Give a bouton no partner (rarely), one, or two."""
        beads = self.beads
        wanted = self.rng.choice([0, 1, 2], p=[0.08, 0.76, 0.16])
        if self.tree is None or wanted == 0:
            return
        reach = SPINE_REACH_NM + 400.0
        near = self.targets[self.tree.query_ball_point(beads.points[bouton], reach, return_sorted=True)]
        gaps = np.linalg.norm(beads.points[near] - beads.points[bouton], axis=1)
        gaps = gaps - beads.radii[near] - beads.radii[bouton]
        used: set[int] = set()
        for place in np.argsort(gaps + self.rng.uniform(0, 350, size=len(gaps)), kind="stable"):
            target = int(near[place])
            if len(used) == wanted:
                return
            if gaps[place] > SPINE_REACH_NM or int(beads.owners[target]) in used:
                continue
            used.add(int(beads.owners[target]))
            if gaps[place] < SHAFT_REACH_NM:
                beads.bonds.append((bouton, target))
            else:
                self._spine(bouton, target)

    def _spine(self, bouton: int, target: int) -> None:
        """A head at the bouton's surface and a neck from the dendrite's axis to it."""
        beads, owner = self.beads, int(self.beads.owners[target])
        towards = beads.points[target] - beads.points[bouton]
        towards = towards / np.linalg.norm(towards) + 0.45 * self.rng.normal(size=3)
        towards /= np.linalg.norm(towards)
        head_radius = float(np.clip(220 * np.exp(self.rng.normal(0, 0.3)), 135, 330))
        head = beads.points[bouton] + towards * (beads.radii[bouton] + head_radius)
        neck = beads.points[target] - head
        length = float(np.linalg.norm(neck))
        steps = max(int(length / NECK_BEAD_NM), 1)
        before = beads.add(head, head_radius, owner)
        beads.bonds.append((bouton, before))
        for step in range(1, steps):
            at = length * step / steps
            if at > length - beads.radii[target] + 40:
                break
            if at > head_radius * 0.9:
                bead = beads.add(head + neck * (step / steps), NECK_RADIUS_NM, owner)
                beads.link(before, bead)
                before = bead
        beads.link(before, target)
