"""Mitochondria, reticulum and lysosomes: short tubes inside the packed neurites."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from connectome.phantom.beads import Beads, Kind
from connectome.phantom.config import PhantomConfig, PhantomPreset
from connectome.phantom.tubes import Tubes

Array = NDArray[np.float64]


class Organelle(IntEnum):
    """The kind of an organelle."""

    MITOCHONDRION = 0
    RETICULUM = 1
    LYSOSOME = 2


@dataclass(frozen=True, kw_only=True)
class Habit:
    """The number and size of an organelle in one kind of neurite.

    Attributes:
        gap_nm: mean length of neurite between two of them on one track.
        length_nm, radius_nm: smallest and largest.
        tracks: how many lie side by side.
    """

    organelle: Organelle
    gap_nm: float
    length_nm: tuple[float, float]
    radius_nm: tuple[float, float]
    tracks: int = 1


MITO, ER, LYSO = Organelle.MITOCHONDRION, Organelle.RETICULUM, Organelle.LYSOSOME
CORTEX_HABITS = {
    Kind.AXON: (
        Habit(organelle=MITO, gap_nm=3200, length_nm=(350, 1300), radius_nm=(55, 110)),
        Habit(organelle=ER, gap_nm=1100, length_nm=(120, 700), radius_nm=(14, 28)),
        Habit(organelle=LYSO, gap_nm=16000, length_nm=(20, 90), radius_nm=(45, 90)),
    ),
    Kind.DENDRITE: (
        Habit(organelle=MITO, gap_nm=1300, length_nm=(700, 3500), radius_nm=(85, 165)),
        Habit(organelle=ER, gap_nm=650, length_nm=(150, 900), radius_nm=(18, 55), tracks=2),
        Habit(organelle=LYSO, gap_nm=9000, length_nm=(20, 160), radius_nm=(60, 120)),
    ),
    Kind.TRUNK: (
        Habit(organelle=MITO, gap_nm=1700, length_nm=(900, 4000), radius_nm=(110, 190), tracks=3),
        Habit(organelle=ER, gap_nm=900, length_nm=(200, 1100), radius_nm=(20, 50), tracks=5),
        Habit(organelle=LYSO, gap_nm=5000, length_nm=(20, 160), radius_nm=(60, 120)),
    ),
    Kind.MYELINATED: (
        Habit(organelle=MITO, gap_nm=2500, length_nm=(500, 2000), radius_nm=(80, 120)),
        Habit(organelle=ER, gap_nm=2000, length_nm=(150, 500), radius_nm=(16, 30)),
    ),
}
INSECT_HABITS = {
    Kind.AXON: (
        Habit(organelle=MITO, gap_nm=350, length_nm=(200, 700), radius_nm=(75, 170)),
        Habit(organelle=ER, gap_nm=2500, length_nm=(120, 400), radius_nm=(12, 22)),
        Habit(organelle=LYSO, gap_nm=12000, length_nm=(20, 60), radius_nm=(35, 70)),
    ),
    Kind.DENDRITE: (
        Habit(organelle=MITO, gap_nm=900, length_nm=(300, 1200), radius_nm=(55, 110)),
        Habit(organelle=ER, gap_nm=2500, length_nm=(120, 400), radius_nm=(12, 22)),
    ),
    Kind.TRUNK: (
        Habit(organelle=MITO, gap_nm=900, length_nm=(500, 2500), radius_nm=(90, 170)),
        Habit(organelle=ER, gap_nm=900, length_nm=(150, 700), radius_nm=(16, 36), tracks=2),
        Habit(organelle=LYSO, gap_nm=9000, length_nm=(20, 120), radius_nm=(50, 90)),
    ),
}
HABITS = {PhantomPreset.CORTEX: CORTEX_HABITS, PhantomPreset.INSECT: INSECT_HABITS}


@dataclass(frozen=True, kw_only=True)
class Organelles:
    """All organelles of the tissue.

    Attributes:
        tubes: their links; the group is the organelle.
        owners: int64 (organelles,), the object each lies in.
        types: int64 (organelles,), Organelle.
    """

    tubes: Tubes
    owners: NDArray[np.int64]
    types: NDArray[np.int64]


def place_organelles(beads: Beads, config: PhantomConfig) -> Organelles:
    """Organelles along the centre lines of all neurites."""
    rng = np.random.default_rng([config.seed, 3])
    starts: list[Array] = []
    stops: list[Array] = []
    radii: list[Array] = []
    groups: list[NDArray[np.int64]] = []
    owners: list[int] = []
    types: list[int] = []
    chain_length = np.bincount(beads.owners[beads.links[: beads.axis_links, 0]], minlength=len(beads.kinds)) + 1
    first = np.concatenate([[0], np.cumsum(chain_length)])
    for owner, kind in enumerate(beads.kinds):
        points = beads.points_nm[first[owner] : first[owner + 1]]
        widths = beads.radii_nm[first[owner] : first[owner + 1]]
        for habit in HABITS[config.preset][Kind(kind)]:
            for line, radius in _along(points, widths, habit, rng):
                thinner = np.full(len(line), radius)
                thinner[[0, -1]] *= 0.7
                starts.append(line[:-1])
                stops.append(line[1:])
                radii.append(np.stack([thinner[:-1], thinner[1:]], axis=1))
                groups.append(np.full(len(line) - 1, len(owners)))
                owners.append(owner)
                types.append(int(habit.organelle))
    empty = [np.zeros((0, 3))]
    tubes = Tubes.between(
        np.concatenate(empty + starts),
        np.concatenate(empty + stops),
        np.concatenate([np.zeros((0, 2)), *radii]),
        np.concatenate([np.zeros(0, np.int64), *groups]),
    )
    return Organelles(tubes=tubes, owners=np.array(owners, np.int64), types=np.array(types, np.int64))


def _along(points: Array, widths: Array, habit: Habit, rng: np.random.Generator) -> list[tuple[Array, float]]:
    """The centre lines (nm) and radii (nm) of one kind of organelle in one neurite."""
    found = []
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    for _ in range(habit.tracks):
        at = rng.exponential(habit.gap_nm)
        while at < arc[-1]:
            length, radius = rng.uniform(*habit.length_nm), rng.uniform(*habit.radius_nm)
            stations = np.linspace(at, min(at + length, arc[-1]), max(int(length / 150), 1) + 1)
            room = np.interp(stations, arc, widths) - 22
            side = rng.normal(size=3)
            side /= np.linalg.norm(side)
            if room.min() > 0.75 * radius:
                radius = min(radius, float(room.min()))
                shift = (room - radius).clip(0) * rng.uniform(0, 1 if habit.tracks == 1 else 0.95)
                line = np.stack([np.interp(stations, arc, points[:, i]) for i in range(3)], axis=1)
                found.append((line + shift[:, None] * side, radius))
            at += length + rng.exponential(habit.gap_nm)
    return found
