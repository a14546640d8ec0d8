"""Packed neurites fill space beside each other, and boutons stay with their partners."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from connectome.phantom import PhantomConfig
from connectome.phantom.beads import Beads
from connectome.phantom.neurites import draw_neurites
from connectome.phantom.packing import pack
from connectome.phantom.world import grow_beads

CONFIG = PhantomConfig(shape=(16, 64, 64), seed=2)


@pytest.fixture(scope="module")
def loose() -> Beads:
    return grow_beads(draw_neurites(CONFIG), CONFIG)


@pytest.fixture(scope="module")
def packed(loose: Beads) -> Beads:
    return pack(loose)


def overlap_nm(beads: Beads) -> float:
    pairs = cKDTree(beads.points_nm).query_pairs(2 * float(beads.radii_nm.max()), output_type="ndarray")
    pairs = pairs[beads.owners[pairs[:, 0]] != beads.owners[pairs[:, 1]]]
    gaps = np.linalg.norm(beads.points_nm[pairs[:, 0]] - beads.points_nm[pairs[:, 1]], axis=1)
    return float(np.maximum(beads.radii_nm[pairs].sum(axis=1) - gaps, 0).sum())


def test_packing_removes_most_overlap(loose: Beads, packed: Beads) -> None:
    assert overlap_nm(packed) < 0.15 * overlap_nm(loose)


def test_bonded_beads_touch_after_packing(packed: Beads) -> None:
    a, b = packed.bonds.T
    gaps = np.linalg.norm(packed.points_nm[a] - packed.points_nm[b], axis=1) - packed.radii_nm[packed.bonds].sum(axis=1)
    assert len(gaps) > 0
    assert np.median(gaps) < 0


def test_a_bond_joins_a_bouton_with_another_object(packed: Beads) -> None:
    a, b = packed.bonds.T
    assert set(a.tolist()) <= set(packed.boutons.tolist())
    assert (packed.owners[a] != packed.owners[b]).all()


def test_packing_the_same_beads_gives_the_same_places(loose: Beads, packed: Beads) -> None:
    assert np.array_equal(pack(loose).points_nm, packed.points_nm)
