"""Grows neurites towards each other, so that synapses can form: each preset in its own way."""

from __future__ import annotations

import numpy as np

from connectome.phantom.beads import Beads, GrowingBeads
from connectome.phantom.config import PhantomConfig, PhantomPreset
from connectome.phantom.neurites import Neurite
from connectome.phantom.rosettes import grow_rosettes
from connectome.phantom.spines import grow_spines


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
