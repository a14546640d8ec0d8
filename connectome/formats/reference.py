"""Annotated connectomes to score against or train on, whatever they are kept in."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from connectome.geometry import Box, Grid
from connectome.records import ReferenceSynapse

BACKGROUND = 2**64 - 1
IGNORE = 2**64 - 2


class Reference(Protocol):
    """An annotated connectome: cleft labels on a grid, and synapses with partners.

    A label is a cleft's id, `BACKGROUND`, or `IGNORE` where nobody knows; 0 is background too, unless a synapse has the
    cleft id 0.
    """

    @property
    def grid(self) -> Grid:
        """Where the cleft labels lie."""

    def read_clefts(self, box: Box) -> NDArray[np.uint64]:
        """The labels of `box`, uint64 (z, y, x); `BACKGROUND` beyond the border."""

    def synapses(self) -> list[ReferenceSynapse]:
        """The annotated synapses, ascending by cleft id, then partners; centroids in voxels of `grid`.

        Raises:
            ReferenceDataError: synapses, partners or clefts are missing or contradict each other.
        """
