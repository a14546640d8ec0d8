"""Neurites as spheres: one drawn, all while they grow towards each other, and all as they are packed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


class Kind(IntEnum):
    """The kind of a segment."""

    AXON = 0
    DENDRITE = 1
    TRUNK = 2
    MYELINATED = 3
    GLIA = 4


@dataclass(frozen=True, kw_only=True)
class Neurite:
    """One chain of beads.

    Attributes:
        points_nm: float64 (beads, 3), centres (z, y, x).
        radii_nm: float64 (beads,).
        boutons: indices of the beads in the middle of a bouton.
    """

    kind: Kind
    points_nm: Array
    radii_nm: Array
    boutons: NDArray[np.int64]


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
        bonds: int64 (contacts, 2), two beads that must touch: a bouton, or its active zone, and the tip of a spine or
            twig or a shaft.
        zones: int64 (zones, 2), the bead of a bouton and that of an active zone on its surface; none in cortex.
        axis_links: how many of the first links are neurites' own centre lines; the rest are spines, twigs and zones.
    """

    points_nm: Array
    radii_nm: Array
    owners: Indices
    links: Indices
    kinds: Indices
    boutons: Indices
    bonds: Indices
    zones: Indices
    axis_links: int


class GrowingBeads:
    """The beads of neurites, to which more are added.

    Attributes:
        points, radii, owners: of the neurites' own beads, as in `Beads`.
        kinds, boutons: as in `Beads`.
        bonds, zones: pairs of beads, to be added to.
    """

    def __init__(self, neurites: list[Neurite]) -> None:
        """Begin with the neurites' own beads."""
        counts = np.array([len(n.radii_nm) for n in neurites])
        first = np.concatenate([[0], np.cumsum(counts)])
        self.points = np.concatenate([n.points_nm for n in neurites])
        self.radii = np.concatenate([n.radii_nm for n in neurites])
        self.owners = np.repeat(np.arange(len(neurites)), counts)
        follows = np.flatnonzero(self.owners[1:] == self.owners[:-1])
        self._axis_links = np.stack([follows, follows + 1], axis=1)
        self.kinds = np.array([int(n.kind) for n in neurites])
        boutons = [n.boutons + f for n, f in zip(neurites, first, strict=False)]
        self.boutons = np.concatenate(boutons).astype(np.int64)
        self._new_points: list[Array] = []
        self._new_radii: list[float] = []
        self._new_owners: list[int] = []
        self._new_links: list[tuple[int, int]] = []
        self.bonds: list[tuple[int, int]] = []
        self.zones: list[tuple[int, int]] = []

    def add(self, point: Array, radius: float, owner: int) -> int:
        """A new bead of an object; returns its number."""
        self._new_points.append(point)
        self._new_radii.append(radius)
        self._new_owners.append(owner)
        return len(self.radii) + len(self._new_radii) - 1

    def link(self, new: int, other: int) -> None:
        """Make two beads of one object neighbours."""
        self._new_links.append((new, other))

    def finish(self) -> Beads:
        """Everything joined."""
        return Beads(
            points_nm=np.concatenate([self.points, np.array(self._new_points).reshape(-1, 3)]),
            radii_nm=np.concatenate([self.radii, np.array(self._new_radii)]),
            owners=np.concatenate([self.owners, np.array(self._new_owners, np.int64)]),
            links=np.concatenate([self._axis_links, np.array(self._new_links, np.int64).reshape(-1, 2)]),
            kinds=self.kinds,
            boutons=self.boutons,
            bonds=np.array(self.bonds, np.int64).reshape(-1, 2),
            zones=np.array(self.zones, np.int64).reshape(-1, 2),
            axis_links=len(self._axis_links),
        )
